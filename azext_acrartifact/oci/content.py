"""The one meeting place of registries, files and transfers: content, found by its descriptor.

A source gives blobs by descriptor, from any offset; what is sent can be read again from any offset, too.
"""

from __future__ import annotations

import io
from collections.abc import Callable
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
