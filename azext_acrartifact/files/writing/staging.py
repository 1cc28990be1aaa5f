"""Unpack an archive into a temporary folder, from which `merge` moves everything once it is verified."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field

from ...errors import UnsafeContentError
from ..directory.handle import Folder, remove_tree
from ..names import RelativeName, collision_key
from ..os_errors import naming, on_failure
from .temp_file import temporary_name

_IMPLIED_MODE = 0o755


@dataclass
class Node:
    """A file, folder or link of an archive."""

    name: str
    kind: int
    """stat.S_IFREG, S_IFDIR or S_IFLNK."""
    mode: int = _IMPLIED_MODE
    link: str = ""
    children: dict[str, Node] = field(default_factory=dict)
    """Entries of a folder, by `collision_key`."""


class Staging:
    """A temporary folder, beside or in the folder that is unpacked. Links in it are never followed."""

    def __init__(self, beside: Folder, max_entries: int) -> None:
        """Make it in the folder *beside*, which it closes at the end, also on failure. Raises LocalFileError."""
        self._beside = beside
        self._room = self._max_entries = max_entries
        self.root = Node("", stat.S_IFDIR)
        with on_failure(beside.close), naming("Cannot write to the folder", beside.path):
            self._name, self.folder = _make_locked(beside)
            with on_failure(self.folder.close):
                self._parent: tuple[tuple[str, ...], Folder] = ((), self.folder.again())
        self._links: list[tuple[RelativeName, str]] = []

    def add_folder(self, name: RelativeName, mode: int) -> None:
        """Make the folder *name*, unless it exists. Raises UnsafeContentError, LocalFileError."""
        parent, node = self._enter(name)
        self._claim(node, name, stat.S_IFDIR, mode).mode = mode
        with naming("Cannot make the folder", self._shown(name)):
            if not parent.make(name.last, mode | 0o700):
                _narrow(parent, name.last, mode | 0o700)

    def add_file(self, name: RelativeName, mode: int, content: Iterable[memoryview]) -> None:
        """Write the new file *name*. Raises UnsafeContentError, LocalFileError."""
        parent, node = self._enter(name)
        self._claim(node, name, stat.S_IFREG, mode)
        with naming("Cannot write the file", self._shown(name)):
            descriptor = parent.create(name.last, mode)
        try:
            for block in content:
                with naming("Cannot write the file", self._shown(name)):
                    while block:
                        block = block[os.write(descriptor, block) :]
        finally:
            os.close(descriptor)

    def add_link(self, name: RelativeName, target: str) -> None:
        """Add the symbolic link *name*, which `make_links` will make. Raises UnsafeContentError."""
        self._claim(self._enter(name)[1], name, stat.S_IFLNK, 0o777).link = target
        self._links.append((name, target))

    def make_links(self) -> None:
        """Make all links. Call it after everything else is written. Raises LocalFileError."""
        for name, target in self._links:
            parent, _ = self._enter(name)
            with naming("Cannot make the symbolic link", self._shown(name)):
                parent.link(name.last, target)

    def remove(self) -> None:
        """Remove the folder and whatever is left in it."""
        self._parent[1].close()
        self.folder.close()
        remove_tree(self._beside, self._name)
        self._beside.close()

    def _enter(self, name: RelativeName) -> tuple[Folder, Node]:
        """Return the parent folder of *name*, made if it is missing, and its node."""
        node = self.root
        for depth in range(len(name.parts) - 1):
            node = self._claim(node, RelativeName(name.parts[: depth + 1]), stat.S_IFDIR, _IMPLIED_MODE)
        if self._parent[0] != name.parts[:-1]:
            folder = self._open(name.parts[:-1])
            self._parent[1].close()
            self._parent = (name.parts[:-1], folder)
        return self._parent[1], node

    def _claim(self, parent: Node, name: RelativeName, kind: int, mode: int) -> Node:
        """Return the node *name* of *parent*: a new one, or that of an existing folder."""
        found = parent.children.setdefault(collision_key(name.last), Node("", kind))
        if not found.name:
            found.name, found.mode = name.last, mode
            self._count()
        elif found.name != name.last or found.kind != kind or kind != stat.S_IFDIR:
            raise UnsafeContentError(
                "Two members of the folder have the same name",
                where=str(name),
                why=f"the other is {found.name}" if found.name != name.last else "",
            )
        return found

    def _count(self) -> None:
        """Count an entry. Folders without a header count too: one name can imply hundreds."""
        self._room -= 1
        if self._room < 0:
            raise UnsafeContentError("The folder holds too many files", why=f"more than {self._max_entries:,}")

    def _open(self, parts: tuple[str, ...]) -> Folder:
        folder = self.folder.again()
        for part in parts:
            with contextlib.closing(folder), naming("Cannot make the folder", os.path.join(folder.path, part)):
                folder.make(part, _IMPLIED_MODE)
                folder = folder.child(part)
        return folder

    def _shown(self, name: RelativeName) -> str:
        return os.path.join(self._beside.path, *name.parts)


def _make_locked(beside: Folder) -> tuple[str, Folder]:
    while True:
        name = temporary_name()
        beside.make(name, 0o700)
        try:
            folder = beside.child(name)
        except FileNotFoundError:  # another run has swept it already
            continue
        with on_failure(folder.close):
            if folder.locks.try_lock_folder():
                return name, folder
        folder.close()


def _narrow(parent: Folder, name: str, mode: int) -> None:
    """Restrict the folder *name*, which was made before its header was read, to *mode*."""
    with contextlib.closing(parent.child(name)) as folder:
        folder.set_mode(folder.mode() & mode)
