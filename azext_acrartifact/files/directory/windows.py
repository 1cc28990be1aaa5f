"""Folders of Windows as paths. Every component is checked for links before it is used."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import time
from collections.abc import Callable

from ...filelock import try_lock
from .. import modes
from ..names import TEMPORARY_PREFIX
from ..os_errors import on_failure, where_supported
from ..system_path import plain_path, system_path
from .handle import UNKNOWN_SPACE, Folder, is_link, remove_tree

_ABANDONED_SECONDS = 60.0
"""Age at which a temporary file that no process has open is abandoned: one that is done is closed, and then renamed."""
_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
_VANISHING = getattr(os, "O_TEMPORARY", 0)
"""Removes a file when it is closed, also by the end of its process; only Windows has it."""
_LOCK = f"{TEMPORARY_PREFIX}lock"
_STEP, _MOMENT = 0.01, 0.5
"""Seconds between two tries, and of all tries, to change what another process has open."""
_IN_USE = (32, 145)
"""ERROR_SHARING_VIOLATION, and ERROR_DIR_NOT_EMPTY of a folder whose removed files another process has open
(https://learn.microsoft.com/windows/win32/debug/system-error-codes--0-499-)."""


class PathFolder:
    """A `Folder` that is reached by its path."""

    def __init__(self, path: str) -> None:
        self.path = plain_path(path)
        self._lock = -1

    def close(self) -> None:
        """Release its lock, once."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def again(self) -> PathFolder:
        """Open the same folder again, to be closed on its own."""
        return PathFolder(self.path)

    def _at(self, name: str) -> str:
        return system_path(os.path.join(self.path, name))

    def _refuse_link(self, name: str) -> None:
        status = self.look(name)
        if status is not None and is_link(status):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self._at(name))

    def child(self, name: str) -> PathFolder:
        """Open the folder *name* in it. Raises ELOOP or ENOTDIR for a link or a file."""
        status = self.look(name)
        if status is None or is_link(status) or not stat.S_ISDIR(status.st_mode):
            # One look decides: another thread may make the folder just now.
            code = errno.ENOENT if status is None else errno.ELOOP if is_link(status) else errno.ENOTDIR
            raise OSError(code, os.strerror(code), self._at(name))
        return PathFolder(self._at(name))

    def make(self, name: str, mode: int = 0o777) -> bool:
        """Make the folder *name*. Return False when the name exists.

        On Windows it has the rights of this folder. Python would give one of mode 700 rights for its owner alone, and a
        file keeps those of the folder in which it was made (https://docs.python.org/3/library/os.html#os.mkdir).
        """
        try:
            os.mkdir(self._at(name), mode if modes.HAS_MODES else 0o777)
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
        return os.listdir(system_path(self.path))

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
        """Move *name* to *new_name* of *into* atomically, replacing a file there, also a read-only one."""
        target = system_path(os.path.join(into.path, new_name))
        _forced(target, lambda: os.replace(self._at(name), target))

    def rename_new(self, name: str, into: Folder, new_name: str) -> None:
        """Move the file or link *name* to *new_name* of *into* atomically. Raises FileExistsError."""
        if into.look(new_name) is not None:  # Windows checks this itself, other systems do not
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new_name)
        os.rename(self._at(name), system_path(os.path.join(into.path, new_name)))

    def link(self, name: str, target: str) -> None:
        """Make the symbolic link *name*."""
        os.symlink(target.replace("/", os.sep), self._at(name))

    def remove(self, name: str) -> None:
        """Remove the file or link *name*, also a read-only file."""
        _forced(self._at(name), lambda: os.unlink(self._at(name)))

    def remove_folder(self, name: str) -> None:
        """Remove the empty folder *name*."""
        _forced(self._at(name), lambda: os.rmdir(self._at(name)))

    def lock(self) -> bool:
        """Lock this temporary folder until it is closed, by a locked file in it. Return False when the sweep of another
        run has removed the folder."""
        try:
            self._lock = self.create(_LOCK)
        except FileNotFoundError:
            return False
        return try_lock(self._lock) is not False

    def set_mode(self, mode: int) -> None:
        """Set the folder's own permission bits, unless its file system has none to set. Windows has none: read-only, a
        folder could not be removed."""
        if modes.HAS_MODES:
            with where_supported():
                os.chmod(self.path, mode)

    def mode(self) -> int:
        """Return the folder's own permission bits."""
        return stat.S_IMODE(os.lstat(system_path(self.path)).st_mode)

    def adopt(self, _name: str) -> None:
        """Do nothing: Windows has no groups that a folder gives to new entries."""

    def free_bytes(self) -> int:
        """Return how many bytes this user may still write to its file system; `UNKNOWN_SPACE` if it does not say."""
        with where_supported():
            total, _, free = shutil.disk_usage(system_path(self.path))
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
        """Lock this temporary folder. Return False when the sweep of another run has removed it."""
        return self._folder.lock()

    def wait_for_lock(self, longest_wait: float) -> int | None:
        """Wait for the folder's exclusive lock: a file that only one run can create, and that vanishes when it is
        closed. Return its descriptor; None where files do not vanish. OSError after *longest_wait* seconds."""
        path, end = system_path(os.path.join(self._folder.path, _LOCK)), time.monotonic() + longest_wait
        while _VANISHING:
            try:
                return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS | _VANISHING)
            except (FileExistsError, PermissionError):  # the second while it vanishes
                if time.monotonic() >= end:
                    raise BlockingIOError(
                        errno.EAGAIN, f"another process has not released its lock for {longest_wait:g} s"
                    ) from None
                time.sleep(_STEP)
        return None

    def remove_abandoned(self, name: str) -> None:
        """Remove the temporary *name* and everything below it, unless a running process uses it: Windows removes no
        file that is open."""
        status = self._folder.look(name)
        if status is None:
            return
        ended: bool | None = None
        if stat.S_ISDIR(status.st_mode) and not is_link(status):
            ended = False
            with contextlib.suppress(OSError), contextlib.closing(self._folder.child(name)) as inner:
                ended = _has_ended(inner)
        if ended or (ended is None and time.time() - status.st_mtime > _ABANDONED_SECONDS):
            remove_tree(self._folder, name)


def _has_ended(temporary: PathFolder) -> bool | None:
    """Return whether the run has ended that locked the folder *temporary*; None if no run has locked it."""
    try:
        descriptor = temporary.reopen(_LOCK)
    except FileNotFoundError:
        return None
    try:
        return try_lock(descriptor) is True
    finally:
        os.close(descriptor)


def _forced(path: str, change: Callable[[], object]) -> None:
    """Call *change*, which replaces or removes *path*: Windows refuses that for what is read-only, POSIX does not."""
    try:
        _patiently(change)
    except PermissionError:
        mode = _mode_of_read_only(path)
        if mode is None:
            raise
        os.chmod(path, mode | stat.S_IWRITE)
        with on_failure(os.chmod, path, mode):
            change()


def _patiently(change: Callable[[], object]) -> None:
    """Call *change* again while another process has the file open: the sweep of another run, a virus scanner and an
    index have it for a moment."""
    end = time.monotonic() + _MOMENT
    while True:
        try:
            change()
            return
        except OSError as error:
            if getattr(error, "winerror", None) not in _IN_USE or time.monotonic() >= end:
                raise
        time.sleep(_STEP)


def _mode_of_read_only(path: str) -> int | None:
    """Return the mode of *path* if it is a read-only file or folder."""
    with contextlib.suppress(OSError):
        status = os.lstat(path)
        if not is_link(status) and not status.st_mode & stat.S_IWRITE:
            return stat.S_IMODE(status.st_mode)
    return None
