"""What a registry says of where bytes begin and end: believed when it fits, otherwise the first byte counts."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.errors import ProtocolError
from azext_acrartifact.oci.blobs import _begins_at
from azext_acrartifact.oci.uploads import received
from azext_acrartifact.transport.messages import Headers, Request, Response

GET = Request("GET", "https://myregistry.azurecr.io/v2/a/blobs/x")


def told(name: str, value: str) -> Response:
    return Response(GET, 206, Headers([(name, value)]), io.BytesIO())


@given(st.integers(0, 10**19 - 1), st.integers(0, 10**19 - 1), st.none() | st.integers(0, 10**19 - 1))
def test_a_content_range_is_where_it_begins(first: int, last: int, size: int | None) -> None:
    answer = told("Content-Range", f"bytes {first}-{last}/{'*' if size is None else size}")
    assert _begins_at(first, answer)
    assert not _begins_at(first + 1, answer)


@pytest.mark.parametrize(
    "value",
    ["", "bytes", "bytes 3", "bytes 3-", "bytes 3-4", "3-4/5", "items 3-4/5", "bytes=3-4/5", "bytes 3-4/5, 0-1/5",
     "bytes -3-4/5", "bytes 3.0-4/5", "bytes 3-4/5\n0", "bytes */5", "bytes 3-4/5/6", "bytes " + "0" * 19 + "3-4/5"],
)  # fmt: skip
def test_another_content_range_is_none(value: str) -> None:
    assert not _begins_at(3, told("Content-Range", value))


@given(st.text(max_size=40))
def test_any_range_is_read_or_refused(value: str) -> None:
    assert _begins_at(3, told("Content-Range", value)) in (True, False)
    with contextlib.suppress(ProtocolError):
        assert received(told("Range", value)) >= 0


@given(st.integers(1, 10**19 - 1), st.sampled_from(["", "bytes="]))
def test_what_has_come_is_one_more_than_the_last_byte(last: int, unit: str) -> None:
    assert received(told("Range", f"{unit}0-{last}")) == last + 1


@pytest.mark.parametrize("value", ["", "0", "1-5", "0-", "0--5", "-5", "0-5/6", "0-5, 7-9", "0-" + "9" * 20, "0-5\n1"])
def test_another_range_is_refused(value: str) -> None:
    with pytest.raises(ProtocolError):
        received(told("Range", value))


def test_of_the_first_byte_nothing_is_known() -> None:
    """`0-0` after a begin means that none has come."""
    assert received(told("Range", "0-0")) == 0
