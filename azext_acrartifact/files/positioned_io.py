"""Reads and writes at an offset, from several threads, on systems with and without pread and pwrite."""

from __future__ import annotations

import os
import threading


class Positioned:
    """An open file *descriptor*, which stays its owner's to close. Errors are the system's OSError."""

    def __init__(self, descriptor: int) -> None:
        self._fd = descriptor
        self._lock = threading.Lock()

    def read(self, buffer: memoryview, offset: int) -> int:
        """Fill *buffer* from *offset*, as far as one call reaches; the number of bytes, 0 at the end."""
        if hasattr(os, "preadv"):
            return os.preadv(self._fd, [buffer], offset)
        with self._lock:
            os.lseek(self._fd, offset, os.SEEK_SET)
            data = os.read(self._fd, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def write(self, data: memoryview, offset: int) -> int:
        """Write *data* at *offset*, as far as one call does; the number of bytes."""
        if hasattr(os, "pwrite"):
            return os.pwrite(self._fd, data, offset)
        with self._lock:
            os.lseek(self._fd, offset, os.SEEK_SET)
            return os.write(self._fd, data)
