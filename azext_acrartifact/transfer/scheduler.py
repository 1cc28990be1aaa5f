"""One pool of threads for all blobs and ranges of a transfer, which stops whole on the first final error."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..errors import CancelledError
from ..threads import try_start
from ..transport.client import HttpClient
from .concurrency import Pace

TICK = 0.02
"""Seconds between two looks at whether the line is worth more threads."""
STOP_TIME = 0.8
"""Seconds that threads get to notice that the work is given up; what they hold is safe without them."""


@dataclass(frozen=True)
class Job:
    """A piece of work; *bulk* when it fills a connection rather than waits for answers. *size* in bytes decides
    the order: the largest first, so that the last one to end is a small one. *helps* says how many others are at the
    same blob before it: threads are spread over blobs first, and help each other when there are no more."""

    run: Callable[[], None]
    size: int
    bulk: bool
    helps: int = 0


class Scheduler:
    """Runs jobs, as many at once as the pace allows."""

    def __init__(self, http: HttpClient, pace: Pace) -> None:
        self._http, self._pace = http, pace
        self._cancelled = http.waiter.cancelled
        self._changed = threading.Condition()
        self._waiting: dict[bool, deque[Job]] = {True: deque(), False: deque()}
        self._running = {True: 0, False: 0}
        self._threads: set[threading.Thread] = set()
        self._errors: list[BaseException] = []

    def run(self, jobs: Iterable[Job]) -> None:
        """Run *jobs* to their end, or raise the first error after the others were stopped.

        An interrupt (Ctrl-C, SIGTERM) breaks the requests in flight and passes through within a second.
        """
        for job in sorted(jobs, key=lambda job: (job.helps, -job.size)):
            self._waiting[job.bulk].append(job)
        try:
            with self._changed:
                while self._left() and not self._errors:
                    self._require_going_on()
                    self._staff()
                    self._changed.wait(TICK)
        finally:
            self._stop()
        if self._errors:
            raise self._first_error()

    def _left(self) -> bool:
        return any(self._waiting.values()) or any(self._running.values())

    def _require_going_on(self) -> None:
        if self._cancelled.is_set() and not any(self._running.values()):
            raise CancelledError("Stopped")

    def _staff(self) -> None:
        """Start a thread for each job that the limits allow beside those that run."""
        while (job := self._next()) is not None:
            thread = threading.Thread(target=self._work, args=(job,), name="acrartifact-transfer", daemon=True)
            self._threads.add(thread)
            if not try_start(thread):  # those that there are do the work
                self._threads.discard(thread)
                self._running[job.bulk] -= 1
                self._waiting[job.bulk].appendleft(job)
                if not self._threads:
                    raise RuntimeError("can't start new thread")
                return

    def _next(self) -> Job | None:
        """A job that may run now, counted as running; the caller holds the lock."""
        for bulk, limit in ((True, self._pace.bulk()), (False, self._pace.small())):
            if self._waiting[bulk] and self._running[bulk] < limit and not self._cancelled.is_set():
                self._running[bulk] += 1
                return self._waiting[bulk].popleft()
        return None

    def _work(self, job: Job | None) -> None:
        """Run *job* and then others, for as long as the limits leave room for this thread."""
        while job is not None:
            try:
                job.run()
            # Whatever it is, `run` raises it in the caller's thread.
            except BaseException as error:  # pylint: disable=broad-except
                self._errors.append(error)
                self._cancelled.set()
            job = self._after(job)

    def _after(self, job: Job) -> Job | None:
        with self._changed:
            self._running[job.bulk] -= 1
            following = self._next()
            if following is None:
                self._threads.discard(threading.current_thread())
                self._changed.notify_all()
            return following

    def _stop(self) -> None:
        if self._left():
            self._cancelled.set()
            self._http.abort()
        end = time.monotonic() + STOP_TIME
        for thread in list(self._threads):
            # One whose start was interrupted may never begin, and cannot be waited for.
            if thread.is_alive():
                thread.join(max(0.0, end - time.monotonic()))

    def _first_error(self) -> BaseException:
        real = [error for error in self._errors if not isinstance(error, CancelledError)]
        return (real or self._errors)[0]
