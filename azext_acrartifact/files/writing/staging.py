"""Unpack an archive into a temporary folder, from which `merge` moves everything once it is verified."""

from __future__ import annotations

import contextlib
import functools
import os
import stat
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ...errors import UnsafeContentError
from ..directory.handle import Folder, remove_tree
from ..names import RelativeName, collision_key, twin_key
from ..os_errors import naming, on_failure
from .temp_file import keeps_apart, narrow, temporary_name

_IMPLIED_MODE = 0o755
_NO_LINKS = (
    "Turn on Developer Mode in the settings of Windows, or leave the link out with --exclude."
    if os.name == "nt"
    else "Choose a folder whose file system has symbolic links, with --destination, or leave it out with --exclude."
)
OPEN_FOLDERS = 4
"""Folders of one archive that stay open. Members are in their folders' order, so that the next one is in one of these
or just below."""
FREE_STEPS, _STEPS_A_MEMBER = 1 << 16, 8
"""Folders that may be opened for one archive in total, and for each member. Only members that jump between deep folders
need more."""


@dataclass
class Node:
    """A file, folder or link of an archive."""

    name: str
    kind: int
    """stat.S_IFREG, S_IFDIR or S_IFLNK."""
    mode: int = _IMPLIED_MODE
    link: str = ""
    children: dict[str, Node] = field(default_factory=dict)
    """Entries of a folder, by `collision_key`; the second of two that the disk keeps apart by `twin_key`."""
    made: bool = field(default=False, compare=False)
    """Whether the folder exists on disk."""


