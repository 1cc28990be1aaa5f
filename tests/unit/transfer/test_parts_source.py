"""A file in parts as one source: every range, wherever parts begin and end, and whatever the disk has."""

from __future__ import annotations

import functools
import threading
from collections.abc import Collection
from dataclasses import replace

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.parts import Part, PartsVerifier
from azext_acrartifact.oci.storage import COPIED
from azext_acrartifact.transfer.large_blob import LargeBlob
from azext_acrartifact.transfer.parts_source import PartsSource, fitting_sizes
from azext_acrartifact.transfer.sizes import TransferSizes
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.network import Network
from tests.unit.transfer.conftest import MemoryFile

CONTENT = bytes(range(100))
WHOLE = Descriptor("x/y", digest_of(CONTENT), 100)
BLOCK = 10


def parts_of(content: bytes = CONTENT, size: int = 30) -> list[Part]:
    blocks = [(offset, content[offset : offset + size]) for offset in range(0, len(content), size)]
    return [Part(Descriptor("x/y", digest_of(block), len(block)), offset) for offset, block in blocks]


class Stream:
    def __init__(self, data: bytes, offset: int) -> None:
        self.offset, self.data, self.closed = offset, data, False

    def readinto(self, buffer: memoryview) -> int:
        count = min(7, len(buffer), len(self.data))
        buffer[:count], self.data = self.data[:count], self.data[count:]
        return count

    def close(self) -> None:
        self.closed = True


class Blobs:
    """Blobs in memory that note what is fetched of them."""

    def __init__(self, content: bytes = CONTENT, size: int = 30, ranges: bool = True, short: int = 0) -> None:
        self.blobs = {part.blob.digest: content[part.offset : part.end] for part in parts_of(content, size)}
        self.ranges, self.short = ranges, short
        self.fetched: list[tuple[int, int | None]] = []
        self.streams: list[Stream] = []

    def fetch(self, blob: Descriptor, offset: int = 0, length: int | None = None) -> Stream:
        self.fetched.append((offset, length))
        data = self.blobs[blob.digest]
        begin = offset if self.ranges else 0
        end = begin + length if length is not None and self.ranges else len(data)
        self.streams.append(Stream(data[begin : end - self.short], begin))
        return self.streams[-1]


class Replacing(MemoryFile):
    def __init__(self, older: bytes = b"") -> None:
        super().__init__(100)
        self.older = older

    def read_older(self, buffer: memoryview, offset: int) -> int:
        found = self.older[offset : offset + len(buffer)]
        buffer[: len(found)] = found
        return len(found)

    def commit(self) -> None: ...

    def discard(self) -> None: ...


def read(source: PartsSource, offset: int = 0, length: int | None = None) -> tuple[int, bytes]:
    stream, found, buffer = source.fetch(WHOLE, offset, length), b"", memoryview(bytearray(64))
    while count := stream.readinto(buffer):
        found += buffer[:count]
    stream.close()
    return stream.offset, found


def test_every_range_is_that_of_the_file() -> None:
    source = PartsSource(Blobs(), parts_of())
    for offset in range(0, 100, 3):
        for length in (1, 29, 30, 31, 61, 100):
            assert read(source, offset, min(length, 100 - offset)) == (offset, CONTENT[offset : offset + length])
        assert read(source, offset) == (offset, CONTENT[offset:])


def test_only_the_bytes_of_the_range_are_requested() -> None:
    blobs = Blobs()
    read(PartsSource(blobs, parts_of()), 25, 40)
    assert blobs.fetched == [(25, 5), (0, None), (0, 5)]
    assert all(stream.closed for stream in blobs.streams)


def test_a_source_that_ignores_ranges_is_read_from_the_first_byte() -> None:
    assert read(PartsSource(Blobs(ranges=False), parts_of()), 45, 20) == (0, CONTENT)


def test_a_part_that_ends_early_is_a_broken_connection() -> None:
    with pytest.raises(errors.ConnectionFailedError):
        read(PartsSource(Blobs(short=1), parts_of()), 0, 100)


