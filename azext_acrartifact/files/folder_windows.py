"""A folder of Windows, as a path: every step is looked at before it is taken. Its methods are those of `Folder`."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time

from .folders import Folder, is_link

_ABANDONED_SECONDS = 24 * 3600
"""There are no locks here: the age at which an unfinished folder is nobody's."""
_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)


class PathFolder:
    """A folder of Windows: every step is looked at before it is taken."""

    def __init__(self, path: str) -> None:
        self.path = path

    def close(self) -> None:
        """Nothing is open."""

    def again(self) -> PathFolder:
        return PathFolder(self.path)

    def _at(self, name: str) -> str:
        return os.path.join(self.path, name)

    def _refuse_link(self, name: str) -> None:
        status = self.look(name)
        if status is not None and is_link(status):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self._at(name))

    def child(self, name: str) -> PathFolder:
        self._refuse_link(name)
        if not os.path.isdir(self._at(name)):
            code = errno.ENOTDIR if os.path.exists(self._at(name)) else errno.ENOENT
            raise OSError(code, os.strerror(code), self._at(name))
        return PathFolder(self._at(name))

    def make(self, name: str, mode: int = 0o777) -> bool:
        try:
            os.mkdir(self._at(name), mode)
        except FileExistsError:
            return False
        return True

    def look(self, name: str) -> os.stat_result | None:
        try:
            return os.lstat(self._at(name))
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        return os.listdir(self.path)

    def create(self, name: str, mode: int = 0o666) -> int:
        return os.open(self._at(name), os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, mode)

    def open(self, name: str) -> int:
        self._refuse_link(name)
        return os.open(self._at(name), os.O_RDONLY | _FLAGS)

    def rename(self, name: str, into: Folder, new_name: str) -> None:
        os.replace(self._at(name), os.path.join(into.path, new_name))

    def link(self, name: str, target: str) -> None:
        os.symlink(target.replace("/", os.sep), self._at(name))

    def read_link(self, name: str) -> str:
        return os.readlink(self._at(name)).replace(os.sep, "/")

    def remove(self, name: str) -> None:
        os.unlink(self._at(name))

    def remove_folder(self, name: str) -> None:
        os.rmdir(self._at(name))

    def set_mode(self, mode: int) -> None:
        os.chmod(self.path, mode)

    def mode(self) -> int:
        return stat.S_IMODE(os.lstat(self.path).st_mode)

    def free_bytes(self) -> int:
        return shutil.disk_usage(self.path).free

    def hold(self, name: str, descriptor: int) -> bool:
        # An open file cannot be removed on Windows: it needs no lock.
        del name, descriptor
        return True

    def hold_itself(self) -> bool:
        return True

    def is_abandoned(self, name: str) -> bool:
        status = self.look(name)
        return status is not None and time.time() - status.st_mtime > _ABANDONED_SECONDS
