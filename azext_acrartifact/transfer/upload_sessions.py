"""Uploads under way, kept on disk so that the next process goes on where a killed one was.

An upload session's URL lets anybody continue it: the files are readable by their owner alone, and gone when the
upload is done. Nothing here is needed: without it, an upload begins at its first byte.
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

KEPT_FOR = 24 * 3600.0
"""Seconds after which a session is taken for lost."""
_MOST = 64 * 1024


class Journal:
    """Sessions by key, one small file each, in *folder*; without a folder nothing is kept.

    A file is locked while its upload lasts: another process that sends the same file at the same time begins a
    session of its own. Threads may use it at once, each with other keys.
    """

    def __init__(self, folder: str | None) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}
        self._lock = threading.Lock()
        self._swept = False

    def session(self, key: str) -> Session | None:
        """The session kept under *key*, unless another process goes on with it; its offset is what the registry
        had confirmed."""
        descriptor = self._hold(key, os.O_RDWR)
        if descriptor is None:
            return None
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            kept = json.loads(os.read(descriptor, _MOST).partition(b"\n")[0])
            session = Session(str(kept["url"]), int(kept["offset"]))
            return session if kept["time"] > time.time() - KEPT_FOR and 0 <= session.offset <= LARGEST_SIZE else None
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None

    def keep(self, key: str, session: Session) -> None:
        """Remember *session*; a disk that does not take it costs only the resumption."""
        if self._folder is None or not key:
            return
        record = json.dumps({"url": session.url, "offset": session.offset, "time": time.time()}).encode() + b"\n"
        with contextlib.suppress(OSError):
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            self._sweep(self._folder)
            descriptor = self._hold(key, os.O_RDWR | os.O_CREAT)
            if descriptor is not None:
                # One write of a line: a kill leaves the older record or this one, and what follows is not read.
                os.lseek(descriptor, 0, os.SEEK_SET)
                os.write(descriptor, record)

    def forget(self, key: str) -> None:
        """Remove what is kept under *key*, unless it is another process's."""
        if self._hold(key, os.O_RDWR) is not None:
            if os.name == "nt":
                self.release(key)
            with contextlib.suppress(OSError):
                os.unlink(self._path(key))
            self.release(key)

    def release(self, key: str) -> None:
        """Let another process go on with what is kept under *key*."""
        descriptor = self._held.pop(key, None)
        if descriptor is not None:
            os.close(descriptor)

    def _hold(self, key: str, flags: int) -> int | None:
        """The open and locked file of *key*; None when there is none, or it is another process's."""
        if self._folder is None or not key:
            return None
        if key not in self._held:
            try:
                descriptor = os.open(self._path(key), flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
            except OSError:
                return None
            try:
                if try_lock(descriptor) is not False and os.fstat(descriptor).st_nlink > 0:
                    self._held[key] = descriptor
            finally:
                if key not in self._held:
                    os.close(descriptor)
        return self._held.get(key)

    def _sweep(self, folder: str) -> None:
        """Remove, once, the sessions that nobody is going to go on with."""
        with self._lock:
            if self._swept:
                return
            self._swept = True
        for entry in os.scandir(folder):
            with contextlib.suppress(OSError):
                if entry.stat(follow_symlinks=False).st_mtime < time.time() - max(KEPT_FOR, 0):
                    os.unlink(entry.path)

    def _path(self, key: str) -> str:
        return os.path.join(self._folder or os.devnull, hashlib.sha256(os.fsencode(key)).hexdigest()[:32])
