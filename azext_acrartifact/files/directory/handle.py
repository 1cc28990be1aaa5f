"""An open folder, whose entries are reached one component at a time and never through a link.

Checking a path as text does not find the links on it (GHSA-8xwf-rjm4-xvhv, GHSA-2hhj-vj64-hx3j). So `posix` works with
descriptors and O_NOFOLLOW. Windows has neither: `windows` checks every component first, and refuses reparse points
(links, junctions, mounts).
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from typing import Protocol

UNKNOWN_SPACE = sys.maxsize
"""The free bytes of a file system that does not say how many it has, as many FUSE mounts do: 0 of 0."""


class Folder(Protocol):
    """A folder of either kind. *name* is always one component. Methods raise OSError."""

    path: str
    """Path for messages only."""

    def close(self) -> None:
        """Close it, once. Children stay open."""
        ...

    def again(self) -> Folder:
        """Open the same folder again, to be closed on its own."""
        ...

    def child(self, name: str) -> Folder:
        """Open the folder *name* in it. Raises ELOOP or ENOTDIR for a link or a file."""
        ...

    def make(self, name: str, mode: int = 0o777) -> bool:
        """Make the folder *name*. Return False when the name exists."""
        ...

    def look(self, name: str) -> os.stat_result | None:
        """Return the status of *name* without following links; None when it is missing."""
        ...

    def names(self) -> list[str]:
        """Return the names of all entries, in any order."""
        ...

    def create(self, name: str, mode: int = 0o666) -> int:
        """Create the file *name*. Return a descriptor to read and write. Raises FileExistsError."""
        ...

    def open(self, name: str) -> int:
        """Return a descriptor to read *name*. Does not block on a FIFO."""
        ...

    def reopen(self, name: str) -> int:
        """Return a descriptor to read and write the existing file *name*."""
        ...

    def rename(self, name: str, into: Folder, new_name: str) -> None:
        """Move *name* to *new_name* of *into* atomically, replacing a file there."""
        ...

    def rename_new(self, name: str, into: Folder, new_name: str) -> None:
        """Move the file or link *name* to *new_name* of *into* atomically. Raises FileExistsError."""
        ...

    def link(self, name: str, target: str) -> None:
        """Make the symbolic link *name*."""
        ...

    def remove(self, name: str) -> None:
        """Remove the file or link *name*."""
        ...

    def remove_folder(self, name: str) -> None:
        """Remove the empty folder *name*."""
        ...

    def set_mode(self, mode: int) -> None:
        """Set the folder's own permission bits, unless its file system has none to set."""
        ...

    def mode(self) -> int:
        """Return the folder's own permission bits."""
        ...

    def adopt(self, name: str) -> None:
        """Give the entry *name*, which was moved here, the group that the system gives new entries of this folder."""
        ...

    def free_bytes(self) -> int:
        """Return how many bytes this user may still write to its file system; `UNKNOWN_SPACE` if it does not say."""
        ...

    @property
    def locks(self) -> Locks:
        """Locks of the folder and of temporary files in it."""
        ...


class Locks(Protocol):
    """Locks that protect the temporary files of a run from the sweep of another run."""

    def try_lock(self, name: str, descriptor: int) -> bool | None:
        """Lock the temporary file *name*, open as *descriptor*. Return False when another run has locked or removed it,
        None on a file system without locks."""
        ...

    def try_lock_folder(self) -> bool:
        """Lock this temporary folder. Return False when the sweep of another run has locked it, to remove it."""
        ...

    def wait_for_lock(self, longest_wait: float) -> int | None:
        """Wait for the folder's exclusive lock. Return a descriptor that locks it until closed; None without locks.
        OSError after *longest_wait* seconds: whoever may read a folder can lock it."""
        ...

    def remove_abandoned(self, name: str) -> None:
        """Remove the temporary *name* and everything below it, unless a running process has locked it."""
        ...


def is_link(status: os.stat_result) -> bool:
    """Return whether *status*, from lstat, is a symbolic link or another reparse point of Windows."""
    reparse = getattr(status, "st_file_attributes", 0) & getattr(stat, "FILE_ATTRIBUTE_REPARSE_POINT", 0)
    return bool(reparse) or stat.S_ISLNK(status.st_mode)


def remove_tree(folder: Folder, name: str) -> None:
    """Remove *name* and everything below it, as far as the system allows. Links are removed, not followed."""
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
