"""How many requests may be in flight.

Small files are round trips: how many to keep in flight follows from how long one takes, since a client of one
process spends some time of its own on each; but some dozens at least. Large ones fill the line: how many connections
that takes is found out by adding some while the rate grows.
"""

from __future__ import annotations

import threading
import time

from ..transport.client import HttpClient

MOST = 64
FIRST_SMALL, FEWEST_SMALL = 4, 32
"""At once, and once answers come, however near the registry is: 2,000 files of 4 KiB come from CNCF distribution in
three quarters of the time that four in flight take, since it does more of them at a stroke."""
OWN_TIME = 0.0003
"""Seconds of processor time that one small request costs here at the least. With as many more in flight, 2,000 files of
4 KiB over 20 ms take a seventh to a fifth less than with half of them."""
NEAR = 0.004
"""Seconds to the first byte below which more than two large blobs at once only get in each other's way."""
ANSWERS_NEAR = 16
"""Answers that are worth one more connection there: to open one takes as long as some of them."""
FEW_BULK, MANY_BULK = 2, 8
SAMPLES = 2
"""Answers before the round trip is taken for known."""
WINDOW = 0.5
GAIN = 1.15


class Pace:
    """Limits for one transfer. *fixed* is the user's own number, which then is the limit for both kinds."""

    def __init__(self, http: HttpClient, fixed: int | None = None) -> None:
        self._http = http
        self._fixed = fixed
        self._began = http.answers
        self._lock = threading.Lock()
        self._extra = 0
        self._settled = False
        self._moved = 0
        self._since = time.monotonic()
        self._last_rate = 0.0

    def small(self) -> int:
        """How many requests for small blobs may be in flight."""
        if self._fixed:
            return self._fixed
        fitting = max(FEWEST_SMALL, int((self._http.fastest_answer or 0) / OWN_TIME))
        earned = self._answered // ANSWERS_NEAR if self._is_near else self._answered
        return max(1, min(MOST, fitting, FIRST_SMALL + earned) >> self._http.throttled)

    def bulk(self) -> int:
        """How many connections may carry large blobs."""
        if self._fixed:
            return self._fixed
        base = FEW_BULK if self._is_near or self._answered < SAMPLES else MANY_BULK
        return max(1, min(MANY_BULK, base + self._extra) >> self._http.throttled)

    @property
    def _is_near(self) -> bool:
        return (self._http.fastest_answer or 0) < NEAR

    @property
    def _answered(self) -> int:
        """Requests answered since the transfer began: they let more be in flight, as TCP starts slowly."""
        return self._http.answers - self._began

    def moved(self, size: int) -> None:
        """Account for *size* bytes; at the end of a window, one more connection is tried or given up."""
        with self._lock:
            self._moved += size
            elapsed = time.monotonic() - self._since
            if elapsed < WINDOW or self._settled:
                return
            self._adjust(self._moved / elapsed)
            self._moved, self._since = 0, time.monotonic()

    def _adjust(self, rate: float) -> None:
        if self._last_rate and rate < self._last_rate * GAIN:
            self._settled = True
            self._extra = max(0, self._extra - 1)
        else:
            self._extra += 1
        self._last_rate = rate
