"""The size of the requests of one upload, adapted to what the registry and the network let through."""

from __future__ import annotations

from .sizes import TransferSizes

_COARSE = 4
"""Sizes that differ by less than this share of the smaller one are not worth another request that is refused."""


class ChunkSize:
    """The size of the next request. See docs/decisions/0012-after-a-lost-session.md.

    ACR cancels a session when the response to a chunk is lost, so each response puts all bytes before it at risk. After
    a lost session, fewer and larger requests are sent. 413 limits them, and then the largest accepted size is searched.
    A connection that breaks within a request and leaves the session alone calls for smaller ones.
    """

    def __init__(self, sizes: TransferSizes) -> None:
        self.value = sizes.chunk
        """Bytes."""
        self._sizes = sizes
        self._accepted = self._refused = self._breaks = 0

    def accepted(self, size: int) -> None:
        """Account for a request of *size* bytes that was confirmed."""
        self._accepted = max(self._accepted, size)
        self._breaks = 0

    def refused(self, size: int) -> bool:
        """Account for 413 to a request of *size* bytes; return whether a smaller one is worth a try."""
        self._refused = min(size, self._refused or size)
        if self._accepted >= self._refused:
            self._accepted = 0
        self.value = self._between() if self._accepted else self._refused // 2
        return self.value >= self._sizes.smallest_chunk

    def session_lost(self) -> None:
        """Account for a session that was lost with the bytes in it."""
        self._breaks = 0
        larger = min(2 * self.value, max(self.value, self._sizes.largest_chunk))
        self.value = min(larger, self._between()) if self._refused else larger

    def broken(self) -> None:
        """Account for a request that broke off, while the session kept what it had."""
        self._breaks += 1
        if self.value > self._sizes.chunk:
            self.value = max(self.value // 2, self._sizes.chunk)
        elif self._breaks > 1:
            self.value = max(self.value // 2, min(self.value, self._sizes.smallest_chunk))

    def _between(self) -> int:
        """Return a size between the largest accepted and the smallest refused one, until these are close together."""
        gap = self._refused - self._accepted
        return self._accepted + gap // 2 if _COARSE * gap >= self._accepted else self._accepted
