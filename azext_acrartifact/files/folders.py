"""An open folder whose entries are reached one component at a time, never through a link.

A check of a path's text says nothing about the links that lie on it (GHSA-8xwf-rjm4-xvhv, GHSA-2hhj-vj64-hx3j),
so POSIX systems work on descriptors with O_NOFOLLOW (`folder_posix`). Windows has neither; there every step is looked
at first, and a reparse point (a link, a junction, a mount) is refused (`folder_windows`).
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import Protocol


class Folder(Protocol):
    """What both kinds offer. *name* is always one component; errors are the system's OSError."""

    path: str
    """For messages only."""

    def close(self) -> None: ...
    def again(self) -> Folder: ...
    def child(self, name: str) -> Folder: ...
    def make(self, name: str, mode: int = 0o777) -> bool: ...
    def look(self, name: str) -> os.stat_result | None: ...
    def names(self) -> list[str]: ...
    def create(self, name: str, mode: int = 0o666) -> int: ...
    def open(self, name: str) -> int: ...
    def rename(self, name: str, into: Folder, new_name: str) -> None: ...
    def link(self, name: str, target: str) -> None: ...
    def read_link(self, name: str) -> str: ...
    def remove(self, name: str) -> None: ...
    def remove_folder(self, name: str) -> None: ...
    def set_mode(self, mode: int) -> None: ...
    def mode(self) -> int: ...
    def free_bytes(self) -> int: ...
    def hold(self, name: str, descriptor: int) -> bool: ...
    def hold_itself(self) -> bool: ...
    def is_abandoned(self, name: str) -> bool: ...


def is_link(status: os.stat_result) -> bool:
    """Whether *status*, of lstat, is a symbolic link or any other reparse point of Windows."""
    reparse = getattr(status, "st_file_attributes", 0) & getattr(stat, "FILE_ATTRIBUTE_REPARSE_POINT", 0)
    return bool(reparse) or stat.S_ISLNK(status.st_mode)


def remove_tree(folder: Folder, name: str) -> None:
    """Remove the folder *name* and all below it, as far as the system lets us. Links are removed, not followed."""
    with contextlib.suppress(OSError):
        status = folder.look(name)
        if status is None:
            return
        if is_link(status) or not stat.S_ISDIR(status.st_mode):
            folder.remove(name)
            return
        inner = folder.child(name)
        try:
            for entry in inner.names():
                remove_tree(inner, entry)
        finally:
            inner.close()
        folder.remove_folder(name)
