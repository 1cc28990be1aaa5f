"""Layers inflated: every byte, in bounded pieces, by either library; what is cut off or goes on is damaged."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.errors import DigestMismatchError, UnsafeContentError
from azext_acrartifact.files.archive import decompress as inflate
from azext_acrartifact.files.archive.compression import zstd_module
from azext_acrartifact.files.archive.decompress import InflatedStream, damaged, inflated
from tests.unit.files.archive.archives import digest, zstd

LIMIT = 1 << 30


@pytest.fixture(params=["chosen", "zlib"])
def _library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test with the library that is installed, and with the standard library's."""
    if request.param == "zlib":
        monkeypatch.setattr(inflate, "_inflater", lambda: zlib)


def reading(data: bytes, few: int = 1 << 20) -> Callable[[int], bytes]:
    source = io.BytesIO(data)
    return lambda count: source.read(min(few, count))


def whole(data: bytes, few: int = 1 << 20, most: int = 1 << 20, limit: int = LIMIT) -> bytes:
    stream, found = InflatedStream(inflated(reading(data, few)), limit), bytearray()
    while piece := stream.piece(most):
        assert len(piece) <= most
        found += piece
    assert bytes(stream.piece(most)) == stream.exactly(5) == b""
    stream.require_digest(digest(bytes(found)))
    with pytest.raises(DigestMismatchError):
        stream.require_digest(digest(bytes(found) + b"x"))
    return bytes(found)


_few = st.integers(1, 40)


@pytest.mark.usefixtures("_library")
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=3), st.sampled_from(["gzip", "zstd"]), _few, _few)
def test_members_and_frames_follow_one_another(parts: list[bytes], kind: str, few: int, most: int) -> None:
    pack = gzip.compress if kind == "gzip" else zstd
    assert whole(b"".join(map(pack, parts)), few, most) == b"".join(parts)


@given(st.binary(max_size=300), _few, _few)
def test_what_is_not_compressed_comes_as_it_is(data: bytes, few: int, most: int) -> None:
    assert whole(b"plain" + data, few, most) == b"plain" + data
    assert whole(b"", few, most) == b""
    assert whole(b"\x1f", few, most) == b"\x1f"


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_what_is_cut_off_is_damaged(pack: Callable[[bytes], bytes]) -> None:
    packed = pack(b"content of some length, " * 20)
    for length in range(4, len(packed)):
        with pytest.raises(UnsafeContentError, match="damaged"):
            whole(packed[:length], few=7)
        with pytest.raises(UnsafeContentError, match="damaged"):
            whole(packed + packed[:length])


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("pack", [gzip.compress, zstd])
@pytest.mark.parametrize("more", [b"\0", b"x", b"\x1f\x8b", b"more than a few bytes"])
def test_what_follows_is_another_member_or_damage(pack: Callable[[bytes], bytes], more: bytes) -> None:
    with pytest.raises(UnsafeContentError, match="damaged"):
        whole(pack(b"content") + more)


@pytest.mark.usefixtures("_library")
def test_a_wrong_sum_or_length_is_damage() -> None:
    packed = gzip.compress(b"content")
    for place in (-8, -1):
        wrong = bytearray(packed)
        wrong[place] ^= 1
        with pytest.raises(UnsafeContentError, match="damaged"):
            whole(bytes(wrong))


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("pack", [gzip.compress, zstd, bytes])
def test_the_limit_is_what_comes_out(pack: Callable[[bytes], bytes]) -> None:
    packed = pack(b"x" * 5000)
    assert len(whole(packed, limit=5000)) == 5000
    with pytest.raises(UnsafeContentError, match="larger than what is allowed") as caught:
        whole(packed, limit=4999)
    assert "--max-unpacked-size" in caught.value.hint


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_no_piece_is_longer_than_two_megabytes(pack: Callable[[bytes], bytes]) -> None:
    sizes = [len(piece) for piece in inflated(reading(pack(bytes(5 << 20))))]
    assert sum(sizes) == 5 << 20
    assert max(sizes) <= 2 << 20


def test_no_more_is_read_than_is_needed() -> None:
    asked: list[int] = []

    def read(count: int) -> bytes:
        asked.append(count)
        return b"0123"

    stream = InflatedStream(inflated(read), LIMIT)
    assert [stream.exactly(count) for count in (4, 4, 3, 1)] == [b"0123", b"0123", b"012", b"3"]
    assert len(asked) == 3


def test_a_frame_that_is_damaged_from_its_start_is_said_to_be() -> None:
    for packed in (zstd(b"content")[:4] + b"\xff" * 50, zstd(b"content") + zstd(b"content")[:4] + b"\xff" * 50):
        with pytest.raises(UnsafeContentError, match="damaged") as caught:
            whole(packed)
        assert "too early" not in caught.value.why


def test_exactly_so_many_bytes_come_or_all_that_are_left() -> None:
    stream = InflatedStream(inflated(reading(b"0123456789", few=4)), LIMIT)
    assert [stream.exactly(count) for count in (3, 0, 5, 5, 5)] == [b"012", b"", b"34567", b"89", b""]


def test_without_zstd_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert zstd_module() is not None
    packed = zstd(b"content")
    monkeypatch.setattr(inflate, "zstd_module", lambda: None)
    with pytest.raises(UnsafeContentError, match="not installed") as caught:
        whole(packed)
    assert "backports.zstd" in caught.value.hint


def test_damage_is_explained() -> None:
    assert damaged("x").why == "x"
    assert "Pull again" in damaged("x").hint


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd])
def test_it_begins_with_the_first_bytes_of_what_may_never_end(pack: Callable[[bytes], bytes]) -> None:
    start, asked = pack(b"content"), []

    def read(count: int) -> bytes:
        asked.append(count)
        assert len(asked) < 10, "all is read before the first piece"
        return start if len(asked) == 1 else b"x" * 100

    assert next(inflated(read))
