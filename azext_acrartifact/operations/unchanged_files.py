"""Find the files of an artifact that exist on disk already, byte for byte."""

from __future__ import annotations

import functools
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import ArtifactError
from ..files.archive.budget import stated_limit
from ..files.names import RelativeName
from ..files.writing.destination import Destination
from ..oci.digest import algorithm_of
from ..oci.mediatypes import CONTENT_DIGEST
from ..transfer.concurrency import Concurrency
from ..transfer.progress import Progress
from ..transfer.scheduler import Job, Scheduler
from .pull_plan import Plan, Planned

if TYPE_CHECKING:
    from ..files.archive.pack import PackedFolder


@dataclass
class Present:
    """The *names* of planned files and folders that exist on the disk, and of each folder of which only some members
    are selected, the names of those."""

    names: set[RelativeName] = field(default_factory=set)
    members: dict[RelativeName, Sequence[str]] = field(default_factory=dict)


def present_files(concurrency: Concurrency, destination: Destination, plan: Plan, progress: Progress) -> Present:
    """Return which planned files and folders need no download. Reads the ones on disk."""
    present = Present()

    def compare(item: Planned) -> None:
        if _same_folder(destination, item, present) if item.folder else _same_file(destination, item):
            present.names.add(item.name)
            progress.finished(item.blob, "Unchanged")

    candidates = [item for item in plan.files if item.folder or destination.size_of(item.name) == item.blob.size]
    jobs = [Job(functools.partial(compare, item), item.blob.size, True) for item in candidates]
    Scheduler(concurrency).run(jobs)
    return present


def _same_file(destination: Destination, item: Planned) -> bool:
    return destination.digest_of(item.name, algorithm_of(item.blob.digest)) == item.blob.digest


def _same_folder(destination: Destination, item: Planned, present: Present) -> bool:
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
        if folder.content_size > stated_limit([(item.blob.size, item.stated_size)]):
            return False
        if folder.tar_digest() != expected and not _same_before_umask(destination, item.name, folder, expected):
            return False
    except ArtifactError:
        return False
    if item.members:
        paths = ((entry, f"{item.name}/{entry.path}") for entry in folder.entries if entry.path)
        selected = [(entry, path) for entry, path in paths if item.members.takes(path, entry.kind == stat.S_IFDIR)]
        present.members[item.name] = [path for entry, path in selected if entry.kind != stat.S_IFDIR]
    return True


def _same_before_umask(destination: Destination, name: RelativeName, folder: PackedFolder, expected: str) -> bool:
    """Return whether *folder* is the archive's, if all whom the umask has shut out might do before what its owner may:
    most files have mode 644 or 755."""
    modes = destination.modes_below(name)
    if modes is None or modes & 0o055 == 0o055:
        return False
    widened = folder.with_modes(lambda mode: mode | (mode >> 3 & 0o050 | mode >> 6 & 0o005) & ~modes)
    return widened.tar_digest() == expected
