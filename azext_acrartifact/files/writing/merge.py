"""Move a staged folder to its destination: into existing folders, over existing files, each file atomically."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

from ...errors import LocalFileError
from ..directory.handle import Folder, is_link
from ..hashing import BLOCK
from ..os_errors import UNSUPPORTED, naming
from .staging import Node
from .temp_file import created_meanwhile, kind_of, narrow, put

_OCCUPIED = {errno.EEXIST, errno.ENOTEMPTY, errno.EACCES}
_IMMOVABLE = UNSUPPORTED - {errno.EACCES} | {errno.EXDEV}
"""How a file system says that it can rename files, but no folders, as some FUSE mounts of object stores do."""


def require_free_way(node: Node, target: Folder) -> None:
    """Raise LocalFileError if anything in *target* is in the way of *node*'s children. Call it before `move`."""
    for child in node.children.values():
        status = _look(target, child.name)
        if status is None:
            continue
        _require_same_kind(child, status, target)
        if child.kind == stat.S_IFDIR:
            with _child(target, child.name) as inner:
                require_free_way(child, inner)


def drop_same(node: Node, source: Folder, target: Folder) -> None:
    """Forget those of *node*'s files that *target* has already. Raises LocalFileError for one that differs there."""
    for key, child in list(node.children.items()):
        status = _look(target, child.name)
        if status is None:
            continue
        if child.kind == stat.S_IFDIR:
            with _child(source, child.name) as inner, _child(target, child.name) as into:
                drop_same(child, inner, into)
            continue
        with naming("Cannot read the file", target.path, child.name):
            if child.kind != stat.S_IFREG or not _is_same(source, target, child.name):
                raise LocalFileError(
                    "An existing file differs",
                    where=os.path.join(target.path, child.name),
                    why="it is not the file of the artifact",
                    hint="Choose another folder with --destination, or leave out --no-overwrite.",
                )
        del node.children[key]


def _is_same(one: Folder, other: Folder, name: str) -> bool:
    """Return whether the files *name* of two folders have the same content. Raises OSError."""
    with os.fdopen(one.open(name), "rb") as first, os.fdopen(other.open(name), "rb") as second:
        while True:
            block = first.read(BLOCK)
            if block != second.read(BLOCK):
                return False
            if not block:
                return True


def move(node: Node, source: Folder, target: Folder, overwrite: bool = True, merge: bool = False) -> None:
    """Move *node*'s children from *source* to *target*. A folder that is missing there moves as a whole. Without
    *overwrite*, none of the files may exist, and without *merge* none of the folders.

    Raises LocalFileError. What has moved by then stays, so each file is either old or new.
    """
    for child in node.children.values():
        status = _look(target, child.name)
        if status is not None:
            _require_same_kind(child, status, target)
        if child.kind != stat.S_IFDIR:
            with naming("Cannot write the file", target.path, child.name):
                put(source, child.name, target, child.name, overwrite)
            target.adopt(child.name)
        elif status is not None and not (overwrite or merge):
            raise created_meanwhile(target, child.name)
        elif status is not None or not _move_folder(child, source, target):
            with _child(source, child.name) as inner, _child(target, child.name) as into:
                move(child, inner, into, overwrite, merge)


def _move_folder(child: Node, source: Folder, target: Folder) -> bool:
    """Move a folder as a whole. Return False when its content has to be moved: another pull has just made a folder of
    that name, or one was made here because folders cannot be renamed."""
    with naming("Cannot make the folder", target.path, child.name):
        try:
            source.rename(child.name, target, child.name)
        except OSError as error:
            if error.errno in _OCCUPIED and target.look(child.name) is not None:
                return False
            if error.errno not in _IMMOVABLE:
                raise
            target.make(child.name, child.mode | 0o700)
            return False
        target.adopt(child.name)
        with contextlib.closing(target.child(child.name)) as moved:
            _restrict(child, moved)
    return True


def _restrict(node: Node, folder: Folder) -> None:
    """Apply the archive's modes to new folders. Until now their owner needed all rights, to fill them."""
    for child in node.children.values():
        if child.kind == stat.S_IFDIR:
            with contextlib.closing(folder.child(child.name)) as inner:
                _restrict(child, inner)
    if node.mode & 0o700 != 0o700:
        narrow(folder, node.mode)


def _look(folder: Folder, name: str) -> os.stat_result | None:
    with naming("Cannot write the file", folder.path, name):
        return folder.look(name)


@contextlib.contextmanager
def _child(folder: Folder, name: str) -> Iterator[Folder]:
    with naming("Cannot open the folder", folder.path, name):
        inner = folder.child(name)
    with contextlib.closing(inner):
        yield inner


def _require_same_kind(child: Node, status: os.stat_result, target: Folder) -> None:
    kind = stat.S_IFLNK if is_link(status) else stat.S_IFMT(status.st_mode)
    if kind != child.kind:
        raise LocalFileError(
            "Something is in the way of the folder's content",
            where=os.path.join(target.path, child.name),
            why=f"it is {kind_of(status)}",
            hint="Remove or rename it, or choose another folder with --destination.",
        )
