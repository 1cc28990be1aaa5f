"""A file of the user's that is pushed: opened once, read in ranges, and watched for changes meanwhile."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import threading

from ..errors import LocalFileError
from .hashing import BLOCK
from .os_errors import naming, on_failure

_OPEN = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
# A FIFO that took the file's place since it was looked at must not block, nor a terminal become ours.
_OPEN |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)

Fingerprint = tuple[int, int, int]
"""Size, time of change in nanoseconds, inode. Not ctime: removing the name of an open file changes that."""


def fingerprint(status: os.stat_result) -> Fingerprint:
    """What stays the same for as long as a file's content does."""
    return status.st_size, status.st_mtime_ns, status.st_ino


def is_null_device(path: str) -> bool:
    """Whether *path* means "no content": `/dev/null`, and `NUL` as Windows writes it, on every system."""
    return path == "/dev/null" or path.upper() in ("NUL", "NUL:", "\\\\.\\NUL")


def changed(path: str, why: str = "") -> LocalFileError:
    """The error for a file that did not stay as it was."""
    return LocalFileError(
        f"{path} changed while it was pushed", why=why, hint="Push again when nothing writes to the file."
    )


def open_regular(path: str, *, follow: bool = True) -> int:
    """A descriptor to read the regular file *path*. Raises LocalFileError for anything else, without opening it."""
    with naming("Cannot read the file", path):
        _require_regular(path, os.stat(path, follow_symlinks=follow))
        descriptor = os.open(path, _OPEN | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    with on_failure(os.close, descriptor):
        _require_regular(path, os.fstat(descriptor))
    return descriptor


def _require_regular(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device, FIFO or socket"
        raise LocalFileError(
            "Cannot read the file", where=path, why=f"it is {kind}, not a regular file", hint="Name a regular file."
        )


class LocalFile:
    """One regular file, open. Close it, or use it in a `with` block; its ranges may be read by several threads.

    A process may have some hundred files open (256 on macOS): one of many is parked, and opened again when it is read.
    """

    def __init__(self, path: str, descriptor: int | None) -> None:
        self.path = path
        self._fd = descriptor
        self._parked = False
        self._lock = threading.Lock()
        with on_failure(self.close), naming("Cannot read the file", path):
            self._before: Fingerprint = (0, 0, 0) if descriptor is None else fingerprint(os.fstat(descriptor))

    @classmethod
    def open(cls, path: str, *, allow_null: bool = False) -> LocalFile:
        """Open *path*; with *allow_null*, `/dev/null` and `NUL` are an empty file. Raises LocalFileError."""
        if allow_null and is_null_device(path):
            return cls(path, None)
        return cls(path, open_regular(path))

    @property
    def size(self) -> int:
        """Bytes, when it was opened."""
        return self._before[0]

    @property
    def seen(self) -> Fingerprint:
        """What it was when it was opened."""
        return self._before

    @property
    def version(self) -> str:
        """The same for as long as the file's content is; for another process too."""
        return f"{os.path.abspath(self.path)}|{'|'.join(map(str, self._before))}"

    def close(self) -> None:
        """Close the file, once; its ranges cannot be read any more."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
        self._parked = False

    def park(self) -> None:
        """Let go of the descriptor until the next read; nobody may be reading."""
        if self._fd is not None:
            self.close()
            self._parked = True

    def unpark(self) -> None:
        """Open it again if it was parked. Raises LocalFileError when it is not the same any more."""
        with self._lock:
            if not self._parked:
                return
            try:
                self._fd = open_regular(self.path)
            except LocalFileError as error:
                raise changed(self.path, error.why) from error
            self._parked = False
            self.require_unchanged()

    @property
    def is_parked(self) -> bool:
        """Whether it will be opened again."""
        return self._parked

    def __enter__(self) -> LocalFile:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def require_unchanged(self) -> None:
        """Raise LocalFileError when the file is not as it was when it was opened."""
        if self._fd is not None and fingerprint(os.fstat(self._fd)) != self._before:
            raise changed(self.path)

    def digest(self, algorithm: str = "sha256") -> str:
        """The digest of the whole content. Raises LocalFileError when it cannot be read or changes meanwhile."""
        state = hashlib.new(algorithm)
        buffer = bytearray(BLOCK)
        view = memoryview(buffer)
        content = self.open_range(0, self.size)
        while count := content.readinto(view):
            state.update(view[:count])
        return f"{algorithm}:{state.hexdigest()}"

    def open_range(self, offset: int, length: int) -> FileRange:
        """The *length* bytes from *offset*, as a stream of its own."""
        if not 0 <= offset <= offset + length <= self.size:
            raise ValueError(f"range {offset}+{length} is outside of {self.size} bytes")
        return FileRange(self, offset, length)

    def read_at(self, buffer: memoryview, offset: int) -> int:
        """Fill *buffer* from *offset*, as far as the file reaches; the number of bytes. Raises LocalFileError."""
        self.unpark()
        if self._fd is None:
            return 0
        with naming("Cannot read the file", self.path):
            if hasattr(os, "preadv"):
                return os.preadv(self._fd, [buffer], offset)
            with self._lock:
                os.lseek(self._fd, offset, os.SEEK_SET)
                data = os.read(self._fd, len(buffer))
        buffer[: len(data)] = data
        return len(data)


class FileRange(io.RawIOBase):
    """A part of a `LocalFile`, readable and seekable; every read sees that the file is as it was."""

    def __init__(self, file: LocalFile, offset: int, length: int) -> None:
        self._file = file
        self._start = offset
        self._length = length
        self._position = 0

    def __len__(self) -> int:
        return self._length

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes: a request that is repeated starts again."""
        return True

    def tell(self) -> int:
        """Bytes from the start of the range."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to *offset* of the range."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill *buffer*; 0 at the end of the range. Raises LocalFileError when the file has changed."""
        wanted = min(len(buffer), self._length - self._position)
        if wanted <= 0:
            return 0
        count = self._file.read_at(memoryview(buffer)[:wanted], self._start + self._position)
        self._file.require_unchanged()
        if count == 0:
            raise changed(self._file.path, "it became shorter")
        self._position += count
        return count
