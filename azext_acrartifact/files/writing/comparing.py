"""Compare the members of an archive with the files on the disk. Nothing is written."""

from __future__ import annotations

import contextlib
import functools
import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ...errors import LocalFileError
from ..directory.handle import Folder, is_link
from ..hashing import BLOCK
from ..names import RelativeName, collision_key
from ..os_errors import naming
from ..system_path import system_path
from .destination import Destination
from .temp_file import is_temporary, kind_of

MODE = 0o755
"""Permission bits that an archive keeps."""


@dataclass
class Comparing:
    """Takes the members of a folder's archive in the place of a staging folder. *parent* is the folder of the
    destination that the names of the members are relative to; *modes* returns the permission bits that new files there
    may have, or None where nothing can be said of modes."""

    destination: Destination
    parent: RelativeName
    modes: Callable[[], int | None]
    differing: list[tuple[str, str]] = field(default_factory=list)
    """Members that differ, each with the reason."""
    entries: int = 0
    _seen: set[tuple[str, ...]] = field(default_factory=set)

    def add_folder(self, name: RelativeName, mode: int) -> None:
        """Compare the folder *name*. Raises LocalFileError."""
        if (status := self._found(name, stat.S_IFDIR)) is not None:
            self._compare_mode(name, status, mode)

    def add_file(self, name: RelativeName, mode: int, content: Iterable[memoryview]) -> None:
        """Compare the file *name*. Raises LocalFileError."""
        status = self._found(name, stat.S_IFREG)
        if status is None:
            for _ in content:
                pass
        elif not self._has(name, content):
            self.differing.append((self._shown(name), "other content"))
        else:
            self._compare_mode(name, status, mode)

    def add_link(self, name: RelativeName, target: str) -> None:
        """Compare the symbolic link *name*. Raises LocalFileError."""
        if self._found(name, stat.S_IFLNK) is None:
            return
        path = self.destination.shown(self._whole(name))
        with naming("Cannot read the symbolic link", path):
            found = os.readlink(system_path(path)).replace(os.sep, "/")
        if found != target:
            self.differing.append((self._shown(name), f"it leads to {found}"))

    def make_links(self) -> None:
        """Do nothing: links are compared as they come."""

    def skip(self, name: RelativeName) -> None:
        """Note that *name*, which is not compared, is a member."""
        self._note(name)

    def extra(self, title: RelativeName) -> list[str]:
        """Return what the folder *title* holds besides the members: a folder of such files by its own name alone."""
        found: list[str] = []
        with contextlib.suppress(LocalFileError), self.destination.folders.open(title) as folder:
            self._extra_in(folder, title, found)
        return sorted(found)

    def _extra_in(self, folder: Folder, name: RelativeName, found: list[str]) -> None:
        with naming("Cannot read the folder", folder.path):
            entries = set(folder.names())
        for entry in entries:
            status = folder.look(entry)
            below = RelativeName((*name.parts, self._spelled(folder, name, entry, entries)))
            is_folder = status is not None and stat.S_ISDIR(status.st_mode) and not is_link(status)
            if self._relative(below) in self._seen:
                if is_folder:
                    with contextlib.closing(folder.child(entry)) as inner:
                        self._extra_in(inner, below, found)
            elif not is_temporary(entry):
                found.append(f"{below}/" if is_folder else str(below))

    def _spelled(self, folder: Folder, above: RelativeName, entry: str, entries: set[str]) -> str:
        """Return how the artifact spells the *entry* of *folder*, if the disk takes both names for one: then the other
        exists and is none of its *entries*. Not by their inodes, which FUSE invents for each name."""
        parts = self._relative(RelativeName((*above.parts, entry)))
        member = self._by_key.get(tuple(map(collision_key, parts)), parts)[-1]
        return member if member not in entries and folder.look(member) is not None else entry

    @functools.cached_property
    def _by_key(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        return {tuple(map(collision_key, parts)): parts for parts in self._seen}

    def _relative(self, name: RelativeName) -> tuple[str, ...]:
        return name.parts[len(self.parent.parts) :]

    def _note(self, name: RelativeName) -> None:
        for depth in range(len(name.parts), 0, -1):
            if name.parts[:depth] in self._seen:
                return
            self._seen.add(name.parts[:depth])
            self.entries += 1

    def _found(self, name: RelativeName, kind: int) -> os.stat_result | None:
        """Return the status of *name* if it is of this *kind*; otherwise note the difference and return None."""
        self._note(name)
        whole = self._whole(name)
        status = None
        with contextlib.suppress(LocalFileError), self.destination.folders.deepest(whole.parent) as (folder, found):
            status = folder.look(whole.last) if found == whole.parent else None
        if status is None:
            self.differing.append((self._shown(name), "missing"))
        elif (stat.S_IFLNK if is_link(status) else stat.S_IFMT(status.st_mode)) != kind:
            self.differing.append((self._shown(name), f"it is {kind_of(status)}"))
        else:
            return status
        return None

    def _compare_mode(self, name: RelativeName, status: os.stat_result, mode: int) -> None:
        found = status.st_mode & MODE
        if found == mode & MODE:
            return
        modes = self.modes()
        if modes is not None and found != mode & MODE & modes:
            self.differing.append((self._shown(name), f"its mode is {found:03o}, not {mode & MODE & modes:03o}"))

    def _has(self, name: RelativeName, content: Iterable[memoryview]) -> bool:
        """Return whether the file *name* has this *content*, which is read to its end."""
        whole = self._whole(name)
        same = True
        with self.destination.folders.open(whole.parent) as folder, naming("Cannot read the file", self._shown(name)):
            descriptor = folder.open(whole.last)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            for block in content:
                with naming("Cannot read the file", self._shown(name)):
                    same = same and _reads(file.read, block)
            with naming("Cannot read the file", self._shown(name)):
                return same and not file.read(1)

    def _whole(self, name: RelativeName) -> RelativeName:
        return RelativeName((*self.parent.parts, *name.parts))

    def _shown(self, name: RelativeName) -> str:
        return str(self._whole(name))


def _reads(read: Callable[[int], bytes | None], expected: memoryview) -> bool:
    """Return whether *read* returns the *expected* bytes next."""
    while expected:
        found = read(min(len(expected), BLOCK))
        if not found or found != expected[: len(found)]:
            return False
        expected = expected[len(found) :]
    return True
