"""Find the files of an artifact that exist on disk already, byte for byte."""

from __future__ import annotations

import functools

from ..errors import ArtifactError
from ..files.archive.budget import size_limit
from ..files.names import RelativeName
from ..files.writing.destination import Destination
from ..oci.digest import algorithm_of
from ..oci.mediatypes import CONTENT_DIGEST
from ..transfer.concurrency import Concurrency
from ..transfer.progress import Progress
from ..transfer.scheduler import Job, Scheduler
from .pull_plan import Plan, Planned


def present_files(
    concurrency: Concurrency, destination: Destination, plan: Plan, progress: Progress
) -> set[RelativeName]:
    """Return the names of the planned files and folders that need no download. Reads the ones on disk."""
    present: set[RelativeName] = set()

    def compare(item: Planned) -> None:
        if _same_folder(destination, item) if item.folder else _same_file(destination, item):
            present.add(item.name)
            progress.finished(item.blob, "Unchanged")

    candidates = [item for item in plan.files if item.folder or destination.size_of(item.name) == item.blob.size]
    jobs = [Job(functools.partial(compare, item), item.blob.size, True) for item in candidates]
    Scheduler(concurrency).run(jobs)
    return present


def _same_file(destination: Destination, item: Planned) -> bool:
    return destination.digest_of(item.name, algorithm_of(item.blob.digest)) == item.blob.digest


def _same_folder(destination: Destination, item: Planned) -> bool:
    """Return whether packing the folder on disk gives the very archive of the layer.

    It does for layers that this tool pushed, with the members' times at zero; other folders are downloaded. A folder
    that contains far more than the layer could is not read.
    """
    from ..files.archive.pack import PackedFolder

    expected = item.blob.annotations.get(CONTENT_DIGEST)
    if expected is None or not item.name.parts:
        return False
    try:
        folder = PackedFolder.scan(destination.shown(item.name), str(item.name), mtime=0)
        return folder.content_size <= size_limit(item.blob.size) and folder.tar_digest() == expected
    except ArtifactError:
        return False
