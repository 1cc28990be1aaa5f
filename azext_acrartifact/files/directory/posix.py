"""Folders of POSIX systems as open descriptors, which no change of their path can redirect."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import Any

from ...filelock import try_lock, wait_for_lock
from ..os_errors import where_supported
from .handle import UNKNOWN_SPACE, Folder, remove_tree

_POSIX: Any = os
"""`os` with what Windows, whose folders are of the other kind, does not have."""
_NO_BLOCK = getattr(os, "O_NONBLOCK", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)


class DescriptorFolder:
    """A `Folder` whose operations are relative to an open descriptor."""

    def __init__(self, descriptor: int, path: str) -> None:
        self.descriptor = descriptor
        self.path = path

    def close(self) -> None:
        """Close the descriptor, once. Children stay open."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def again(self) -> DescriptorFolder:
        """Open the same folder again, to be closed on its own."""
        return DescriptorFolder(os.dup(self.descriptor), self.path)

    def child(self, name: str) -> DescriptorFolder:
        """Open the folder *name* in it. Raises ELOOP or ENOTDIR for a link or a file."""
        return DescriptorFolder(
            os.open(name, _DIRECTORY | _NO_FOLLOW, dir_fd=self.descriptor), os.path.join(self.path, name)
        )

    def make(self, name: str, mode: int = 0o777) -> bool:
        """Make the folder *name*. Return False when the name exists."""
        try:
            os.mkdir(name, mode, dir_fd=self.descriptor)
        except FileExistsError:
            return False
        return True

    def look(self, name: str) -> os.stat_result | None:
        """Return the status of *name* without following links; None when it is missing."""
        try:
            return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        """Return the names of all entries, in any order."""
        return os.listdir(self.descriptor)

    def create(self, name: str, mode: int = 0o666) -> int:
        """Create the file *name*. Return a descriptor to read and write. Raises FileExistsError."""
        return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, mode, dir_fd=self.descriptor)

    def open(self, name: str) -> int:
        """Return a descriptor to read *name*. Does not block on a FIFO."""
        return os.open(name, os.O_RDONLY | _NO_BLOCK | _NO_FOLLOW, dir_fd=self.descriptor)

    def reopen(self, name: str) -> int:
        """Return a descriptor to read and write the existing file *name*."""
        return os.open(name, os.O_RDWR | _NO_BLOCK | _NO_FOLLOW, dir_fd=self.descriptor)

    def rename(self, name: str, into: Folder, new_name: str) -> None:
        """Move *name* to *new_name* of *into* atomically, replacing a file there."""
        assert isinstance(into, DescriptorFolder)
        os.rename(name, new_name, src_dir_fd=self.descriptor, dst_dir_fd=into.descriptor)

    def rename_new(self, name: str, into: Folder, new_name: str) -> None:
        """Move the file or link *name* to *new_name* of *into* atomically. Raises FileExistsError."""
        assert isinstance(into, DescriptorFolder)
        try:
            os.link(name, new_name, src_dir_fd=self.descriptor, dst_dir_fd=into.descriptor, follow_symlinks=False)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if into.look(new_name) is not None:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new_name) from None
            self.rename(name, into, new_name)
        else:
            self.remove(name)

    def link(self, name: str, target: str) -> None:
        """Make the symbolic link *name*."""
        os.symlink(target, name, dir_fd=self.descriptor)

    def remove(self, name: str) -> None:
        """Remove the file or link *name*."""
        os.unlink(name, dir_fd=self.descriptor)

    def remove_folder(self, name: str) -> None:
        """Remove the empty folder *name*."""
        os.rmdir(name, dir_fd=self.descriptor)

    def set_mode(self, mode: int) -> None:
        """Set the folder's own permission bits, unless its file system has none to set."""
        with where_supported():
            _POSIX.fchmod(self.descriptor, mode)

    def mode(self) -> int:
        """Return the folder's own permission bits."""
        return stat.S_IMODE(os.fstat(self.descriptor).st_mode)

    def adopt(self, name: str) -> None:
        """Give the entry *name*, which was moved here, the group that the system gives new entries of a setgid folder,
        and the setgid bit if it is a folder itself. What is refused stays as it is."""
        own = os.fstat(self.descriptor)
        if own.st_mode & stat.S_ISGID:
            with contextlib.suppress(OSError):
                _adopt(self, name, own.st_gid)

    def free_bytes(self) -> int:
        """Return how many bytes this user may still write to its file system; `UNKNOWN_SPACE` if it does not say."""
        with where_supported():
            status = _POSIX.fstatvfs(self.descriptor)
            if status.f_blocks:
                return int(status.f_bavail * (status.f_frsize or status.f_bsize))
        return UNKNOWN_SPACE

    @property
    def locks(self) -> DescriptorLocks:
        """Locks of the folder and of temporary files in it."""
        return DescriptorLocks(self)


def _adopt(folder: DescriptorFolder, name: str, group: int) -> None:
    """Give *name* in *folder*, and what is below it, to *group*."""
    status = os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False)
    is_folder = stat.S_ISDIR(status.st_mode)
    if status.st_gid == group and (not is_folder or status.st_mode & stat.S_ISGID):
        return  # it was made in a folder of this group
    _POSIX.chown(name, -1, group, dir_fd=folder.descriptor, follow_symlinks=False)
    if is_folder:
        with contextlib.closing(folder.child(name)) as inner:
            inner.set_mode(stat.S_IMODE(status.st_mode) | stat.S_ISGID)
            for entry in inner.names():
                _adopt(inner, entry, group)


class DescriptorLocks:
    """`Locks` of *folder*."""

    def __init__(self, folder: DescriptorFolder) -> None:
        self._folder = folder

    def try_lock(self, name: str, descriptor: int) -> bool | None:
        """Lock the temporary file *name*, open as *descriptor*. Return False when another run has locked or removed it,
        None on a file system without locks."""
        locked = try_lock(descriptor)
        status = self._folder.look(name)
        return locked if status is not None and os.path.samestat(status, os.fstat(descriptor)) else False

    def try_lock_folder(self) -> bool:
        """Lock this temporary folder. Return False when the sweep of another run has locked it, to remove it."""
        return try_lock(self._folder.descriptor) is not False

    def wait_for_lock(self, longest_wait: float) -> int | None:
        """Wait for the folder's exclusive lock. Return a descriptor that locks it until closed; None without locks.
        OSError after *longest_wait* seconds: whoever may read a folder can lock it."""
        descriptor = os.open(".", _DIRECTORY, dir_fd=self._folder.descriptor)
        locked = False
        try:
            locked = wait_for_lock(descriptor, longest_wait)
        finally:
            if not locked:
                os.close(descriptor)
        return descriptor if locked else None

    def remove_abandoned(self, name: str) -> None:
        """Remove the temporary *name* and everything below it, unless a running process has locked it."""
        try:
            descriptor = self._folder.open(name)
        except OSError:
            return
        try:
            # Unlock only once it is removed: the run that has just created it must not lock it and then lose it.
            if try_lock(descriptor) is True:
                remove_tree(self._folder, name)
        finally:
            os.close(descriptor)