def test_parts_of_the_older_file_are_not_fetched() -> None:
    blobs = Blobs()
    source = PartsSource(blobs, parts_of())
    source.write_to(Replacing(CONTENT[:30] + b"x" + CONTENT[31:99]), BLOCK)
    assert read(source, 0, 100) == (0, CONTENT)
    assert (blobs.fetched, source.copied) == ([(0, None), (0, None)], 60)  # the second part and the last


def test_an_older_file_that_becomes_shorter_is_left_alone() -> None:
    blobs, file = Blobs(), Replacing(CONTENT)
    source = PartsSource(blobs, parts_of())
    source.write_to(file, BLOCK)
    stream = source.fetch(WHOLE, 0, 30)
    file.older = b""
    with pytest.raises(errors.ConnectionFailedError):
        stream.readinto(memoryview(bytearray(30)))
    assert read(source, 0, 30) == (0, CONTENT[:30])
    assert (len(blobs.fetched), source.copied) == (1, 0)


def test_a_part_of_an_older_file_that_changes_meanwhile_is_fetched() -> None:
    class Changing(Replacing):
        read = 0

        def read_older(self, buffer: memoryview, offset: int) -> int:
            """Give other bytes once the second part was hashed."""
            found = super().read_older(buffer, offset)
            self.read += found if offset >= 30 else 0
            if self.read > 30 and found:
                buffer[0] ^= 1
            return found

        def forget(self, numbers: Collection[int]) -> None:
            super().forget(numbers)
            self.older = b""

    parts, blobs, file = parts_of(), Blobs(), Changing(bytes(30) + CONTENT[30:60])
    source = PartsSource(blobs, parts)
    source.write_to(file, BLOCK)
    http = HttpClient(Network("test/1"))
    sizes = TransferSizes(block=BLOCK, shortest_range=1)
    verifier = functools.partial(PartsVerifier, WHOLE, parts)
    large = LargeBlob(source, WHOLE, lambda: file, http, lambda size: None, sizes, verifier)
    assert large.work() == COPIED
    assert (bytes(file.data), file.restarts) == (CONTENT, 1)


def test_a_repeated_part_is_read_back_once_it_is_written() -> None:
    content = (CONTENT[:30] * 3)[:90]
    blobs, file = Blobs(content), Replacing()
    source = PartsSource(blobs, parts_of(content))
    source.write_to(file, BLOCK)
    whole, found = replace(WHOLE, size=90), []
    thread = threading.Thread(target=lambda: found.append(source.fetch(whole, 30, 30)))
    thread.start()
    thread.join(0.1)
    assert (thread.is_alive(), blobs.fetched) == (True, [])
    file.write_at(memoryview(content[:30]), 0)
    for number in range(3):
        file.mark(number)
    thread.join(5)
    buffer = memoryview(bytearray(64))
    assert (found[0].readinto(buffer), bytes(buffer[:30]), blobs.fetched) == (30, content[:30], [])


def test_a_repeated_part_between_blocks_is_fetched_again() -> None:
    content = CONTENT[:25] * 4
    blobs = Blobs(content, 25)
    source = PartsSource(blobs, parts_of(content, 25))
    source.write_to(Replacing(), BLOCK)
    assert read(source, 0, 100) == (0, content)
    assert len(blobs.fetched) == 4


def test_waiting_ends_with_the_transfer() -> None:
    cancelled = threading.Event()
    source = PartsSource(Blobs(CONTENT[:30] * 2), parts_of(CONTENT[:30] * 2), cancelled)
    source.write_to(Replacing(CONTENT[1:]), BLOCK)
    cancelled.set()
    with pytest.raises(errors.CancelledError):
        source.fetch(replace(WHOLE, size=60), 30, 30)


@pytest.mark.parametrize(("size", "block"), [(4, 2), (8, 2), (5, 1), (3, 1)])
def test_blocks_end_where_parts_end(size: int, block: int) -> None:
    assert fitting_sizes(parts_of(size=size), TransferSizes(block=2)).block == block
