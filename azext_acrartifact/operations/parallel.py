"""Work of many small requests; in each function, *in_flight* None means as many at once as the line is worth."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from ..errors import ArtifactError, CancelledError
from ..transfer.concurrency import Pace
from ..transfer.scheduler import Job, Scheduler
from ..transport.client import HttpClient

Task = Callable[[], None]


def run_all(http: HttpClient, tasks: Sequence[Task], in_flight: int | None = None) -> None:
    """Run *tasks*, and raise the first error at once: the requests of the others are broken off, and *http* sends no
    more."""
    if tasks:
        Scheduler(http, Pace(http, in_flight)).run([Job(task, 0, False) for task in tasks])


def attempt_all(http: HttpClient, tasks: Sequence[Task], in_flight: int | None) -> list[ArtifactError | None]:
    """Run *tasks*, at most *in_flight* at once; what each of them raised, in their order. An interrupt and
    `CancelledError` pass through."""
    errors: list[ArtifactError | None] = [None] * len(tasks)

    def run(number: int, task: Task) -> None:
        try:
            task()
        except CancelledError:
            raise
        except ArtifactError as error:
            errors[number] = error

    jobs = [Job(functools.partial(run, number, task), 0, False) for number, task in enumerate(tasks)]
    Scheduler(http, Pace(http, in_flight)).run(jobs)
    return errors


def require_all(http: HttpClient, tasks: Sequence[Task], in_flight: int | None) -> None:
    """The same, and raise the first error when all that were begun have ended: *http* can be used on."""
    failed: list[ArtifactError] = []

    def unless_failed(task: Task) -> None:
        if not failed:
            try:
                task()
            except ArtifactError as error:
                failed.append(error)
                raise

    for error in attempt_all(http, [functools.partial(unless_failed, task) for task in tasks], in_flight):
        if error is not None:
            raise error
