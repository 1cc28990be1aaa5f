"""pull --check: compare the files on disk with the artifact. Nothing is downloaded or written."""

from __future__ import annotations

from ..errors import LocalFileError
from ..files.writing.destination import Destination
from ..oci.registry import Registry
from ..transfer.concurrency import Concurrency
from ..transfer.progress import Progress
from .pull import UNCHANGED, PulledFile, PullOrder, PullResult, find, plan_layers
from .unchanged_files import present_files

MOST_NAMED = 10


def check(registry: Registry, order: PullOrder, progress: Progress) -> PullResult:
    """Return the result of a pull that had nothing to do. Raises `LocalFileError`, with their names, when files differ
    or are missing. A folder that another tool packed counts as different: comparing it would need its download."""
    reference, manifest = find(registry, order)
    plan = plan_layers(registry, order, reference, manifest)
    with Destination.open(order.destination, create=False) as destination:
        concurrency = Concurrency(registry.http, order.concurrency)
        present = present_files(concurrency, destination, plan, progress)
        wrong = [item.name for item in plan.files if item.name not in present]
        if wrong:
            named = ", ".join(map(str, wrong[:MOST_NAMED])) + (", …" if len(wrong) > MOST_NAMED else "")
            raise LocalFileError(
                "Files differ from the artifact",
                where=destination.path,
                why=f"{len(wrong)} of {len(plan.files)}: {named}",
                hint="Pull without --check to download them.",
            )
        files = [PulledFile(destination.shown(item.name), item.blob, UNCHANGED) for item in plan.files]
    return PullResult(reference, manifest, files, plan.skipped, 0, sum(file.blob.size for file in files))
