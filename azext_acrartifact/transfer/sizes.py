"""The sizes that decide how a blob is transferred. Tests lower them, so that small blobs take every path."""

from __future__ import annotations

from dataclasses import dataclass

from ..transport.messages import BLOCK

_MIB = 1024 * 1024


@dataclass(frozen=True)
class TransferSizes:
    """Sizes in bytes."""

    single: int = 4 * _MIB
    """The largest blob that is uploaded in one request."""
    chunk: int = 16 * _MIB
    smallest_chunk: int = _MIB // 4
    """A registry that refuses a chunk as too large gets smaller ones, down to this size."""
    larger_chunk: int = 20 * _MIB
    largest_chunk: int = 128 * _MIB
    """A registry that loses sessions gets larger chunks: first of about the largest size that ACR is known to accept
    (goharbor/harbor#23015), then up to this one."""
    checked: int = _MIB // 16
    """The smallest blob for which it is worth a request to check whether it exists."""
    hashed_first: int = 32 * _MIB
    """The largest file that is hashed before it is uploaded: that takes less time than the check."""
    block: int = 2 * _MIB
    """A resumable file records blocks of this size. A kill costs at most one block of each connection."""
    shortest_range: int = 4
    longest_range: int = 16
    """Blocks in one range. Each begins with a round trip without data, and the first of a connection with two: a
    registry redirects to its storage, whose address serves the next ranges too."""
    ahead: int = 4 * _MIB
    """The range that is downloaded ahead of a reader. One for each connection waits in memory."""
    buffer: int = BLOCK
    """The largest read."""

    @property
    def ranged(self) -> int:
        """The smallest blob that is downloaded in ranges."""
        return 2 * self.shortest_range * self.block

    def most_workers(self, size: int) -> int:
        """Return how many threads could help to download a blob of *size* bytes."""
        return -(-size // (self.shortest_range * self.block))


DEFAULT_SIZES = TransferSizes()
