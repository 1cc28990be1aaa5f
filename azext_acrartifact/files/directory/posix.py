"""A folder of a POSIX system, as an open descriptor: nothing that happens to its path can redirect it."""

from __future__ import annotations

import errno
import os
import stat

from ...filelock import try_lock, wait_for_lock
from .handle import Folder, remove_tree

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)


class DescriptorFolder:
    """A folder of a POSIX system: everything is relative to its open descriptor."""

    def __init__(self, descriptor: int, path: str) -> None:
        self.descriptor = descriptor
        self.path = path

    def close(self) -> None:
        """Close the descriptor, once; children stay open."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def again(self) -> DescriptorFolder:
        """The same folder, to be closed on its own."""
        return DescriptorFolder(os.dup(self.descriptor), self.path)

    def child(self, name: str) -> DescriptorFolder:
        """The folder *name* in it; ELOOP or ENOTDIR when that is a link or a file."""
        return DescriptorFolder(
            os.open(name, _DIRECTORY | _NO_FOLLOW, dir_fd=self.descriptor), os.path.join(self.path, name)
        )

    def make(self, name: str, mode: int = 0o777) -> bool:
        """Make the folder *name*; False when something of that name is there."""
        try:
            os.mkdir(name, mode, dir_fd=self.descriptor)
        except FileExistsError:
            return False
        return True

    def look(self, name: str) -> os.stat_result | None:
        """What *name* is, links not followed; None when there is none."""
        try:
            return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        """All entries, in no order."""
        return os.listdir(self.descriptor)

    def create(self, name: str, mode: int = 0o666) -> int:
        """A descriptor of the new file *name*, to read and write; FileExistsError if anything is there."""
        return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, mode, dir_fd=self.descriptor)

    def open(self, name: str) -> int:
        """A descriptor to read *name*; a FIFO does not block."""
        return os.open(name, os.O_RDONLY | os.O_NONBLOCK | _NO_FOLLOW, dir_fd=self.descriptor)

    def reopen(self, name: str) -> int:
        """A descriptor to read and write the file *name* that is there."""
        return os.open(name, os.O_RDWR | os.O_NONBLOCK | _NO_FOLLOW, dir_fd=self.descriptor)

    def rename(self, name: str, into: Folder, new_name: str) -> None:
        """Move *name* over *new_name* of *into*, at once."""
        assert isinstance(into, DescriptorFolder)
        os.rename(name, new_name, src_dir_fd=self.descriptor, dst_dir_fd=into.descriptor)

    def rename_new(self, name: str, into: Folder, new_name: str) -> None:
        """Move *name*, no folder, to *new_name* of *into*, at once; FileExistsError if anything is there."""
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

    def read_link(self, name: str) -> str:
        """The target of the symbolic link *name*."""
        return os.readlink(name, dir_fd=self.descriptor)

    def remove(self, name: str) -> None:
        """Remove the file or link *name*."""
        os.unlink(name, dir_fd=self.descriptor)

    def remove_folder(self, name: str) -> None:
        """Remove the empty folder *name*."""
        os.rmdir(name, dir_fd=self.descriptor)

    def set_mode(self, mode: int) -> None:
        """Set its own permission bits."""
        os.fchmod(self.descriptor, mode)

    def mode(self) -> int:
        """Its own permission bits."""
        return stat.S_IMODE(os.fstat(self.descriptor).st_mode)

    def free_bytes(self) -> int:
        """Bytes that this user may still write to its file system."""
        status = os.fstatvfs(self.descriptor)
        return status.f_bavail * status.f_frsize

    @property
    def locks(self) -> DescriptorLocks:
        """What keeps other runs away from what is unfinished in it."""
        return DescriptorLocks(self)


class DescriptorLocks:
    """`Locks` of a *folder*."""

    def __init__(self, folder: DescriptorFolder) -> None:
        self._folder = folder

    def hold(self, name: str, descriptor: int) -> bool | None:
        """Lock the unfinished *name*, open as *descriptor*, for this run; False when another run was quicker, None
        where nobody can tell."""
        held = try_lock(descriptor)
        status = self._folder.look(name)
        return held if status is not None and os.path.samestat(status, os.fstat(descriptor)) else False

    def hold_itself(self) -> bool:
        """Lock this unfinished folder for this run; False when a sweep was quicker."""
        return try_lock(self._folder.descriptor) is not False and os.fstat(self._folder.descriptor).st_nlink > 0

    def lock(self) -> int | None:
        """A descriptor that holds the folder's only lock until it is closed; None where there are no locks."""
        descriptor = os.open(".", _DIRECTORY, dir_fd=self._folder.descriptor)
        held = False
        try:
            held = wait_for_lock(descriptor)
        finally:
            if not held:
                os.close(descriptor)
        return descriptor if held else None

    def remove_abandoned(self, name: str) -> None:
        """Remove the unfinished *name* and all below it, unless a living run holds it."""
        try:
            descriptor = self._folder.open(name)
        except OSError:
            return
        try:
            # The lock is kept until it is gone: whoever has just made it must not hold it before, and lose it then.
            if try_lock(descriptor) is True:
                remove_tree(self._folder, name)
        finally:
            os.close(descriptor)
