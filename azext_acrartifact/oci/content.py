"""Content that registries, files and transfers exchange, found by its descriptor.

A source gives blobs by descriptor, from any offset. Content that is sent can be read again from any offset, too.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from .descriptor import Descriptor

Advance = Callable[[int], None]
"""Called with the bytes of each step; a negative number must be sent or fetched again."""


class Content(Protocol):
    """Bytes of a known length, any range of which can be read again."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    def open_range(self, offset: int, length: int) -> BinaryIO | io.RawIOBase:
        """Return a fresh reader of *length* bytes from *offset*."""


@dataclass(frozen=True)
class Chunk:
    """A range of some content, as the body of one request."""

    content: Content
    offset: int
    size: int

    def open(self) -> BinaryIO | io.RawIOBase:
        """Return a fresh reader of it."""
        return self.content.open_range(self.offset, self.size)


@dataclass(frozen=True)
class Memory:
    """Small content in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.data)

    def open_range(self, offset: int, length: int) -> BinaryIO:
        """Return a fresh reader of *length* bytes from *offset*."""
        return io.BytesIO(self.data[offset : offset + length])


@dataclass(frozen=True)
class Blocks:
    """Content that consists of several blocks in memory, none of which is copied."""

    blocks: tuple[memoryview, ...]

    @property
    def size(self) -> int:
        """Length in bytes."""
        return sum(map(len, self.blocks))

    def open_range(self, offset: int, length: int) -> io.RawIOBase:
        """Return a fresh reader of *length* bytes from *offset*."""
        return _BlocksReader(cut(self.blocks, offset, length))


class _BlocksReader(io.RawIOBase):
    def __init__(self, blocks: Iterator[memoryview]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = next(self._blocks, self._rest)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def cut(blocks: Iterable[memoryview], offset: int, length: int) -> Iterator[memoryview]:
    """Yield the *length* bytes of *blocks* from *offset* on, or as many as there are; no block is empty."""
    for block in blocks:
        rest = block[offset : offset + length]
        offset = max(offset - len(block), 0)
        length -= len(rest)
        if rest:
            yield rest


class Stream(Protocol):
    """The bytes of one blob from some offset on."""

    @property
    def offset(self) -> int:
        """The offset of the first byte."""

    def readinto(self, buffer: memoryview) -> int:
        """Fill *buffer* with the next bytes; return 0 at the end."""

    def close(self) -> None:
        """Close it, without reading the rest."""


class Source(Protocol):
    """A source of blobs."""

    def fetch(self, blob: Descriptor, offset: int = 0, length: int | None = None) -> Stream:
        """Open *length* bytes of *blob* from *offset* on, by default to its end. The stream's own `offset` is where it
        really begins: 0 when the source cannot begin elsewhere. The stream may then be longer, too."""
