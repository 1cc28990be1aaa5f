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

    def close(self) -> None:
        """Let go of it, once; children stay open."""
        ...

    def again(self) -> Folder:
        """The same folder, to be closed on its own."""
        ...

    def child(self, name: str) -> Folder:
        """The folder *name* in it; ELOOP or ENOTDIR when that is a link or a file."""
        ...

    def make(self, name: str, mode: int = 0o777) -> bool:
        """Make the folder *name*; False when something of that name is there."""
        ...

    def look(self, name: str) -> os.stat_result | None:
        """What *name* is, links not followed; None when there is none."""
        ...

    def names(self) -> list[str]:
        """All entries, in no order."""
        ...

    def create(self, name: str, mode: int = 0o666) -> int:
        """A descriptor of the new file *name*, to read and write; FileExistsError if anything is there."""
        ...

    def open(self, name: str) -> int:
        """A descriptor to read *name*; a FIFO does not block."""
        ...

    def reopen(self, name: str) -> int:
        """A descriptor to read and write the file *name* that is there."""
        ...

    def rename(self, name: str, into: Folder, new_name: str) -> None:
        """Move *name* over *new_name* of *into*, at once."""
        ...

    def rename_new(self, name: str, into: Folder, new_name: str) -> None:
        """Move *name*, no folder, to *new_name* of *into*, at once; FileExistsError if anything is there."""
        ...

    def link(self, name: str, target: str) -> None:
        """Make the symbolic link *name*."""
        ...

    def read_link(self, name: str) -> str:
        """The target of the symbolic link *name*."""
        ...

    def remove(self, name: str) -> None:
        """Remove the file or link *name*."""
        ...

    def remove_folder(self, name: str) -> None:
        """Remove the empty folder *name*."""
        ...

    def set_mode(self, mode: int) -> None:
        """Set its own permission bits."""
        ...

    def mode(self) -> int:
        """Its own permission bits."""
        ...

    def free_bytes(self) -> int:
        """Bytes that this user may still write to its file system."""
        ...

    @property
    def locks(self) -> Locks:
        """What keeps other runs away from what is unfinished in it."""
        ...


class Locks(Protocol):
    """How a run holds what it has not finished, against the sweep of another run."""

    def hold(self, name: str, descriptor: int) -> bool | None:
        """Lock the unfinished *name*, open as *descriptor*, for this run; False when another run was quicker, None
        where nobody can tell."""
        ...

    def hold_itself(self) -> bool:
        """Lock this unfinished folder for this run; False when a sweep was quicker."""
        ...

    def lock(self) -> int | None:
        """A descriptor that holds the folder's only lock until it is closed; None where there are no locks."""
        ...

    def remove_abandoned(self, name: str) -> None:
        """Remove the unfinished *name* and all below it, unless a living run holds it."""
        ...


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
