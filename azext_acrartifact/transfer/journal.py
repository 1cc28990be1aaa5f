"""Uploads under way, kept on disk so that the next process goes on where a killed one was.

An upload session's URL lets anybody continue it: the files are readable by their owner alone, and gone when the
upload is done. Nothing here is needed: without it, an upload begins at its first byte.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time

from ..oci.uploads import Session

KEPT_FOR = 24 * 3600.0
"""Seconds after which a session is taken for lost."""


class Journal:
    """Sessions by key, one small file each, in *folder*; without a folder nothing is kept."""

    def __init__(self, folder: str | None) -> None:
        self._folder = folder

    def session(self, key: str) -> Session | None:
        """The session kept under *key*; its offset is what the registry had confirmed."""
        try:
            with open(self._path(key), encoding="utf-8") as file:
                kept = json.load(file)
            return Session(str(kept["url"]), int(kept["offset"])) if kept["time"] > time.time() - KEPT_FOR else None
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return None

    def keep(self, key: str, session: Session) -> None:
        """Remember *session*; a disk that does not take it costs only the resumption."""
        if self._folder is None or not key:
            return
        record = json.dumps({"url": session.url, "offset": session.offset, "time": time.time()})
        path = self._path(key)
        with contextlib.suppress(OSError):
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            descriptor = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(record)
            os.replace(f"{path}.new", path)

    def forget(self, key: str) -> None:
        """Remove what is kept under *key*."""
        with contextlib.suppress(OSError):
            os.unlink(self._path(key))

    def _path(self, key: str) -> str:
        return os.path.join(self._folder or os.devnull, hashlib.sha256(os.fsencode(key)).hexdigest()[:32])
