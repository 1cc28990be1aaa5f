"""Local files to push: opened once, read in ranges, and checked for changes at every read."""

from __future__ import annotations

import io
import os
import shutil
import stat
import tempfile
import threading
from dataclasses import dataclass
from typing import BinaryIO

from ..errors import LocalFileError
from .hashing import BLOCK
from .modes import START, portable_mode
from .os_errors import TEMPORARY_FULL, naming, on_failure
from .positioned_io import PositionedFile
from .system_path import system_path

_OPEN = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
# A FIFO that has replaced the file since it was checked must not block, nor a terminal become our controlling one.
_OPEN |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)

Fingerprint = tuple[int, int, int]
"""Size, modification time in nanoseconds, inode. Not ctime: unlinking an open file changes it."""


def fingerprint(status: os.stat_result) -> Fingerprint:
    """Return the attributes that change when a file's content does."""
    return status.st_size, status.st_mtime_ns, status.st_ino


def is_null_device(path: str) -> bool:
    """Return whether *path* means "no content": `/dev/null`, or Windows' `NUL`, on every system."""
    return path == "/dev/null" or path.upper() in ("NUL", "NUL:", "\\\\.\\NUL")


def changed(path: str, why: str = "") -> LocalFileError:
    """Return the error for a file that changed after it was opened."""
    return LocalFileError(
        f"{path} changed while it was pushed", why=why, hint="Push again when nothing writes to the file."
    )


