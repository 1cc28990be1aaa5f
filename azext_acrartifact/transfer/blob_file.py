"""The file that a blob is downloaded to, as `files.writing` and `layout` implement it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


class Sink(Protocol):
    """Takes the bytes of a blob in order, before they are verified."""

    def write(self, data: memoryview) -> None:
        """Append *data*."""

    def restart(self) -> None:
        """Drop everything written so far."""


class UnfinishedFile(Protocol):
    """A file that gets its name when the caller has verified it."""

    def commit(self) -> None:
        """Make the file durable and give it its name. The caller has verified it."""

    def discard(self) -> None:
        """Close the file. Does nothing after `commit`."""


class BlobFile(Sink, UnfinishedFile, Protocol):
    """An unfinished file that is written in order."""


class RangedFile(UnfinishedFile, Protocol):
    """An unfinished file that several threads write by ranges. Its blocks outlive a failure."""

    done: set[int]
    """Numbers of the blocks that are recorded as complete. The caller verifies them."""

    def write_at(self, data: memoryview, offset: int) -> None:
        """Write *data* at *offset*."""

    def read_at(self, buffer: memoryview, offset: int) -> int:
        """Read back into *buffer* from *offset*; return the number of bytes."""

    def mark(self, number: int, /) -> None:
        """Record that block *number* is complete."""

    def forget(self, numbers: Collection[int], /) -> None:
        """Drop the blocks *numbers*, whose content is wrong. No other thread may be using the file."""
