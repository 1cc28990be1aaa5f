"""Limits that all folders of one artifact share when they are unpacked: bytes, entries and free space."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from ...errors import CancelledError, UnsafeContentError
from ..writing.destination import Destination
from .tar_format import ENTRY_LIMIT

SIZE_FLOOR = 1 << 30
"""Bytes to which the folders of any artifact may unpack, however small their layers."""
RATIO_LIMIT = 100
"""Highest compression ratio of folders that unpack to more than that."""
DISK_BLOCK = 4096
"""Bytes that an entry takes on disk at least."""


STATED_RATIO_LIMIT = 1100
"""Highest compression ratio of folders whose artifact states their size. Deflate reaches 1,032 for sparse files and
images of empty disks (zlib.net/zlib_tech.html)."""


def size_limit(compressed_size: int) -> int:
    """Return to how many bytes layers of *compressed_size* may unpack, unless the user allows another size."""
    return max(SIZE_FLOOR, RATIO_LIMIT * compressed_size)


def stated_limit(layers: Iterable[tuple[int, int]]) -> int:
    """Return to how many bytes *layers* may unpack together, each given by its compressed size and the size of the
    files that its artifact states, or 0."""
    return max(
        SIZE_FLOOR, sum(max(RATIO_LIMIT * size, min(stated, STATED_RATIO_LIMIT * size)) for size, stated in layers)
    )


class UnpackBudget:
    """What the folders of one artifact may write to *destination*. Several threads may use it."""

    def __init__(
        self,
        destination: Destination,
        max_size: int | None,
        max_entries: int = ENTRY_LIMIT,
        *,
        reserved: int = 0,
        cancelled: threading.Event | None = None,
        writes: bool = True,
    ) -> None:
        """Allow *max_size* bytes, None for any number, in *max_entries* files and folders. *reserved* bytes of the
        free space are for other files; without *writes* none is needed. Once *cancelled* is set, all methods raise.
        Raises LocalFileError."""
        self._writes = writes
        self._destination = destination
        self._cancelled = cancelled or threading.Event()
        self._max_size, self._max_entries = max_size, max_entries
        self._size = self._entries = self._unwritten = 0
        self._free = destination.free_bytes() - reserved
        self._lock = threading.Lock()

    def count(self, entries: int) -> None:
        """Count *entries* that were made. Raises UnsafeContentError when there are too many, LocalFileError."""
        with self._lock:
            self._require_running()
            self._entries += entries
            if self._entries > self._max_entries:
                raise UnsafeContentError(
                    "The folders of the artifact hold too many files", why=f"more than {self._max_entries:,}"
                )
            self._require_space(entries * DISK_BLOCK)

    def take(self, where: str, size: int) -> None:
        """Take *size* bytes for the file *where*, before any is written. Raises UnsafeContentError when the artifact's
        folders have too many, LocalFileError when they are not free."""
        with self._lock:
            self._size += size
            if self._max_size is not None and self._size > self._max_size:
                raise UnsafeContentError(
                    "The artifact's folders unpack to more than allowed",
                    where=where,
                    why=f"{self._size:,} bytes together, and {self._max_size:,} are allowed",
                    hint="Raise --max-unpacked-size, if you trust the artifact.",
                )
            self._require_space(size)
            self._unwritten += size

    def wrote(self, size: int) -> None:
        """Count *size* of the bytes that were taken as written. Raises CancelledError."""
        with self._lock:
            self._require_running()
            self._unwritten -= size

    def _require_running(self) -> None:
        """Stop a folder that takes long to unpack when another download has failed: it would outlive the command, and
        leave its staging folder behind."""
        if self._cancelled.is_set():
            raise CancelledError("Stopped")

    def _require_space(self, size: int) -> None:
        """Take *size* bytes of the free space, and look again how much is free when what was seen is used up."""
        self._free -= size
        if self._free < 0 and self._writes:
            self._destination.require_space(self._unwritten + size)
            self._free = self._destination.free_bytes() - self._unwritten - size
