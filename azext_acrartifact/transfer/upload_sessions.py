"""Upload sessions, saved on disk so that the next process resumes the uploads of a killed one.

Anyone who knows the URL of an upload session can continue it: only the owner can read the files, and they are removed
when the upload is done. They are optional: without them, an upload begins at its first byte.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time

from ..filelock import try_lock
from ..oci.descriptor import LARGEST_SIZE
from ..oci.uploads import Session

LONGEST_AGE = 24 * 3600.0
"""Seconds after which a session counts as lost."""
_MOST = 64 * 1024


class UploadSessions:
    """Sessions by key, one small file each in *folder*; without a folder nothing is saved.

    A file is locked during its upload: another process that uploads the same file at the same time begins a session of
    its own. Several threads may use it at once, each with other keys.
    """

    def __init__(self, folder: str | None, longest_age: float = LONGEST_AGE) -> None:
        self._folder, self._longest_age = folder, longest_age
        self._locked: dict[str, int] = {}
        self._lock = threading.Lock()
        self._swept = False

    def session(self, key: str) -> Session | None:
        """Return the session saved under *key*, with the offset that the registry had confirmed. Returns None when
        there is none, or another process uses it."""
        descriptor = self._acquire(key, os.O_RDWR)
        if descriptor is None:
            return None
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            saved = json.loads(os.read(descriptor, _MOST).partition(b"\n")[0])
            session = Session(str(saved["url"]), int(saved["offset"]))
            recent = saved["time"] > time.time() - self._longest_age
            return session if recent and 0 <= session.offset <= LARGEST_SIZE else None
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None

    def save(self, key: str, session: Session) -> None:
        """Save *session*, as the newest one under *key*; a disk that cannot store it only costs the resumption.

        The write needs no fsync: it outlives the process, and a session seldom outlives a machine that lost power.
        """
        if self._folder is None or not key:
            return
        record = json.dumps({"url": session.url, "offset": session.offset, "time": time.time()}).encode() + b"\n"
        with contextlib.suppress(OSError):
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            self._sweep(self._folder)
            descriptor = self._acquire(key, os.O_RDWR | os.O_CREAT)
            if descriptor is not None:
                _overwrite(descriptor, record)

    def forget(self, key: str) -> None:
        """Remove the session under *key*, unless another process uses it."""
        if self._acquire(key, os.O_RDWR) is not None:
            if os.name == "nt":
                self.release(key)
            with contextlib.suppress(OSError):
                os.unlink(self._path(key))
            self.release(key)

    def release(self, key: str) -> None:
        """Let another process use the session under *key*."""
        descriptor = self._locked.pop(key, None)
        if descriptor is not None:
            os.close(descriptor)

    def _acquire(self, key: str, flags: int) -> int | None:
        """Return the open and locked file of *key*, or None when there is none or another process has locked it."""
        if self._folder is None or not key:
            return None
        if key not in self._locked:
            try:
                descriptor = os.open(self._path(key), flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
            except OSError:
                return None
            try:
                if try_lock(descriptor) is not False and os.fstat(descriptor).st_nlink > 0:
                    self._locked[key] = descriptor
            finally:
                if key not in self._locked:
                    os.close(descriptor)
        return self._locked.get(key)

    def _sweep(self, folder: str) -> None:
        """Remove, once, the sessions that are too old to resume."""
        with self._lock:
            if self._swept:
                return
            self._swept = True
        for entry in os.scandir(folder):
            with contextlib.suppress(OSError):
                # Some FUSE mounts have no times: 0 says nothing.
                if 0 < entry.stat(follow_symlinks=False).st_mtime < time.time() - max(self._longest_age, 0):
                    os.unlink(entry.path)

    def _path(self, key: str) -> str:
        return os.path.join(self._folder or os.devnull, hashlib.sha256(os.fsencode(key)).hexdigest()[:32])


def _overwrite(descriptor: int, record: bytes) -> None:
    """Write the line *record* at the start of the file, in one step: a kill leaves the older line or this one. What
    follows the line is not read. Without room for it, no line is left: an outdated URL must not be used."""
    written = 0
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        written = os.write(descriptor, record)
    finally:
        if written < len(record):
            os.ftruncate(descriptor, 0)
