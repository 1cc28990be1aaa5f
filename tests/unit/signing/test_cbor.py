"""The strict subset of CBOR."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.signing.cbor import DEEPEST, Tagged, decode, encode
from tests.support.drafts import Tag, cbor

NUMBERS = st.integers(-(2**64), 2**64 - 1)
VALUES = st.recursive(
    NUMBERS | st.binary(max_size=300) | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NUMBERS | st.text(max_size=9), inner, max_size=4),
    max_leaves=8,
)


def depth(value: object) -> int:
    """Return how deeply *value* is nested."""
    inner = value if isinstance(value, list) else value.values() if isinstance(value, dict) else []
    return 1 + max(map(depth, inner), default=-1)


@given(VALUES)
def test_what_is_written_is_read_back_and_is_the_only_way_to_write_it(value: object) -> None:
    raw = encode(value)  # type: ignore[arg-type]
    if depth(value) > DEEPEST:
        with pytest.raises(ValueError, match="deeply"):
            decode(raw)
    else:
        assert decode(raw) == value
        assert encode(decode(raw)) == raw


@given(st.binary(max_size=60))
def test_bytes_are_read_in_one_way_or_refused(raw: bytes) -> None:
    try:
        found = decode(raw)
    except ValueError:
        return
    assert encode(found) == raw


def test_examples_of_the_specification() -> None:
    # RFC 8949, appendix A.
    examples = {
        "00": 0, "17": 23, "1818": 24, "1903e8": 1000, "1bffffffffffffffff": 2**64 - 1, "20": -1, "3903e7": -1000,
        "4401020304": b"\1\2\3\4", "62c3bc": "ü", "83010203": [1, 2, 3], "a201020304": {1: 2, 3: 4},
        "c11a514b67b0": Tagged(1, 1363896240),
    }  # fmt: skip
    for text, value in examples.items():
        assert decode(bytes.fromhex(text)) == value
        assert encode(value).hex() == text


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\x18\x17", b"\x19\x00\xff", b"\x1a\x00\x00\xff\xff", b"\x1b" + bytes(4) + b"\xff" * 4, b"\x1c", b"\x1f",
        b"\x5f\xff", b"\x9f\xff", b"\xbf\xff", b"\x41", b"\x61\xff", b"\x82\x00", b"\xa1\x00", b"\xf4", b"\xf6",
        b"\xf9\x00\x00", b"\xc0\x60", b"\xc2\x41\x01", b"\x00\x00", b"\xa2\x01\x00\x01\x00", b"\xa2\x02\x00\x01\x00",
        b"\xa1\x40\x00", b"\xa1\x80\x00", b"\x9b" + b"\xff" * 8, b"\xbb" + b"\xff" * 8, b"\x5b" + b"\xff" * 8,
        cbor(Tag(18, [1.5])),
    ],
)  # fmt: skip
def test_everything_else_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(raw)


def test_a_number_that_is_too_large_is_not_written() -> None:
    with pytest.raises(ValueError, match="too large"):
        encode(2**64)