class Staging:
    """A temporary folder, beside or in the folder that is unpacked. Links in it are never followed."""

    def __init__(self, beside: Folder, max_entries: int, *, free_steps: int = FREE_STEPS) -> None:
        """Make it in the folder *beside*, which it closes at the end, also on failure. Raises LocalFileError."""
        self._beside = beside
        self._free_steps = free_steps
        self._room = self._max_entries = max_entries
        self.root = Node("", stat.S_IFDIR)
        with on_failure(beside.close), naming("Cannot write to the folder", beside.path):
            self._name, self.folder = _make_locked(beside)
        self._opened: OrderedDict[int, Folder] = OrderedDict()
        self._steps = 0
        self._last: tuple[tuple[str, ...], Folder, Node] = ((), self.folder, self.root)
        self._links: list[tuple[RelativeName, str]] = []

    @property
    def entries(self) -> int:
        """Files, folders and links so far."""
        return self._max_entries - self._room

    def add_folder(self, name: RelativeName, mode: int) -> None:
        """Make the folder *name*, unless it exists. Raises UnsafeContentError, LocalFileError."""
        parent, node = self._enter(name)
        found = self._claim(node, name, len(name.parts), stat.S_IFDIR, mode)
        if found.made and found.mode == mode:
            return
        found.mode = mode
        with naming("Cannot make the folder", self._shown(name)):
            if not parent.make(name.last, mode | 0o700):
                _narrow(parent, name.last, mode | 0o700)
        found.made = True

    def add_file(self, name: RelativeName, mode: int, content: Iterable[memoryview]) -> None:
        """Write the new file *name*. Raises UnsafeContentError, LocalFileError."""
        parent, node = self._enter(name)
        self._claim(node, name, len(name.parts), stat.S_IFREG, mode)
        shown = self._shown(name)
        with naming("Cannot write the file", shown):
            descriptor = parent.create(name.last, mode)
        try:
            for block in content:
                with naming("Cannot write the file", shown):
                    while block:
                        block = block[os.write(descriptor, block) :]
        finally:
            os.close(descriptor)

    def skip(self, name: RelativeName) -> None:
        """Do nothing for the member *name*, which is not selected."""

    def add_link(self, name: RelativeName, target: str) -> None:
        """Add the symbolic link *name*, which `make_links` will make. Raises UnsafeContentError."""
        self._claim(self._enter(name)[1], name, len(name.parts), stat.S_IFLNK, 0o777).link = target
        self._links.append((name, target))

    def make_links(self) -> None:
        """Make all links. Call it after everything else is written. Raises LocalFileError."""
        for name, target in self._links:
            parent, _ = self._enter(name)
            with naming("Cannot make the symbolic link", self._shown(name), unsupported=_NO_LINKS):
                parent.link(name.last, target)

    def remove(self) -> None:
        """Remove the folder and whatever is left in it."""
        for folder in self._opened.values():
            folder.close()
        self.folder.close()
        remove_tree(self._beside, self._name)
        self._beside.close()

    def _enter(self, name: RelativeName) -> tuple[Folder, Node]:
        """Return the parent folder of *name*, made if it is missing, and its node."""
        above = name.parts[:-1]
        if self._last[0] != above:
            nodes = [self.root]
            for depth in range(1, len(name.parts)):
                nodes.append(self._claim(nodes[-1], name, depth, stat.S_IFDIR, _IMPLIED_MODE))
            self._last = (above, self._reach(nodes), nodes[-1])
        return self._last[1:]

    def _claim(self, parent: Node, name: RelativeName, depth: int, kind: int, mode: int) -> Node:
        """Return the node of the first *depth* components of *name* in *parent*: a new one, or an existing folder's."""
        part = name.parts[depth - 1]
        key = collision_key(part)
        found = parent.children.get(key)
        if found is not None and found.name != part and self._keeps_apart:
            key = twin_key(part)
            found = parent.children.get(key)
        if found is None:
            found = parent.children[key] = Node(part, kind, mode)
            self._count()
        elif found.name != part or found.kind != kind or kind != stat.S_IFDIR:
            raise UnsafeContentError(
                "Two members of the folder have the same name",
                where="/".join(name.parts[:depth]),
                why=f"the other is {found.name}" if found.name != part else "",
            )
        return found

    @functools.cached_property
    def _keeps_apart(self) -> bool:
        with naming("Cannot write to the folder", self._beside.path):
            return keeps_apart(self.folder)

    def _count(self) -> None:
        """Count an entry. Folders without a header count too: one name can imply hundreds."""
        self._room -= 1
        if self._room < 0:
            raise UnsafeContentError("The folder holds too many files", why=f"more than {self._max_entries:,}")

    def _reach(self, nodes: Sequence[Node]) -> Folder:
        """Return the folder of the last of *nodes*, which lead to it from the root; open it and make what is missing.

        Begins at the nearest open folder, so that a member costs the same however deep it is.
        """
        depth = next((n for n in range(len(nodes) - 1, 0, -1) if id(nodes[n]) in self._opened), 0)
        folder = self._opened[id(nodes[depth])] if depth else self.folder
        if depth:
            self._opened.move_to_end(id(nodes[depth]))
        is_open = True
        for number in range(depth + 1, len(nodes)):
            with contextlib.nullcontext() if is_open else contextlib.closing(folder):
                folder = self._step(folder, nodes[number])
            is_open = number >= len(nodes) - 2
            if is_open:
                self._keep_open(nodes[number], folder)
        return folder

    def _step(self, folder: Folder, node: Node) -> Folder:
        """Open the folder *node* in *folder*, made if it is missing."""
        self._steps += 1
        if self._steps > self._free_steps + _STEPS_A_MEMBER * self.entries:
            raise UnsafeContentError(
                "The folder takes too long to unpack",
                where=self._beside.path,
                why="its members are in no order, and in deep folders",
                hint="Ask its publisher to pack each folder's files one after another.",
            )
        with naming("Cannot make the folder", folder.path, node.name):
            if not node.made:
                folder.make(node.name, _IMPLIED_MODE)
                node.made = True
            return folder.child(node.name)

    def _keep_open(self, node: Node, folder: Folder) -> None:
        self._opened[id(node)] = folder
        if len(self._opened) > OPEN_FOLDERS:
            self._opened.popitem(last=False)[1].close()

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
            # Not by its number of links, which is 0 on some FUSE mounts.
            if folder.locks.try_lock_folder() and beside.look(name) is not None:
                return name, folder
        folder.close()


def _narrow(parent: Folder, name: str, mode: int) -> None:
    """Restrict the folder *name*, which was made before its header was read, to *mode*."""
    with contextlib.closing(parent.child(name)) as folder:
        narrow(folder, mode)
