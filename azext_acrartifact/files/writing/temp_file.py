"""An unfinished file, and what it may replace."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat

from ...errors import LocalFileError
from ..directory.handle import Folder, is_link
from ..hashing import hash_descriptor
from ..names import TEMPORARY_PREFIX, RelativeName
from ..os_errors import naming, on_failure

_SUFFIX = ".part"


def temporary_name() -> str:
    """A fresh name for something unfinished, which `Destination` knows again."""
    return f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"


def is_temporary(entry: str) -> bool:
    """Whether *entry* of a folder is called like something unfinished of ours."""
    return entry.startswith(TEMPORARY_PREFIX) and entry.endswith(_SUFFIX)


def create_held(folder: Folder) -> tuple[str, int]:
    """A new unfinished file in *folder*, held against the sweep of other runs: its name and descriptor."""
    while True:
        temporary = temporary_name()
        descriptor = folder.create(temporary)
        with on_failure(os.close, descriptor):
            if folder.locks.hold(temporary, descriptor) is not False:
                return temporary, descriptor
        os.close(descriptor)


class Part:
    """An unfinished file beside its target. Leaving a `with` block discards it, unless it was committed."""

    def __init__(self, folder: Folder, name: RelativeName, overwrite: bool = True) -> None:
        """Begin *name* in its *folder*, which it closes at its end; without *overwrite* it takes only a name that is
        free then. Raises OSError."""
        self.name = name
        self._overwrite = overwrite
        self._folder = folder
        self._temporary, self._fd = self._begin()
        self._open = True

    def _begin(self) -> tuple[str, int]:
        return create_held(self._folder)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append all of *data*. Raises LocalFileError (no space, quota)."""
        view = memoryview(data)
        with naming("Cannot write the file", self._shown()):
            while view:
                view = view[os.write(self._fd, view) :]

    def restart(self) -> None:
        """Forget what has been written. Raises LocalFileError."""
        with naming("Cannot write the file", self._shown()):
            os.lseek(self._fd, 0, os.SEEK_SET)
            os.ftruncate(self._fd, 0)

    def digest(self, algorithm: str = "sha256") -> str:
        """The digest of what has been written so far, read back from the file."""
        with naming("Cannot read the file", self._shown()):
            return hash_descriptor(self._fd, algorithm)

    def sync(self) -> None:
        """Make what was written durable, so that `commit` takes no time. Raises LocalFileError."""
        with naming("Cannot write the file", self._shown()):
            os.fsync(self._fd)

    def commit(self) -> None:
        """Make it durable and give it its name. The caller has verified size and digest. Raises LocalFileError."""
        with naming("Cannot write the file", self._shown()):
            self._keep_mode(replaceable(self._folder, self.name))
            os.fsync(self._fd)
            if os.name == "nt":
                self._release()
            put(self._folder, self._temporary, self._folder, self.name.last, self._overwrite)
        self._close()

    def discard(self) -> None:
        """Remove it. Nothing happens when it was committed or discarded before."""
        if self._open:
            with contextlib.suppress(OSError):
                if os.name == "nt":
                    self._release()
                self._folder.remove(self._temporary)
            self._close()

    def _shown(self) -> str:
        return os.path.join(self._folder.path, self.name.last)

    def _keep_mode(self, older: os.stat_result | None) -> None:
        if older is not None and hasattr(os, "fchmod"):
            os.fchmod(self._fd, stat.S_IMODE(older.st_mode) & 0o777)

    def _release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _close(self) -> None:
        self._open = False
        self._release()
        self._folder.close()

    def __enter__(self) -> Part:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.discard()


def put(source: Folder, name: str, target: Folder, final: str, overwrite: bool) -> None:
    """Give *name* of *source*, which is no folder, its *final* name in *target*, at once. Raises OSError, and
    LocalFileError for what is there already, unless it may *overwrite*."""
    if overwrite:
        source.rename(name, target, final)
        return
    try:
        source.rename_new(name, target, final)
    except FileExistsError as error:
        raise came_meanwhile(target, final) from error


def came_meanwhile(folder: Folder, name: str) -> LocalFileError:
    """What to say of something that has taken the *name* since it was seen to be free."""
    return LocalFileError(
        "A file is there now",
        where=os.path.join(folder.path, name),
        why="it came while the artifact was fetched",
        hint="Choose another folder with --destination, or leave out --no-overwrite.",
    )


def replaceable(folder: Folder, name: RelativeName) -> os.stat_result | None:
    """The status of the older file that *name* replaces, or None. Raises LocalFileError when it is no regular file."""
    with naming("Cannot write the file", os.path.join(folder.path, name.last)):
        status = folder.look(name.last)
    if status is None:
        return None
    if is_link(status) or not stat.S_ISREG(status.st_mode):
        raise LocalFileError(
            "Cannot replace what has the file's name",
            where=os.path.join(folder.path, name.last),
            why=f"it is {kind_of(status)}, not a regular file",
            hint="Remove or rename it, or choose another folder with --destination.",
        )
    return status


def kind_of(status: os.stat_result) -> str:
    """What *status*, of lstat, is, in words."""
    if is_link(status):
        return "a symbolic link"
    known = {stat.S_IFDIR: "a folder", stat.S_IFREG: "a file"}
    return known.get(stat.S_IFMT(status.st_mode), "a device, FIFO or socket")
