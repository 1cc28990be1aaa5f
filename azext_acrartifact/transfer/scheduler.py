"""Run the jobs of a transfer on one pool of threads, which stops as a whole on the first final error."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..errors import CancelledError
from ..threads import try_start
from .concurrency import Concurrency

TICK = 0.02
"""Seconds after which the scheduler checks again whether more threads may run."""
STOP_TIME = 0.8
"""Seconds that threads get to stop. What they have written is safe without them."""


@dataclass(frozen=True)
class Job:
    """Something to run in a thread, with one request in flight; *bulk* when it fills a connection. The largest *size*
    in bytes comes first, so that a small job ends last. *helps* counts the jobs for the same blob before this one:
    threads spread over all blobs first, and help each other when no other blob is left."""

    run: Callable[[], object]
    size: int
    bulk: bool
    helps: int = 0


class Scheduler:
    """Run jobs, as many at once as the command's *concurrency* allows."""

    def __init__(self, concurrency: Concurrency) -> None:
        self._http, self._concurrency = concurrency.http, concurrency
        self._cancelled = self._http.waiter.cancelled
        self._changed = threading.Condition()
        self._waiting: dict[bool, deque[Job]] = {True: deque(), False: deque()}
        self._running = 0
        self._threads: set[threading.Thread] = set()
        self._errors: list[BaseException] = []

    def run(self, jobs: Iterable[Job]) -> None:
        """Run all *jobs*, or stop the others after the first error and raise it.

        An interrupt (Ctrl-C, SIGTERM) breaks the requests in flight and passes through within a second.
        """
        for job in sorted(jobs, key=lambda job: (job.helps, -job.size)):
            self._waiting[job.bulk].append(job)
        try:
            with self._changed:
                while self._left() and not self._errors:
                    self._require_running()
                    self._start_threads()
                    self._changed.wait(TICK)
        finally:
            self._stop()
        if self._errors:
            raise self._first_error()

    def _left(self) -> bool:
        return any(self._waiting.values()) or self._running > 0

    def _require_running(self) -> None:
        if self._cancelled.is_set() and not self._running:
            raise CancelledError("Stopped")

    def _start_threads(self) -> None:
        """Start a thread for each job that may run now."""
        while (job := self._next()) is not None:
            thread = threading.Thread(target=self._work, args=(job,), name="acrartifact-transfer", daemon=True)
            self._threads.add(thread)
            if not try_start(thread):  # the threads that run already do the work
                self._threads.discard(thread)
                self._ended(job)
                self._waiting[job.bulk].appendleft(job)
                if not self._threads:
                    raise RuntimeError("can't start new thread")
                return

    def _next(self) -> Job | None:
        """Return a job that may run now and count it as running. The caller holds the lock."""
        for bulk, waiting in self._waiting.items():
            if waiting and not self._cancelled.is_set() and self._concurrency.acquire(bulk):
                self._running += 1
                return waiting.popleft()
        return None

    def _ended(self, job: Job, worked: float = 0.0) -> None:
        self._running -= 1
        self._concurrency.release(job.bulk, worked)

    def _work(self, job: Job | None) -> None:
        """Run *job* and then others, as long as there is room for this thread."""
        while job is not None:
            worked_before = time.thread_time()
            try:
                job.run()
            # Whatever it is, `run` raises it in the caller's thread.
            except BaseException as error:  # pylint: disable=broad-except
                self._errors.append(error)
                self._cancelled.set()
            job = self._after(job, time.thread_time() - worked_before)

    def _after(self, job: Job, worked: float) -> Job | None:
        with self._changed:
            self._ended(job, worked)
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
            # A thread whose start was interrupted may never begin, and cannot be joined.
            if thread.is_alive():
                thread.join(max(0.0, end - time.monotonic()))

    def _first_error(self) -> BaseException:
        real = [error for error in self._errors if not isinstance(error, CancelledError)]
        return (real or self._errors)[0]
