"""Runs a transfer's pieces side by side, and stops them all on the first final error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from ..errors import CancelledError

CONCURRENCY = 5


def run_all(tasks: Sequence[Callable[[], None]], cancelled: threading.Event, concurrency: int = CONCURRENCY) -> None:
    """Run *tasks*, at most *concurrency* at once, and raise the first error when all have stopped.

    *cancelled* is set on the first error and on an interrupt, so that waiting tasks end at once.
    """
    with ThreadPoolExecutor(max_workers=max(1, min(concurrency, len(tasks) or 1))) as pool:
        futures = [pool.submit(_unless, cancelled, task) for task in tasks]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            if any(not future.done() or future.exception() for future in futures):
                cancelled.set()
            for future in futures:
                future.cancel()
    _raise_first(futures)


def _unless(cancelled: threading.Event, task: Callable[[], None]) -> None:
    if cancelled.is_set():
        raise CancelledError("Stopped")
    task()


def _raise_first(futures: Sequence[Future[None]]) -> None:
    errors = [error for future in futures if not future.cancelled() and (error := future.exception())]
    real = [error for error in errors if not isinstance(error, CancelledError)]
    for error in [*real, *errors]:
        raise error
