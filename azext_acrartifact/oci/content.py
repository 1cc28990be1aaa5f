"""The one meeting place of registries, files and transfers: content, found by its descriptor.

A source gives blobs by descriptor, from any offset; what is sent can be read again from any offset, too.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from .descriptor import Descriptor

Advance = Callable[[int], None]
"""Told of each step in bytes; a negative number says that so many must be sent or fetched again."""


class Content(Protocol):
    """Bytes of a known length, any range of which can be read again."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    def open_range(self, offset: int, length: int) -> BinaryIO | io.RawIOBase:
        """A fresh reader of *length* bytes from *offset*."""


@dataclass(frozen=True)
class Chunk:
    """A range of some content, as the body of one request."""

    content: Content
    offset: int
    size: int

    def open(self) -> BinaryIO | io.RawIOBase:
        """A fresh reader of it."""
        return self.content.open_range(self.offset, self.size)


@dataclass(frozen=True)
class Memory:
    """Content that is small and at hand."""

    data: bytes

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.data)

    def open_range(self, offset: int, length: int) -> BinaryIO:
        """A fresh reader of *length* bytes from *offset*."""
        return io.BytesIO(self.data[offset : offset + length])


@dataclass(frozen=True)
class Pieces:
    """Content that is at hand in several pieces, none of which is copied."""

    pieces: tuple[memoryview, ...]

    @property
    def size(self) -> int:
        """Length in bytes."""
        return sum(map(len, self.pieces))

    def open_range(self, offset: int, length: int) -> io.RawIOBase:
        """A fresh reader of *length* bytes from *offset*."""
        return _PiecesReader(cut(self.pieces, offset, length))


class _PiecesReader(io.RawIOBase):
    def __init__(self, pieces: Iterator[memoryview]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = next(self._pieces, self._rest)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def cut(pieces: Iterable[memoryview], offset: int, length: int) -> Iterator[memoryview]:
    """The *length* bytes of *pieces* from *offset* on, or as many as there are; no piece is empty."""
    for piece in pieces:
        part = piece[offset : offset + length]
        offset = max(offset - len(piece), 0)
        length -= len(part)
        if part:
            yield part


class Stream(Protocol):
    """Bytes of one blob from some offset on."""

    @property
    def offset(self) -> int:
        """Where the bytes begin."""

    def readinto(self, buffer: memoryview) -> int:
        """Fill *buffer* with the next bytes; 0 at the end."""

    def close(self) -> None:
        """Give up the rest."""


class Source(Protocol):
    """Where blobs come from."""

    def fetch(self, blob: Descriptor, offset: int = 0, length: int | None = None) -> Stream:
        """*length* bytes of *blob* from *offset* on, by default to its end. The stream's own `offset` says where
        it really begins, which is 0 when the source cannot begin elsewhere; it may then be longer as well."""
