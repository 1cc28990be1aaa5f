"""The size of the requests of one upload, adapted to what the registry and the network let through."""

from __future__ import annotations

from .sizes import TransferSizes

FEW = 4
"""Requests of a blob for which no size beyond about the recorded limit is tried: only three of them are at risk."""


class ChunkLimits:
    """What the registry accepted and refused in all uploads of a command: parts of a file learn from each other."""

    def __init__(self) -> None:
        self.accepted = self.refused = 0
        """The largest request that was accepted, and the smallest that was refused, in bytes; 0 if there is none."""


class ChunkSize:
    """The size of the next request. See docs/decisions/0012-after-a-lost-session.md.

    ACR cancels a session when the response to a chunk is lost, so each response puts all bytes before it at risk. After
    a lost session, fewer and larger requests are sent, unless the registry refuses them with 413. A connection that
    breaks within a request and leaves the session alone calls for smaller ones.
    """

    def __init__(self, sizes: TransferSizes, limits: ChunkLimits | None = None) -> None:
        """Uploads that share *limits* also use the larger size that another one needed, once it was accepted."""
        self.value = sizes.chunk
        """Bytes."""
        self._sizes = sizes
        self._limits = limits or ChunkLimits()
        self._accepted = self._breaks = 0
        self._adopted = sizes.chunk

    def next(self, left: int | None) -> int:
        """Return the size of the next request, when *left* bytes are left, if known. What does not fill a request goes
        first: each response to a chunk puts all bytes before it at risk, and that to the last request none. A single
        byte does not: a session with one byte has the range `0-0`, as one without any has.
        """
        accepted, refused = self._limits.accepted, self._limits.refused
        if accepted > self._adopted:
            self._adopted = accepted
            self.value = max(self.value, accepted)
        if refused and self.value >= refused:
            self.value = accepted or max(refused // 2, 1)
        first = (left - 1) % self.value + 1 if left else self.value
        return first if first > 1 else self.value

    def accepted(self, size: int) -> None:
        """Account for a request of *size* bytes that was confirmed. What did not fill a request says nothing about how
        large they may be."""
        self._breaks = 0
        if size >= self.value:
            self._accepted = max(self._accepted, size)
            self._limits.accepted = max(self._limits.accepted, size)

    def refused(self, size: int) -> bool:
        """Account for 413 to a request of *size* bytes; return whether a smaller one is worth a try."""
        self._limits.refused = min(size, self._limits.refused or size)
        if self._accepted >= self._limits.refused:
            self._accepted = 0
        if self._limits.accepted >= self._limits.refused:
            self._limits.accepted = 0
        self.value = self._accepted or self._limits.refused // 2
        return self.value >= self._sizes.smallest_chunk

    def session_lost(self, size: int) -> None:
        """Account for a session that was lost with the bytes in it, of a blob of *size* bytes as far as is known."""
        self._breaks = 0
        steps = [self._sizes.chunk, self._sizes.larger_chunk, self._sizes.largest_chunk]
        larger = min([2 * self.value, *(step for step in steps if step > self.value)])
        if larger > self._sizes.larger_chunk and size <= FEW * self.value:
            return  # a refused request would cost more than the next loss is likely to
        if self.value < steps[-1] and (not self._limits.refused or larger < self._limits.refused):
            self.value = larger

    def broken(self) -> None:
        """Account for a request that broke off, while the session kept what it had."""
        self._breaks += 1
        if self.value > self._sizes.chunk:
            self.value = max(self.value // 2, self._sizes.chunk)
        elif self._breaks > 1:
            self.value = max(self.value // 2, min(self.value, self._sizes.smallest_chunk))
