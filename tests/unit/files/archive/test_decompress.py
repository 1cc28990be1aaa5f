"""Decompression: every byte, in bounded blocks, by either library. Truncated layers and trailing data are refused."""

from __future__ import annotations

import gzip
import io
import threading
import zlib
from collections.abc import Callable, Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.errors import DigestMismatchError, UnsafeContentError
from azext_acrartifact.files.archive.decompress import InflatedStream, damaged, inflated
from tests.unit.files.archive.archives import digest, zstd

LIMIT = 1 << 30


both_libraries = pytest.mark.parametrize("library", [None, zlib], ids=["installed", "zlib"])


def reading(data: bytes, few: int = 1 << 20) -> Callable[[int], bytes]:
    source = io.BytesIO(data)
    return lambda count: source.read(min(few, count))


def whole(data: bytes, few: int = 1 << 20, most: int = 1 << 20, limit: int = LIMIT, library: Any = None) -> bytes:
    stream, found = InflatedStream(inflated(reading(data, few), library), limit), bytearray()
    while block := stream.read_block(most):
        assert len(block) <= most
        found += block
    assert bytes(stream.read_block(most)) == stream.read_exactly(5) == b""
    stream.require_digest(digest(bytes(found)))
    with pytest.raises(DigestMismatchError):
        stream.require_digest(digest(bytes(found) + b"x"))
    return bytes(found)


_few = st.integers(1, 40)


@both_libraries
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=3), st.sampled_from(["gzip", "zstd"]), _few, _few)
def test_members_and_frames_follow_one_another(
    library: Any, parts: list[bytes], kind: str, few: int, most: int
) -> None:
    pack = gzip.compress if kind == "gzip" else zstd
    assert whole(b"".join(map(pack, parts)), few, most, library=library) == b"".join(parts)


@given(st.binary(max_size=300), _few, _few)
def test_uncompressed_data_is_returned_as_it_is(data: bytes, few: int, most: int) -> None:
    assert whole(b"plain" + data, few, most) == b"plain" + data
    assert whole(b"", few, most) == b""
    assert whole(b"\x1f", few, most) == b"\x1f"


@both_libraries
@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_truncated_data_is_damaged(library: Any, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(b"content of some length, " * 20)
    for length in range(4, len(packed)):
        with pytest.raises(UnsafeContentError, match="damaged"):
            whole(packed[:length], few=7, library=library)
        with pytest.raises(UnsafeContentError, match="damaged"):
            whole(packed + packed[:length], library=library)


@both_libraries
@pytest.mark.parametrize("pack", [gzip.compress, zstd])
@pytest.mark.parametrize("more", [b"\0", b"x", b"\x1f\x8b", b"more than a few bytes"])
def test_only_another_member_may_follow(library: Any, pack: Callable[[bytes], bytes], more: bytes) -> None:
    with pytest.raises(UnsafeContentError, match="damaged"):
        whole(pack(b"content") + more, library=library)


@both_libraries
def test_a_wrong_checksum_or_length_is_damage(library: Any) -> None:
    packed = gzip.compress(b"content")
    for offset in (-8, -1):
        wrong = bytearray(packed)
        wrong[offset] ^= 1
        with pytest.raises(UnsafeContentError, match="damaged"):
            whole(bytes(wrong), library=library)


@both_libraries
@pytest.mark.parametrize("pack", [gzip.compress, zstd, bytes])
def test_the_limit_counts_uncompressed_bytes(library: Any, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(b"x" * 5000)
    assert len(whole(packed, limit=5000, library=library)) == 5000
    with pytest.raises(UnsafeContentError, match="larger than allowed") as caught:
        whole(packed, limit=4999, library=library)
    assert "--max-unpacked-size" in caught.value.hint


@both_libraries
@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_no_block_is_longer_than_two_mebibytes(library: Any, pack: Callable[[bytes], bytes]) -> None:
    sizes = [len(block) for block in inflated(reading(pack(bytes(5 << 20))), library)]
    assert sum(sizes) == 5 << 20
    assert max(sizes) <= 2 << 20


def test_no_more_is_read_than_is_needed() -> None:
    asked: list[int] = []

    def read(count: int) -> bytes:
        asked.append(count)
        return b"0123"

    stream = InflatedStream(inflated(read), LIMIT)
    assert [stream.read_exactly(count) for count in (4, 4, 3, 1)] == [b"0123", b"0123", b"012", b"3"]
    assert len(asked) == 3


def test_a_damaged_frame_does_not_count_as_truncated() -> None:
    for packed in (zstd(b"content")[:4] + b"\xff" * 50, zstd(b"content") + zstd(b"content")[:4] + b"\xff" * 50):
        with pytest.raises(UnsafeContentError, match="damaged") as caught:
            whole(packed)
        assert "too early" not in caught.value.why


def test_reads_exactly_as_many_bytes_or_all_that_are_left() -> None:
    stream = InflatedStream(inflated(reading(b"0123456789", few=4)), LIMIT)
    assert [stream.read_exactly(count) for count in (3, 0, 5, 5, 5)] == [b"012", b"", b"34567", b"89", b""]


def test_damage_is_explained() -> None:
    assert damaged("x").why == "x"
    assert "Pull again" in damaged("x").hint


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd])
def test_it_yields_the_first_block_of_an_endless_stream(pack: Callable[[bytes], bytes]) -> None:
    start, asked = pack(b"content"), []

    def read(count: int) -> bytes:
        asked.append(count)
        assert len(asked) < 10, "all is read before the first block"
        return start if len(asked) == 1 else b"x" * 100

    assert next(inflated(read))


