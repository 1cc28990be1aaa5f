"""The file that has a name now, and that a finished download will replace: parts of it may be right already."""

from __future__ import annotations

import contextlib
import os
import stat
import threading

from ..directory.handle import Folder, is_link
from ..positioned_io import PositionedFile


class OlderFile:
    """The regular file *name* of *folder*, opened at the first read. Several threads may read it."""

    def __init__(self, folder: Folder, name: str) -> None:
        self._folder, self._name = folder, name
        self._lock = threading.Lock()
        self._opened = False
        self._file: PositionedFile | None = None

    def read(self, buffer: memoryview, offset: int) -> int:
        """Read into *buffer* from *offset*. Return the number of bytes: 0 at the end, or if the file is missing or
        cannot be read. It only saves bytes on the network."""
        with self._lock:
            if not self._opened:
                self._opened = True
                self._open()
        with contextlib.suppress(OSError):
            return self._file.read(buffer, offset) if self._file and len(buffer) else 0
        return 0

    def close(self) -> None:
        """Close it. No thread may be reading."""
        self._opened = True
        if self._file is not None:
            os.close(self._file.descriptor)
            self._file = None

    def _open(self) -> None:
        with contextlib.suppress(OSError):
            status = self._folder.look(self._name)
            if status is not None and stat.S_ISREG(status.st_mode) and not is_link(status):
                self._file = PositionedFile(self._folder.open(self._name))
