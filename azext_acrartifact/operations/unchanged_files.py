"""Find the files of an artifact that exist on disk already, byte for byte."""

from __future__ import annotations

import functools
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import ArtifactError
from ..files import modes
from ..files.archive.budget import stated_limit
from ..files.local_file import start_of
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
    from ..files.archive.walk import Entry


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
        variants = _variants(destination, item.name, folder)
        same = next((one for one in variants if one.tar_digest() == expected), None)
    except ArtifactError:
        return False
    if same is None:
        return False
    if item.members:
        paths = ((entry, f"{item.name}/{entry.path}") for entry in same.entries if entry.path)
        selected = [(entry, path) for entry, path in paths if item.members.takes(path, entry.kind == stat.S_IFDIR)]
        present.members[item.name] = [path for entry, path in selected if entry.kind != stat.S_IFDIR]
    return True


def _variants(destination: Destination, name: RelativeName, folder: PackedFolder) -> Iterator[PackedFolder]:
    """Yield *folder* as it is, and as its archive may have it where the disk cannot.

    macOS may have changed names, and added a file. The umask may have shut out others: before, all might do what the
    owner may, as most files have mode 644 or 755. On a disk without modes, the content says which of them a file had.
    """
    yield folder
    if (portable := folder.portable()) is not folder:
        yield portable
    allowed = destination.modes_below(name)
    if allowed is None and modes.HAS_MODES:  # otherwise the scan itself does so
        yield portable.with_modes(_guessed_mode)
    elif allowed is not None and allowed & 0o055 != 0o055:
        yield portable.with_modes(functools.partial(_widened_mode, allowed))


def _guessed_mode(entry: Entry) -> int:
    return modes.mode_by_content(entry.kind | entry.mode, lambda: start_of(entry.source))


def _widened_mode(allowed: int, entry: Entry) -> int:
    mode = entry.mode
    return mode | (mode >> 3 & 0o050 | mode >> 6 & 0o005) & ~allowed
