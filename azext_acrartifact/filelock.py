"""Locks on open files and folders. They end with the process that holds them, however that ends."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_BUSY = {errno.EACCES, errno.EAGAIN, errno.EDEADLK, getattr(errno, "EDEADLOCK", errno.EDEADLK)}

if sys.platform == "win32":
    import msvcrt  # pylint: disable=import-error

    _PLACE = 1 << 40
    """Other processes cannot read a byte that is locked, so it is one where no content is."""

    def _lock(descriptor: int) -> None:
        before = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, _PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, before, os.SEEK_SET)

    def _wait(_descriptor: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _wait(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def try_lock(descriptor: int) -> bool | None:
    """Lock *descriptor* until it is closed: False when somebody else holds it, this process by another descriptor
    included; None on a file system without locks, such as some network mounts, where nobody can tell."""
    try:
        _lock(descriptor)
    except OSError as error:
        return False if error.errno in _BUSY else None
    return True


@contextlib.contextmanager
def locked(path: Path, longest_wait: float) -> Iterator[bool]:
    """Hold the file *path*, which is made and stays, for the block; gives whether there are locks at all. OSError when
    it cannot be made, or when somebody else holds it for more than *longest_wait* seconds."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = time.monotonic() + longest_wait
        while (held := try_lock(descriptor)) is False:
            if time.monotonic() >= end:
                raise OSError(errno.EAGAIN, "another process holds its lock", str(path))
            time.sleep(0.01)
        yield held is not None
    finally:
        os.close(descriptor)


def wait_for_lock(descriptor: int) -> bool:
    """The same, however long somebody else holds it; False where there are no locks, and on Windows."""
    try:
        _wait(descriptor)
    except OSError:
        return False
    return True
