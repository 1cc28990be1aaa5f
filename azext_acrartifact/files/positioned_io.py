"""Read and write at an offset from several threads, on systems with and without pread and pwrite."""

from __future__ import annotations

import os
import sys
import threading


class PositionedFile:
    """An open file *descriptor*, which its owner closes. Raises OSError."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._lock = threading.Lock()

    def read(self, buffer: memoryview, offset: int) -> int:
        """Read into *buffer* from *offset*, with one call. Return the number of bytes, 0 at the end."""
        if sys.platform != "win32" and hasattr(os, "preadv"):
            return os.preadv(self.descriptor, [buffer], offset)
        with self._lock:
            os.lseek(self.descriptor, offset, os.SEEK_SET)
            data = os.read(self.descriptor, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def write(self, data: memoryview, offset: int) -> int:
        """Write *data* at *offset*, with one call. Return the number of bytes written."""
        if sys.platform != "win32" and hasattr(os, "pwrite"):
            return os.pwrite(self.descriptor, data, offset)
        with self._lock:
            os.lseek(self.descriptor, offset, os.SEEK_SET)
            return os.write(self.descriptor, data)
