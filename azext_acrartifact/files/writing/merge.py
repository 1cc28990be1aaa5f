"""Move what was unpacked to where it belongs: into folders that exist, over files that exist, each file at once."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

from ...errors import LocalFileError
from ..directory.handle import Folder, is_link
from ..os_errors import naming
from .staging import Node
from .temp_file import came_meanwhile, kind_of, put

_OCCUPIED = {errno.EEXIST, errno.ENOTEMPTY, errno.EACCES}


def require_free_way(node: Node, target: Folder) -> None:
    """See, before anything moves, that nothing in *target* is in the way of *node*'s children.

    Raises LocalFileError.
    """
    for child in node.children.values():
        status = _look(target, child.name)
        if status is None:
            continue
        _require_same_kind(child, status, target)
        if child.kind == stat.S_IFDIR:
            with _child(target, child.name) as inner:
                require_free_way(child, inner)


def move(node: Node, source: Folder, target: Folder, overwrite: bool = True) -> None:
    """Move *node*'s children from *source* to *target*; a folder that is missing there moves whole. Without
    *overwrite* nothing may be there.

    Raises LocalFileError; what has moved by then stays, each file either old or new.
    """
    for child in node.children.values():
        status = _look(target, child.name)
        if status is not None:
            _require_same_kind(child, status, target)
        if child.kind != stat.S_IFDIR:
            with naming("Cannot write the file", os.path.join(target.path, child.name)):
                put(source, child.name, target, child.name, overwrite)
        elif status is not None and not overwrite:
            raise came_meanwhile(target, child.name)
        elif status is not None or not _moved_whole(child, source, target):
            with _child(source, child.name) as inner, _child(target, child.name) as into:
                move(child, inner, into, overwrite)


def _moved_whole(child: Node, source: Folder, target: Folder) -> bool:
    """Whether the folder could be moved; not when another pull has just made one of that name."""
    with naming("Cannot make the folder", os.path.join(target.path, child.name)):
        try:
            source.rename(child.name, target, child.name)
        except OSError as error:
            if error.errno in _OCCUPIED and target.look(child.name) is not None:
                return False
            raise
        with contextlib.closing(target.child(child.name)) as moved:
            _restrict(child, moved)
    return True


def _restrict(node: Node, folder: Folder) -> None:
    """Take from new folders the rights of their owner that the archive does not give: they were needed until now."""
    for child in node.children.values():
        if child.kind == stat.S_IFDIR:
            with contextlib.closing(folder.child(child.name)) as inner:
                _restrict(child, inner)
    if node.mode & 0o700 != 0o700:
        folder.set_mode(folder.mode() & node.mode)


def _look(folder: Folder, name: str) -> os.stat_result | None:
    with naming("Cannot write the file", os.path.join(folder.path, name)):
        return folder.look(name)


@contextlib.contextmanager
def _child(folder: Folder, name: str) -> Iterator[Folder]:
    with naming("Cannot open the folder", os.path.join(folder.path, name)):
        inner = folder.child(name)
    with contextlib.closing(inner):
        yield inner


def _require_same_kind(child: Node, status: os.stat_result, target: Folder) -> None:
    kind = stat.S_IFLNK if is_link(status) else stat.S_IFMT(status.st_mode)
    if kind != child.kind:
        raise LocalFileError(
            "Something else is in the way of the folder's content",
            where=os.path.join(target.path, child.name),
            why=f"it is {kind_of(status)}",
            hint="Remove or rename it, or choose another folder with --destination.",
        )