def open_regular(path: str, *, follow: bool = True) -> int:
    """Return a descriptor to read the regular file *path*. Raises LocalFileError for other kinds, before opening."""
    with naming("Cannot read the file", path):
        _require_regular(path, os.stat(system_path(path), follow_symlinks=follow))
        descriptor = os.open(system_path(path), _OPEN | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    with on_failure(os.close, descriptor):
        _require_regular(path, os.fstat(descriptor))
    return descriptor


def start_of(path: str) -> bytes:
    """Return the first bytes of the regular file *path*, as many as `START`. Raises LocalFileError."""
    with os.fdopen(open_regular(path, follow=False), "rb", buffering=0) as file, naming("Cannot read the file", path):
        return file.read(START)


def _require_regular(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device, FIFO or socket"
        raise LocalFileError(
            "Cannot read the file",
            where=path,
            why=f"it is {kind}, not a regular file",
            hint="Name a regular file, or push what it gives: --file - --stdin-name NAME < PATH",
        )


class LocalFile:
    """An open regular file. Close it, or use it in a `with` block; several threads may read its ranges.

    A process may have few files open (256 on macOS): of many, each is parked, and opened again when it is read.
    """

    def __init__(self, path: str, descriptor: int | None) -> None:
        self.path = path
        self._file = None if descriptor is None else PositionedFile(descriptor)
        self._parked = False
        self._lock = threading.Lock()
        self.mode = 0
        """Permission bits when it was opened, of those that an artifact keeps."""
        self._before: Fingerprint = (0, 0, 0)
        if descriptor is not None:
            with on_failure(self.close), naming("Cannot read the file", path):
                status = os.fstat(descriptor)
                self._before, self.mode = fingerprint(status), portable_mode(status, self._start)

    @classmethod
    def open(cls, path: str, *, allow_null: bool = False) -> LocalFile:
        """Open *path*; with *allow_null*, `/dev/null` and `NUL` are empty files. A file with more content than its
        size, as in /proc, is copied. Raises LocalFileError."""
        if allow_null and is_null_device(path):
            return cls(path, None)
        found = cls(path, open_regular(path))
        with on_failure(found.close):
            if not found.exceeds_size():
                return found
            with open(open_regular(path), "rb") as stream:
                copied = copy_of(stream, path)
        found.close()
        return copied

    def exceeds_size(self) -> bool:
        """Return whether content follows the file's size, which then is none. Raises LocalFileError when it grows."""
        found = self.read_at(memoryview(bytearray(1)), self.size)
        self.require_unchanged()
        return found > 0

    @property
    def size(self) -> int:
        """Size in bytes when it was opened."""
        return self._before[0]

    @property
    def seen(self) -> Fingerprint:
        """Fingerprint when it was opened."""
        return self._before

    @property
    def version(self) -> str:
        """A key that stays the same while the content does, also in another process."""
        return f"{os.path.abspath(self.path)}|{'|'.join(map(str, self._before))}"

    def _start(self) -> bytes:
        buffer = memoryview(bytearray(START))
        return bytes(buffer[: self.read_at(buffer, 0)])

    def close(self) -> None:
        """Close the file. Its ranges cannot be read any more."""
        if self._file is not None:
            os.close(self._file.descriptor)
            self._file = None
        self._parked = False

    def park(self) -> None:
        """Close the descriptor until the next read. No thread may be reading."""
        if self._file is not None:
            self.close()
            self._parked = True

    def unpark(self) -> None:
        """Open the file again if it was parked. Raises LocalFileError when it has changed."""
        with self._lock:
            if not self._parked:
                return
            try:
                self._file = PositionedFile(open_regular(self.path))
            except LocalFileError as error:
                raise changed(self.path, error.why) from error
            self._parked = False
            self.require_unchanged()

    @property
    def is_parked(self) -> bool:
        """Whether the next read opens it again."""
        return self._parked

    def __enter__(self) -> LocalFile:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def require_unchanged(self) -> None:
        """Raise LocalFileError when the file has changed since it was opened."""
        if self._file is not None and fingerprint(os.fstat(self._file.descriptor)) != self._before:
            raise changed(self.path)

    def open_range(self, offset: int, length: int) -> FileRange:
        """Open the *length* bytes from *offset* as a stream."""
        if not 0 <= offset <= offset + length <= self.size:
            raise ValueError(f"range {offset}+{length} is outside of {self.size} bytes")
        return FileRange(self, offset, length)

    def read_at(self, buffer: memoryview, offset: int) -> int:
        """Read into *buffer* from *offset*. Return the number of bytes, 0 at the end. Raises LocalFileError."""
        self.unpark()
        if self._file is None:
            return 0
        with naming("Cannot read the file", self.path):
            return self._file.read(buffer, offset)


class _Copy(LocalFile):
    """A nameless copy, which cannot be opened again."""

    def park(self) -> None:
        """Do nothing."""


def copy_of(stream: BinaryIO, name: str) -> LocalFile:
    """Copy *stream* to a nameless temporary file, which vanishes when it is closed; errors call it *name*. Raises
    LocalFileError when there is no space for it."""
    with naming("Cannot make a temporary copy", name, full=TEMPORARY_FULL), tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy, BLOCK)
        copy.flush()
        return _Copy(name, os.dup(copy.fileno()))


@dataclass(frozen=True)
class FilePart:
    """The *size* bytes of an open file from *offset* on, as content of their own. Its owner closes the file."""

    file: LocalFile
    offset: int
    size: int

    def open_range(self, offset: int, length: int) -> FileRange:
        """Return a fresh reader of *length* bytes from *offset*."""
        if not 0 <= offset <= offset + length <= self.size:
            raise ValueError(f"range {offset}+{length} is outside of {self.size} bytes")
        return self.file.open_range(self.offset + offset, length)

    def close(self) -> None:
        """Do nothing: the file stays open."""


class FileRange(io.RawIOBase):
    """A range of a `LocalFile` as a stream. Every read checks that the file has not changed."""

    def __init__(self, file: LocalFile, offset: int, length: int) -> None:
        self._file = file
        self._start = offset
        self._length = length
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read into *buffer*. Return 0 at the end of the range. Raises LocalFileError when the file has changed."""
        wanted = min(len(buffer), self._length - self._position)
        if wanted <= 0:
            return 0
        count = self._file.read_at(memoryview(buffer)[:wanted], self._start + self._position)
        self._file.require_unchanged()
        if count == 0:
            raise changed(self._file.path, "it became shorter")
        self._position += count
        return count
