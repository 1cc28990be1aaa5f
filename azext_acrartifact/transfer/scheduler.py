"""One pool of threads for all blobs and ranges of a transfer, which stops whole on the first final error."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..errors import CancelledError
from ..transport.client import HttpClient
from .pace import Pace

TICK = 0.05
STOP_TIME = 0.8
"""Seconds that threads get to notice that the work is given up; what they hold is safe without them."""


@dataclass(frozen=True)
class Job:
    """A piece of work; *bulk* when it fills a connection rather than waits for answers. *size* in bytes decides
    the order: the largest first, so that the last one to end is a small one."""

    run: Callable[[], None]
    size: int
    bulk: bool


class Scheduler:
    """Runs jobs, as many at once as the pace allows."""

    def __init__(self, http: HttpClient, pace: Pace) -> None:
        self._http, self._pace = http, pace
        self._cancelled = http.waiter.cancelled
        self._changed = threading.Condition()
        self._waiting: dict[bool, deque[Job]] = {True: deque(), False: deque()}
        self._running = {True: 0, False: 0}
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []

    def run(self, jobs: Iterable[Job]) -> None:
        """Run *jobs* to their end, or raise the first error after the others were stopped.

        An interrupt (Ctrl-C, SIGTERM) breaks the requests in flight and passes through within a second.
        """
        for job in sorted(jobs, key=lambda job: -job.size):
            self._waiting[job.bulk].append(job)
        try:
            with self._changed:
                while self._left() and not self._errors:
                    self._staff()
                    self._changed.wait(TICK)
        finally:
            self._stop()
        if self._errors:
            raise self._first_error()

    def _left(self) -> int:
        return sum(map(len, self._waiting.values())) + sum(self._running.values())

    def _staff(self) -> None:
        """Have as many threads as the limits allow and the work needs."""
        wanted = sum(
            min(limit, len(self._waiting[bulk]) + self._running[bulk])
            for bulk, limit in ((True, self._pace.bulk()), (False, self._pace.small()))
        )
        while len(self._threads) < wanted:
            thread = threading.Thread(target=self._work, name="acrartifact-transfer", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (job := self._take()) is not None:
            try:
                job.run()
            except BaseException as error:  # pylint: disable=broad-except  (raised by `run`, in the caller's thread)
                self._errors.append(error)
                self._cancelled.set()
            finally:
                with self._changed:
                    self._running[job.bulk] -= 1
                    self._changed.notify_all()

    def _take(self) -> Job | None:
        with self._changed:
            while not self._cancelled.is_set() and any(self._waiting.values()):
                for bulk, limit in ((True, self._pace.bulk()), (False, self._pace.small())):
                    if self._waiting[bulk] and self._running[bulk] < limit:
                        self._running[bulk] += 1
                        return self._waiting[bulk].popleft()
                self._changed.wait(TICK)
            return None

    def _stop(self) -> None:
        if self._left():
            self._cancelled.set()
            self._http.abort()
        for thread in self._threads:
            thread.join(STOP_TIME)

    def _first_error(self) -> BaseException:
        real = [error for error in self._errors if not isinstance(error, CancelledError)]
        return (real or self._errors)[0]
