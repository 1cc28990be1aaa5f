"""JSON from a server: invalid documents, and those that would take too much memory."""

from __future__ import annotations

import json

import pytest

from azext_acrartifact.transport.bounded_json import as_list, parse_json


def test_json_is_read() -> None:
    value = {"a": [1, 2.5, None, True, "\u00e9"], "b": {}}
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(b'{"a":1,"a":2}', list) == [("a", 1), ("a", 2)]


@pytest.mark.parametrize(
    "raw",
    [b"", b"[", b"NaN", b"[Infinity]", b"[" * 50_000, b"9" * 5000,
     b"\xff", "{}".encode("utf-16"), b"\xef\xbb\xbf{}", b"{}{}"],
)  # fmt: skip
def test_invalid_json_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(raw)


@pytest.mark.parametrize(
    ("value", "limit"), [("{}", "most_containers"), ("[]", "most_containers"), ("1", "most_values")]
)
def test_more_values_than_a_manifest_has_are_refused(value: str, limit: str) -> None:
    assert len(parse_json(f"[{','.join([value] * 9)}]".encode(), **{limit: 10})) == 9
    with pytest.raises(ValueError, match="too many objects or values"):
        parse_json(f"[{','.join([value] * 12)}]".encode(), **{limit: 10})


@pytest.mark.parametrize(("value", "found"), [(None, []), ([], []), ([None], [None])])
def test_null_is_an_empty_list(value: object, found: list[object]) -> None:
    assert as_list(value) == found


@pytest.mark.parametrize("value", [{}, "", 0, False, "x", {"a": 1}])
def test_nothing_else_is_a_list(value: object) -> None:
    with pytest.raises(ValueError, match="not a list"):
        as_list(value)
