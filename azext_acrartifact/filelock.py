"""Locks on open files and folders. They end with the process, however it ends."""

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

    _OFFSET = 1 << 40
    """Other processes cannot read a locked byte, so that one far behind the content is locked."""

    def _lock(descriptor: int) -> None:
        before = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, _OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, before, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def try_lock(descriptor: int) -> bool | None:
    """Lock *descriptor* until it is closed. Return False if it is locked already, by another process or by another
    descriptor of this one; None if the file system has no locks, such as some network mounts."""
    try:
        _lock(descriptor)
    except OSError as error:
        return False if error.errno in _BUSY else None
    return True


@contextlib.contextmanager
def locked(path: Path, longest_wait: float) -> Iterator[bool]:
    """Lock the file *path*, which is created if it is missing, and yield whether the file system has locks. OSError if
    it cannot be created, or is still locked by another process after *longest_wait* seconds."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield wait_for_lock(descriptor, longest_wait)
    finally:
        os.close(descriptor)


def wait_for_lock(descriptor: int, longest_wait: float) -> bool:
    """Lock *descriptor*, and return False without locks. OSError if another process, which may be another user's,
    still holds its lock after *longest_wait* seconds."""
    end = time.monotonic() + longest_wait
    while (taken := try_lock(descriptor)) is False:
        if time.monotonic() >= end:
            raise OSError(errno.EAGAIN, f"another process has not released its lock for {longest_wait:g} s")
        time.sleep(0.01)
    return taken is not None
