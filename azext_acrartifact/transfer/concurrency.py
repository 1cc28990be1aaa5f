"""The number of requests that may be in flight.

A small blob costs a round trip, so the number of small requests follows from how long a round trip takes: this process
spends time of its own on each. Near the registry that time is all, and threads take turns at the interpreter, so they
are added only while they leave a processor idle. Large blobs fill the network, so connections are added while the rate
grows.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from ..transport.client import HttpClient

MOST = 64
FIRST_SMALL, FEWEST_SMALL = 4, 32
"""Small requests in flight at first, and after the first responses, unless the registry is near."""
MOST_NEAR = 32
"""Small requests in flight at most near the registry."""
IDLE, BUSY = 0.75, 0.95
"""Processors that small transfers near the registry use together when more are added, and when half are given up.
Beyond, threads wait for the interpreter rather than for the network: to pull 2,000 files of 4 KiB over loopback, two
take 1.3 times as long as one, and 32 take 1.8 times."""
OWN_TIME = 0.0003
"""Seconds of processor time that a small request costs here at least. A number based on half of that makes 2,000 files
of 4 KiB over 20 ms a seventh to a fifth slower."""
NEAR = 0.004
"""Seconds to the first byte. Below, more than two large blobs at once only slow each other down."""
FEW_BULK, MANY_BULK = 2, 8
SAMPLES = 2
"""Responses after which the round trip time counts as known."""
WINDOW, WINDOW_SMALL = 0.5, 0.05
GAIN = 1.15
SHORT_WINDOW, ENOUGH = 0.1, 64 * 1024 * 1024
"""Seconds and bytes after which a window may end early: the rate is known well enough."""
BUSY_BULK = 0.5
"""The part of the machine's processor time that this process may use when a connection is added for large blobs.
Beyond, they wait for the processor, not for the network."""


class Concurrency:
    """The budget of requests in flight over *http* that all transfers of a command share. *fixed* is the user's
    `--concurrency`, the limit of large and small transfers together; None adapts each limit to the network."""

    def __init__(
        self,
        http: HttpClient,
        fixed: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.process_time,
    ) -> None:
        self.http = http
        self.fixed = fixed
        self._clock, self._used = clock, used
        self._first = http.responses
        self._lock = threading.Lock()
        self._running = {True: 0, False: 0}
        self._extra = self._extra_before = 0
        self._settled = False
        self._last_rate = 0.0
        self._near = FIRST_SMALL
        self._worked, self._weighed = 0.0, clock()
        self._begin_window()

    def acquire(self, bulk: bool) -> bool:
        """Take one transfer out of the budget; return False when nothing is left of it now."""
        with self._lock:
            if not any(self._running.values()):
                self._begin_window()  # a pause between transfers is not part of it
            if self.fixed:
                granted = sum(self._running.values()) < self.fixed
            else:
                granted = self._running[bulk] < (self.bulk() if bulk else self.small())
            self._running[bulk] += granted
            return granted

    def release(self, bulk: bool, worked: float = 0.0) -> None:
        """Give one transfer back to the budget, which took *worked* seconds of processor time."""
        with self._lock:
            if not bulk:
                self._weigh(worked)
            self._running[bulk] -= 1

    def small(self) -> int:
        """Return how many requests for small blobs may be in flight."""
        if self.fixed:
            return self.fixed
        if self._is_near:
            most = self._near
        else:
            fitting = max(FEWEST_SMALL, int((self.http.fastest_response or 0) / OWN_TIME))
            most = min(MOST, fitting, FIRST_SMALL + self._responses)
        return max(1, most >> self.http.throttled)

    def bulk(self) -> int:
        """Return how many connections may transfer large blobs."""
        if self.fixed:
            return self.fixed
        base = FEW_BULK if self._is_near or self._responses < SAMPLES else MANY_BULK
        return max(1, min(MANY_BULK, base + self._extra) >> self.http.throttled)

    def moved(self, size: int) -> None:
        """Account for *size* bytes. At the end of a window, add connections or give up the last ones."""
        with self._lock:
            self._moved += size
            elapsed = self._clock() - self._since
            if self._settled or elapsed < (SHORT_WINDOW if self._moved >= ENOUGH else WINDOW):
                return
            self._adjust(self._moved / elapsed, (self._used() - self._used_before) / elapsed)
            self._begin_window()

    def _begin_window(self) -> None:
        self._moved, self._since, self._used_before = 0, self._clock(), self._used()

    @property
    def _is_near(self) -> bool:
        return (self.http.fastest_response or 0) < NEAR

    @property
    def _responses(self) -> int:
        """Responses since the command's transfers began: each allows more requests in flight, like TCP slow start."""
        return self.http.responses - self._first

    def _weigh(self, worked: float) -> None:
        """Account for a small transfer. At the end of a window, choose how many there may be near the registry.

        The time that a transfer takes says nothing about that: part of it is spent waiting for other threads.
        """
        self._worked += worked
        now = self._clock()
        elapsed = now - self._weighed
        if elapsed < WINDOW_SMALL:
            return
        if self._worked < IDLE * elapsed:
            self._near = max(self._near, min(MOST_NEAR, 2 * self._running[False]))
        elif self._worked > BUSY * elapsed:
            self._near = max(1, self._near // 2)
        self._worked, self._weighed = 0.0, now

    def _adjust(self, rate: float, busy: float) -> None:
        """Double the connections while the *rate* grows by that. *busy* is the number of processors in use."""
        if self._last_rate and rate < self._last_rate * GAIN:
            self._settled = True
            self._extra = self._extra_before
        elif busy > BUSY_BULK * (os.cpu_count() or 1):
            self._settled = True
        else:
            self._extra_before = self._extra
            self._extra += FEW_BULK + self._extra
        self._last_rate = rate
