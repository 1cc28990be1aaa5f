"""A folder of Windows, as a path: every step is looked at before it is taken. Its methods are those of `Folder`."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time

from ...filelock import try_lock
from .handle import Folder, is_link, remove_tree

_ABANDONED_SECONDS = 24 * 3600
"""A folder cannot be locked here: the age at which what is unfinished is nobody's."""
_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)


class PathFolder:
    """A folder of Windows: every step is looked at before it is taken."""

    def __init__(self, path: str) -> None:
        self.path = path

    def close(self) -> None:
        """Nothing is open."""

    def again(self) -> PathFolder:
        """The same folder, to be closed on its own."""
        return PathFolder(self.path)

    def _at(self, name: str) -> str:
        return os.path.join(self.path, name)

    def _refuse_link(self, name: str) -> None:
        status = self.look(name)
        if status is not None and is_link(status):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self._at(name))

    def child(self, name: str) -> PathFolder:
        """The folder *name* in it; ELOOP or ENOTDIR when that is a link or a file."""
        self._refuse_link(name)
        if not os.path.isdir(self._at(name)):
            code = errno.ENOTDIR if os.path.exists(self._at(name)) else errno.ENOENT
            raise OSError(code, os.strerror(code), self._at(name))
        return PathFolder(self._at(name))

    def make(self, name: str, mode: int = 0o777) -> bool:
        """Make the folder *name*; False when something of that name is there."""
        try:
            os.mkdir(self._at(name), mode)
        except FileExistsError:
            return False
        return True

    def look(self, name: str) -> os.stat_result | None:
        """What *name* is, links not followed; None when there is none."""
        try:
            return os.lstat(self._at(name))
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        """All entries, in no order."""
        return os.listdir(self.path)

    def create(self, name: str, mode: int = 0o666) -> int:
        """A descriptor of the new file *name*, to read and write; FileExistsError if anything is there."""
        return os.open(self._at(name), os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, mode)

    def open(self, name: str) -> int:
        """A descriptor to read *name*; ELOOP when that is a link."""
        self._refuse_link(name)
        return os.open(self._at(name), os.O_RDONLY | _FLAGS)

    def reopen(self, name: str) -> int:
        """A descriptor to read and write the file *name* that is there."""
        self._refuse_link(name)
        return os.open(self._at(name), os.O_RDWR | _FLAGS)

    def rename(self, name: str, into: Folder, new_name: str) -> None:
        """Move *name* over *new_name* of *into*, at once."""
        os.replace(self._at(name), os.path.join(into.path, new_name))

    def rename_new(self, name: str, into: Folder, new_name: str) -> None:
        """Move *name*, no folder, to *new_name* of *into*, at once; FileExistsError if anything is there."""
        if into.look(new_name) is not None:  # Windows looks itself, other systems do not
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new_name)
        os.rename(self._at(name), os.path.join(into.path, new_name))

    def link(self, name: str, target: str) -> None:
        """Make the symbolic link *name*."""
        os.symlink(target.replace("/", os.sep), self._at(name))

    def read_link(self, name: str) -> str:
        """The target of the symbolic link *name*."""
        return os.readlink(self._at(name)).replace(os.sep, "/")

    def remove(self, name: str) -> None:
        """Remove the file or link *name*."""
        os.unlink(self._at(name))

    def remove_folder(self, name: str) -> None:
        """Remove the empty folder *name*."""
        os.rmdir(self._at(name))

    def set_mode(self, mode: int) -> None:
        """Set its own permission bits."""
        os.chmod(self.path, mode)

    def mode(self) -> int:
        """Its own permission bits."""
        return stat.S_IMODE(os.lstat(self.path).st_mode)

    def free_bytes(self) -> int:
        """Bytes that this user may still write to its file system."""
        return shutil.disk_usage(self.path).free

    @property
    def locks(self) -> PathLocks:
        """What keeps other runs away from what is unfinished in it."""
        return PathLocks(self)


class PathLocks:
    """`Locks` of a *folder*."""

    def __init__(self, folder: PathFolder) -> None:
        self._folder = folder

    def hold(self, name: str, descriptor: int) -> bool | None:
        """Lock the unfinished *name*, open as *descriptor*, for this run; False when another run was quicker, None
        where nobody can tell."""
        held = try_lock(descriptor)
        return held if self._folder.look(name) is not None else False

    def hold_itself(self) -> bool:
        """True: an open file cannot be removed on Windows, so it needs no lock."""
        return True

    def lock(self) -> int | None:
        """None: a folder cannot be locked on Windows."""
        return None

    def remove_abandoned(self, name: str) -> None:
        """Remove the unfinished *name* and all below it when it is so old that no run can be at it."""
        status = self._folder.look(name)
        if status is not None and time.time() - status.st_mtime > _ABANDONED_SECONDS:
            remove_tree(self._folder, name)
