"""Run many small requests at once, as many as the given `Concurrency` allows."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ..errors import ArtifactError, CancelledError, restated
from ..transfer.concurrency import Concurrency
from ..transfer.scheduler import Job, Scheduler

Task = Callable[[], None]
_Item = TypeVar("_Item")


@contextlib.contextmanager
def naming_what_was_done(done: Sequence[str]) -> Iterator[None]:
    """Make an error of the block say what was *done* before it, since that stays so."""
    try:
        yield
    except ArtifactError as error:
        if not done:
            raise
        raise restated(error, done=", ".join(done)) from error


def run_all(concurrency: Concurrency, task: Callable[[_Item], None], items: Sequence[_Item]) -> None:
    """Run *task* for each of *items* and raise the first error at once. That breaks all other requests, and the client
    sends no more."""
    if items:
        Scheduler(concurrency).run([Job(functools.partial(task, item), 0, False) for item in items])


def attempt_all(concurrency: Concurrency, tasks: Sequence[Task]) -> list[ArtifactError | None]:
    """Run *tasks* and return the error of each, in their order. An interrupt and `CancelledError` pass through."""
    errors: list[ArtifactError | None] = [None] * len(tasks)

    def run(number: int, task: Task) -> None:
        try:
            task()
        except CancelledError:
            raise
        except ArtifactError as error:
            errors[number] = error

    jobs = [Job(functools.partial(run, number, task), 0, False) for number, task in enumerate(tasks)]
    Scheduler(concurrency).run(jobs)
    return errors


def require_all(concurrency: Concurrency, tasks: Sequence[Task]) -> None:
    """Run *tasks* and raise the first error when all tasks that were begun have ended. The client stays usable."""
    failed: list[ArtifactError] = []

    def unless_failed(task: Task) -> None:
        if not failed:
            try:
                task()
            except ArtifactError as error:
                failed.append(error)
                raise

    for error in attempt_all(concurrency, [functools.partial(unless_failed, task) for task in tasks]):
        if error is not None:
            raise error
