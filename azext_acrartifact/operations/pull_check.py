"""pull --check: compare the files on disk with the artifact. Nothing is written."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace

from ..errors import LocalFileError
from ..files.archive.budget import UnpackBudget
from ..files.names import RelativeName
from ..files.writing.comparing import Comparing
from ..files.writing.destination import Destination
from ..oci.registry import Registry
from ..text import first_of
from ..transfer.concurrency import Concurrency
from ..transfer.progress import Progress
from ..transfer.scheduler import Job, Scheduler
from .download_job import Downloader
from .pull import PullOrder, PullResult, prepare
from .pull_plan import Plan, Planned
from .unchanged_files import present_files

MOST_NAMED = 10


@dataclass
class _Findings:
    """What differs from the artifact, each name with the reason, and what it does not contain."""

    differing: list[tuple[str, str]] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)


def check(registry: Registry, order: PullOrder, progress: Progress) -> PullResult:
    """Return the result of a pull that had nothing to do. Raises `LocalFileError`, with their names, when files differ
    or are missing.

    A folder that is not the very archive of its layer is downloaded, and compared file by file. Modes are compared as
    far as the umask and the file system allow them.
    """
    prepared = prepare(registry, order, progress)
    plan = prepared.plan
    with Destination.open(order.destination, create=False) as destination:
        concurrency = Concurrency(registry.http, order.concurrency)
        present = present_files(concurrency, destination, plan, progress)
        budget = UnpackBudget(destination, None, cancelled=registry.http.waiter.cancelled, writes=False)
        downloader = Downloader(prepared.storage, destination, progress, concurrency, order.max_unpacked_size, budget)
        found = _compare(plan, present.names, downloader)
        prepared.require_selected(present, downloader)
        for name, why in found.differing:
            progress.note(f"{name}: {why}")
        _require_same(destination, order, found)
        present.names.update(item.name for item in plan.files)
        files = prepared.files(present, downloader)
    return replace(prepared.result(files), extra=found.extra)


def _compare(plan: Plan, present: set[RelativeName], downloader: Downloader) -> _Findings:
    found = _Findings()
    destination = downloader.destination
    jobs = []
    for item in plan.files:
        if item.folder and item.name not in present:
            jobs.append(Job(functools.partial(_compare_folder, item, downloader, found), item.blob.size, True))
        elif item.name not in present:
            why = "other content" if destination.holds(item.name) else "missing"
            found.differing.append((str(item.name), why))
        elif item.bits and destination.misses_bits(item.name, item.bits):
            found.differing.append((str(item.name), "it is not executable"))
    Scheduler(downloader.concurrency).run(jobs)
    found.differing.sort()
    return found


def _compare_folder(item: Planned, downloader: Downloader, found: _Findings) -> None:
    destination = downloader.destination
    if not destination.holds(item.name):
        found.differing.append((str(item.name), "missing"))
        return
    modes = functools.cache(functools.partial(destination.modes_below, item.name))
    comparing = Comparing(destination, item.name.parent, modes)
    downloader.compare(item, comparing)
    found.differing += comparing.differing
    found.extra += comparing.extra(item.name) if item.name.parts else []


def _require_same(destination: Destination, order: PullOrder, found: _Findings) -> None:
    differing = [f"{name} ({why})" for name, why in found.differing]
    extra = [f"{name} (not in the artifact)" for name in found.extra] if order.check_extra else []
    if wrong := [*differing, *extra]:
        raise LocalFileError(
            "Files differ from the artifact",
            where=destination.path,
            why=f"{len(wrong)} of them: {first_of(wrong, MOST_NAMED)}",
            hint="Pull without --check to download them." if differing else "Remove them, or leave out --check-extra.",
        )
