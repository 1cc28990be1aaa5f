"""JSON from a server: what is none, and what would take more memory than it is worth."""

from __future__ import annotations

import json

import pytest

from azext_acrartifact.transport import bounded_json as documents
from azext_acrartifact.transport.bounded_json import parse_json


def test_json_is_read() -> None:
    value = {"a": [1, 2.5, None, True, "\u00e9"], "b": {}}
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(b'{"a":1,"a":2}', list) == [("a", 1), ("a", 2)]


@pytest.mark.parametrize(
    "raw",
    [b"", b"[", b"NaN", b"[Infinity]", b"[" * 50_000, b"9" * 5000,
     b"\xff", "{}".encode("utf-16"), b"\xef\xbb\xbf{}", b"{}{}"],
)  # fmt: skip
def test_what_is_no_json_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(raw)


@pytest.mark.parametrize(
    ("piece", "most"), [("{}", "MOST_CONTAINERS"), ("[]", "MOST_CONTAINERS"), ("1", "MOST_VALUES")]
)
def test_more_parts_than_a_manifest_has_are_not_made(monkeypatch: pytest.MonkeyPatch, piece: str, most: str) -> None:
    monkeypatch.setattr(documents, most, 10)
    assert len(parse_json(f"[{','.join([piece] * 9)}]".encode())) == 9
    with pytest.raises(ValueError, match="too many parts"):
        parse_json(f"[{','.join([piece] * 12)}]".encode())
