"""A limit to the bytes a second that all connections of a command transfer together, in both directions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

BYTES_A_MEGABIT = 125_000
"""As azcopy's --cap-mbps counts: https://learn.microsoft.com/azure/storage/common/storage-ref-azcopy-copy."""
LONGEST_CREDIT = 0.2
"""Seconds of unused budget that may be used later. Without it, each wait that the system lets last longer than asked
would lower the rate; with more, a burst would follow a pause."""


class RateCap:
    """A budget of *megabits* a second. Several threads may use it: each waits for its turn, in the order of asking.
    Once *cancelled* is set, nobody waits."""

    def __init__(
        self, megabits: float, cancelled: threading.Event, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds_a_byte = 1 / (megabits * BYTES_A_MEGABIT)
        self._cancelled, self._clock = cancelled, clock
        self._next = clock()
        self._lock = threading.Lock()

    def passed(self, count: int) -> None:
        """Wait until *count* bytes that were transferred fit into the budget."""
        with self._lock:
            now = self._clock()
            self._next = max(self._next, now - LONGEST_CREDIT) + count * self._seconds_a_byte
            wait = self._next - now
        if wait > 0:
            self._cancelled.wait(wait)
