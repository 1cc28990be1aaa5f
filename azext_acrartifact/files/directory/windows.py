"""Folders of Windows as paths. Every component is checked for links before it is used."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time

from ...filelock import try_lock
from ..os_errors import where_supported
from .handle import UNKNOWN_SPACE, Folder, is_link, remove_tree

_ABANDONED_SECONDS = 24 * 3600
"""Age at which temporary files are abandoned, as folders cannot be locked on Windows."""
_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)


class PathFolder:
    """A `Folder` that is reached by its path."""

    def __init__(self, path: str) -> None:
        self.path = path

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def again(self) -> PathFolder:
        """Open the same folder again, to be closed on its own."""
        return PathFolder(self.path)

    def _at(self, name: str) -> str:
        return os.path.join(self.path, name)

    def _refuse_link(self, name: str) -> None:
        status = self.look(name)
        if status is not None and is_link(status):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self._at(name))

    def child(self, name: str) -> PathFolder:
        """Open the folder *name* in it. Raises ELOOP or ENOTDIR for a link or a file."""
        self._refuse_link(name)
        if not os.path.isdir(self._at(name)):
            code = errno.ENOTDIR if os.path.exists(self._at(name)) else errno.ENOENT
            raise OSError(code, os.strerror(code), self._at(name))
        return PathFolder(self._at(name))

    def make(self, name: str, mode: int = 0o777) -> bool:
        """Make the folder *name*. Return False when the name exists."""
        try:
            os.mkdir(self._at(name), mode)
        except FileExistsError:
            return False
        return True

    def look(self, name: str) -> os.stat_result | None:
        """Return the status of *name* without following links; None when it is missing."""
        try:
            return os.lstat(self._at(name))
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        """Return the names of all entries, in any order."""
        return os.listdir(self.path)

    def create(self, name: str, mode: int = 0o666) -> int:
        """Create the file *name*. Return a descriptor to read and write. Raises FileExistsError."""
        return os.open(self._at(name), os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, mode)

    def open(self, name: str) -> int:
        """Return a descriptor to read *name*. Raises ELOOP for a link."""
        self._refuse_link(name)
        return os.open(self._at(name), os.O_RDONLY | _FLAGS)

    def reopen(self, name: str) -> int:
        """Return a descriptor to read and write the existing file *name*."""
        self._refuse_link(name)
        return os.open(self._at(name), os.O_RDWR | _FLAGS)

    def rename(self, name: str, into: Folder, new_name: str) -> None:
        """Move *name* to *new_name* of *into* atomically, replacing a file there."""
        os.replace(self._at(name), os.path.join(into.path, new_name))

    def rename_new(self, name: str, into: Folder, new_name: str) -> None:
        """Move the file or link *name* to *new_name* of *into* atomically. Raises FileExistsError."""
        if into.look(new_name) is not None:  # Windows checks this itself, other systems do not
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new_name)
        os.rename(self._at(name), os.path.join(into.path, new_name))

    def link(self, name: str, target: str) -> None:
        """Make the symbolic link *name*."""
        os.symlink(target.replace("/", os.sep), self._at(name))

    def remove(self, name: str) -> None:
        """Remove the file or link *name*."""
        os.unlink(self._at(name))

    def remove_folder(self, name: str) -> None:
        """Remove the empty folder *name*."""
        os.rmdir(self._at(name))

    def set_mode(self, mode: int) -> None:
        """Set the folder's own permission bits, unless its file system has none to set."""
        with where_supported():
            os.chmod(self.path, mode)

    def mode(self) -> int:
        """Return the folder's own permission bits."""
        return stat.S_IMODE(os.lstat(self.path).st_mode)

    def adopt(self, _name: str) -> None:
        """Do nothing: Windows has no groups that a folder gives to new entries."""

    def free_bytes(self) -> int:
        """Return how many bytes this user may still write to its file system; `UNKNOWN_SPACE` if it does not say."""
        with where_supported():
            total, _, free = shutil.disk_usage(self.path)
            if total:
                return free
        return UNKNOWN_SPACE

    @property
    def locks(self) -> PathLocks:
        """Locks of the folder and of temporary files in it."""
        return PathLocks(self)


class PathLocks:
    """`Locks` of *folder*."""

    def __init__(self, folder: PathFolder) -> None:
        self._folder = folder

    def try_lock(self, name: str, descriptor: int) -> bool | None:
        """Lock the temporary file *name*, open as *descriptor*. Return False when another run has locked or removed it,
        None on a file system without locks."""
        locked = try_lock(descriptor)
        return locked if self._folder.look(name) is not None else False

    def try_lock_folder(self) -> bool:
        """Return True: Windows does not remove open files, so no lock is needed."""
        return True

    def wait_for_lock(self, _longest_wait: float) -> int | None:
        """Return None: a folder cannot be locked on Windows."""
        return None

    def remove_abandoned(self, name: str) -> None:
        """Remove the temporary *name* and everything below it if it is too old for a running process."""
        status = self._folder.look(name)
        if status is not None and time.time() - status.st_mtime > _ABANDONED_SECONDS:
            remove_tree(self._folder, name)