def windowed(log: int, data: bytes = b"content") -> bytes:
    """Return *data* as a zstd frame whose header asks for a window of 2^*log* bytes."""
    head = zstd(b"")[:4] + bytes([0, (log - 10) << 3])
    return head + (len(data) << 3 | 1).to_bytes(3, "little") + data


def test_a_window_of_more_than_8_mebibytes_is_refused() -> None:
    assert whole(windowed(23)) == b"content"
    for frame, shown in (
        (windowed(24), "16 MiB"),
        (windowed(31), "2,048 MiB"),
        (windowed(10) + windowed(27), "128 MiB"),
    ):
        with pytest.raises(UnsafeContentError, match=f"zstd window has {shown}, and at most 8"):
            whole(frame, few=3)


def test_a_frame_of_one_segment_has_its_content_as_window() -> None:
    single = zstd(b"")[:4] + bytes([0xA0]) + (9 << 20).to_bytes(4, "little") + bytes(20)
    with pytest.raises(UnsafeContentError, match="zstd window has 9 MiB"):
        whole(single)


def test_only_a_few_large_windows_are_open_at_once() -> None:
    begun = [inflated(reading(windowed(23))) for _ in range(3)]
    assert [next(content) for content in begun] == [b"content"] * 3
    assert whole(windowed(20)) == b"content"
    fourth: list[bytes] = []
    thread = threading.Thread(target=lambda: fourth.append(whole(windowed(23))), daemon=True)
    thread.start()
    thread.join(0.2)
    assert fourth == []
    for content in begun:
        content.close()
    thread.join(20)
    assert fourth == [b"content"]


def test_only_a_few_layers_have_large_blocks() -> None:
    def largest(content: Generator[bytes]) -> int:
        return max(len(next(content)) for _ in range(20))

    begun = [inflated(reading(gzip.compress(bytes(50 << 20)))) for _ in range(4)]
    assert [largest(content) for content in begun] == [2 << 20] * 3 + [128 << 10]
    for content in begun:
        content.close()
    assert largest(inflated(reading(gzip.compress(bytes(50 << 20))))) == 2 << 20


@both_libraries
@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_members_must_have_content(library: Any, pack: Callable[[bytes], bytes]) -> None:
    tar = pack(bytes(512)) * 3000
    assert len(whole(tar, library=library)) == 512 * 3000
    for empty in (pack(b"") * 1001, pack(b"content") * 2000):
        with pytest.raises(UnsafeContentError, match="compressed members have only"):
            whole(empty, library=library)
