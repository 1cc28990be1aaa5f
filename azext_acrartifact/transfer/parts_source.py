"""A file in parts as the source of one download: every range comes from the parts that hold it, or from the disk.

The older version of the file on the disk often has most parts already, at the same offsets: those are read from there.
A part that is repeated in the file, such as a hole of zeros, is read back from where it was written first.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from ..errors import CancelledError, ConnectionFailedError
from ..oci.content import Source, Stream
from ..oci.descriptor import Descriptor
from ..oci.digest import algorithm_of
from ..oci.parts import Part
from ..transport.messages import BLOCK
from .blob_file import RangedFile
from .sizes import TransferSizes

_POLL = 0.01
"""Seconds between two looks at a part that another thread is writing."""


def fitting_sizes(parts: Sequence[Part], sizes: TransferSizes) -> TransferSizes:
    """Return *sizes* with blocks that end where *parts* end, if parts of whole MiB allow it."""
    fits = all(part.offset % sizes.block == 0 for part in parts)
    return sizes if fits else replace(sizes, block=sizes.block // 2)


class ReplacingFile(RangedFile, Protocol):
    """An unfinished file that will replace an older one of its name."""

    def read_older(self, buffer: memoryview, offset: int) -> int:
        """Read into *buffer* from *offset* of the older file; return the number of bytes, 0 if it has none there."""


class PartsSource:
    """The bytes of the file that *parts* make, whose blobs are in *source*. Any number of threads may fetch."""

    def __init__(self, source: Source, parts: Sequence[Part], cancelled: threading.Event | None = None) -> None:
        self._source, self._parts, self._cancelled = source, parts, cancelled or threading.Event()
        self._offsets = [part.offset for part in parts]
        self._firsts: dict[tuple[str, int], Part] = {}
        for part in parts:
            self._firsts.setdefault((part.blob.digest, part.blob.size), part)
        self._file: ReplacingFile | None = None
        self._block = BLOCK
        self._in_older: dict[int, bool] = {}
        self._locks = [threading.Lock() for _ in parts]
        self._counting = threading.Lock()
        self.copied = 0
        """Bytes that came from the disk."""

    def write_to(self, file: ReplacingFile, block: int) -> None:
        """Use what is on the disk: the older file that *file* will replace, and the complete blocks of *file* itself,
        of *block* bytes each."""
        self._file, self._block = file, block

    def fetch(self, blob: Descriptor, offset: int = 0, length: int | None = None) -> Stream:
        """Open *length* bytes of the file from *offset* on. The stream begins at the first byte instead if the source
        ignores ranges: then all parts are read in order. *blob* describes the whole file."""
        end = blob.size if length is None else offset + length
        joined = _Joined(offset, self._streams(offset, end, from_disk=length is not None))
        if joined.begins_right():
            return joined
        joined.close()
        return _Joined(0, self._streams(0, blob.size, from_disk=False))

    def _streams(self, offset: int, end: int, *, from_disk: bool) -> Iterator[tuple[Stream, int, int]]:
        """Yield the streams of the parts from *offset* to *end*, with the offset in the part where each should begin
        and the bytes to read of it."""
        for number in range(bisect_right(self._offsets, offset) - 1, len(self._parts)):
            part = self._parts[number]
            if part.offset >= end:
                return
            begin, size = max(offset - part.offset, 0), part.blob.size
            wanted = min(end, part.end) - part.offset - begin
            disk = self._on_disk(number, part, begin, wanted) if from_disk else None
            # Without Range for a whole part: a source that ignores ranges can serve it, too.
            whole = begin == 0 and wanted == size
            stream = disk or self._source.fetch(part.blob, begin, None if whole else wanted)
            yield stream, begin, wanted

    def _on_disk(self, number: int, part: Part, begin: int, length: int) -> Stream | None:
        """Return the bytes of *part* if the older file has all of it, or if it was written before."""
        if self._file is None:
            return None
        moved = functools.partial(self._moved, number)
        if self._is_in_older(number, part, self._file):
            return _DiskStream(self._file.read_older, part.offset + begin, begin, length, moved)
        first = self._firsts[part.blob.digest, part.blob.size]
        if first is part or not self._is_aligned(first) or not self._is_aligned(part):
            return None
        self._wait_for(first, self._file)
        return _DiskStream(self._file.read_at, first.offset + begin, begin, length, moved)

    def _moved(self, number: int, size: int) -> None:
        """Count *size* bytes from the disk; none are left if the older file became shorter meanwhile: then its part
        *number* is fetched."""
        with self._counting:
            self.copied += size
            if not size:
                self._in_older[number] = False

    def _is_in_older(self, number: int, part: Part, file: ReplacingFile) -> bool:
        """Return whether the older file has *part* at the same offset. Hashes that range, once."""
        with self._locks[number]:
            if number not in self._in_older:
                self._in_older[number] = self._has(file, part)
            return self._in_older[number]

    def _has(self, file: ReplacingFile, part: Part) -> bool:
        state = hashlib.new(algorithm_of(part.blob.digest))
        buffer = memoryview(bytearray(min(BLOCK, part.blob.size)))
        position = part.offset
        while position < part.end:
            if self._cancelled.is_set():
                raise CancelledError("Stopped")
            count = file.read_older(buffer[: part.end - position], position)
            if not count:
                return False
            state.update(buffer[:count])
            position += count
        return f"{state.name}:{state.hexdigest()}" == part.blob.digest

    def _is_aligned(self, part: Part) -> bool:
        """Return whether *part* begins and ends with a block, so that no block waits for itself."""
        return part.offset % self._block == 0 and (part.end % self._block == 0 or part is self._parts[-1])

    def _wait_for(self, part: Part, file: RangedFile) -> None:
        """Wait until all of *part* is written. Ranges are taken in ascending order, so what is waited for never waits
        for the caller."""
        blocks = range(part.offset // self._block, -(-part.end // self._block))
        while not file.done.issuperset(blocks):
            if self._cancelled.wait(_POLL):
                raise CancelledError("Stopped")


class _Joined:
    """The bytes of several streams, one after the other."""

    def __init__(self, offset: int, streams: Iterator[tuple[Stream, int, int]]) -> None:
        self.offset = offset
        self._streams = streams
        self._stream: Stream | None = None
        self._left = 0
        self._begin = 0

    def begins_right(self) -> bool:
        """Open the first stream; return whether it begins where it should."""
        return self._next() is None or self._is_right

    def readinto(self, buffer: memoryview) -> int:
        """Fill *buffer* with the next bytes; return 0 at the end. Raises `ConnectionFailedError` when a part ends
        early."""
        if not self._left:
            if self._next() is None:
                return 0
            if not self._is_right:
                raise ConnectionFailedError("The connection broke", why="a range of a part begins elsewhere")
        assert self._stream is not None
        count = self._stream.readinto(buffer[: self._left])
        if not count:
            raise ConnectionFailedError("The connection broke", why="a part ended early")
        self._left -= count
        return count

    def close(self) -> None:
        """Close the stream of the present part."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    @property
    def _is_right(self) -> bool:
        return self._stream is not None and self._stream.offset == self._begin

    def _next(self) -> Stream | None:
        self.close()
        found = next(self._streams, None)
        if found is not None:
            self._stream, self._begin, self._left = found
        return self._stream


class _DiskStream:
    """Bytes of a file on the disk, as those of a part from *offset* on. Calls *moved* with the size of each read."""

    def __init__(
        self,
        read: Callable[[memoryview, int], int],
        position: int,
        offset: int,
        length: int,
        moved: Callable[[int], None],
    ) -> None:
        self.offset = offset
        self._read, self._position, self._left, self._moved = read, position, length, moved

    def readinto(self, buffer: memoryview) -> int:
        """Fill *buffer* with the next bytes; return 0 at the end."""
        count = self._read(buffer[: self._left], self._position)
        self._position += count
        self._left -= count
        self._moved(count)
        return count

    def close(self) -> None:
        """Do nothing: the file stays open for others."""
