"""A temporary file beside its destination, and the check of what it would replace there."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import unicodedata

from ...errors import LocalFileError
from .. import modes
from ..directory.handle import Folder, is_link
from ..durable import make_durable
from ..names import TEMPORARY_PREFIX, RelativeName
from ..os_errors import naming, on_failure, where_supported

UNFINISHED_MODE = 0o600
"""Permission bits of a file until it takes its name: what it replaces may be for its owner's eyes only."""
_SUFFIX = ".part"


def temporary_name() -> str:
    """Return a new random name that `is_temporary` recognizes."""
    return f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"


def is_temporary(entry: str) -> bool:
    """Return whether *entry* of a folder is named like one of our temporary files or staging folders."""
    return entry.startswith(TEMPORARY_PREFIX) and entry.endswith(_SUFFIX)


def create_locked(folder: Folder) -> tuple[str, int]:
    """Create a temporary file in *folder*, locked against the sweep of other runs. Return its name and descriptor."""
    while True:
        temporary = temporary_name()
        descriptor = folder.create(temporary, UNFINISHED_MODE)
        with on_failure(os.close, descriptor):
            if folder.locks.try_lock(temporary, descriptor) is not False:
                return temporary, descriptor
        os.close(descriptor)


def new_file_mode(folder: Folder) -> int:
    """Return the permission bits that a new file gets in *folder*: its umask or default ACL decides. Raises OSError."""
    temporary = temporary_name()
    descriptor = folder.create(temporary)
    try:
        return stat.S_IMODE(os.fstat(descriptor).st_mode)
    finally:
        os.close(descriptor)
        with contextlib.suppress(FileNotFoundError):  # another run has swept it already
            folder.remove(temporary)


def keeps_apart(folder: Folder) -> bool:
    """Return whether *folder* keeps names apart that differ by case or Unicode form. Raises OSError."""
    name = f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}\N{LATIN CAPITAL LETTER E WITH ACUTE}{_SUFFIX}"
    os.close(folder.create(name))
    try:
        return all(folder.look(twin) is None for twin in (name.lower(), unicodedata.normalize("NFD", name)))
    finally:
        with contextlib.suppress(FileNotFoundError):  # another run has swept it already
            folder.remove(name)


def created_modes(folder: Folder) -> int | None:
    """Return the permission bits that new files in *folder* may have, by its umask or default ACL; None where its file
    system has none to give (FAT, some mounts), or nothing can be created."""
    found: list[int] = []
    for mode in (0o777, 0o600):
        name = temporary_name()
        try:
            descriptor = folder.create(name, mode)
        except OSError:
            return None
        with contextlib.closing(os.fdopen(descriptor)):
            found.append(stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o777)
        with contextlib.suppress(FileNotFoundError):
            folder.remove(name)
    every, own = found[0], found[1]
    return every if modes.HAS_MODES and own == every & 0o600 else None


def narrow(folder: Folder, mode: int) -> None:
    """Take all permission bits but *mode* from *folder*. The setgid bit stays: the system gave it."""
    found = folder.mode()
    if found & mode != found & 0o777:
        folder.set_mode(found & (mode | ~0o777))


def executable(mode: int, bits: int) -> int:
    """Return *mode* with those of the *bits* to execute a file whose users may read it."""
    return mode | (mode & 0o444) >> 2 & bits


def set_mode(descriptor: int, mode: int) -> None:
    """Give the file the permission bits *mode*, unless its file system has none to give. Raises OSError."""
    if hasattr(os, "fchmod") and stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
        with where_supported():
            os.fchmod(descriptor, mode)


def add_bits(descriptor: int, bits: int) -> None:
    """Let those execute the file who may read it, as far as *bits* say and its file system allows."""
    with contextlib.suppress(OSError):
        set_mode(descriptor, executable(stat.S_IMODE(os.fstat(descriptor).st_mode), bits))


def restrict(descriptor: int) -> None:
    """Take the rights of others from an unfinished file, as far as its file system allows."""
    with contextlib.suppress(OSError):
        set_mode(descriptor, UNFINISHED_MODE)


class TemporaryFile:
    """A temporary file beside its destination. Leaving a `with` block discards it, unless it was committed."""

    def __init__(self, folder: Folder, name: RelativeName, mode: int, overwrite: bool = True, bits: int = 0) -> None:
        """Create it in *folder*, which it closes at the end. `commit` gives it *name*, unless that exists then and
        *overwrite* is false, with the mode of the file that it replaces, or else with *mode*, and the *bits* to execute
        it. Raises OSError."""
        self.name = name
        self._mode, self._bits = mode, bits
        self._overwrite = overwrite
        self._folder = folder
        self._temporary, self._fd = self._begin()
        self._open = True

    def _begin(self) -> tuple[str, int]:
        return create_locked(self._folder)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append all of *data*. Raises LocalFileError (no space, quota)."""
        view = memoryview(data)
        with naming("Cannot write the file", self._folder.path, self.name.last):
            while view:
                view = view[os.write(self._fd, view) :]

    def restart(self) -> None:
        """Drop what has been written. Raises LocalFileError."""
        with naming("Cannot write the file", self._folder.path, self.name.last):
            os.lseek(self._fd, 0, os.SEEK_SET)
            os.ftruncate(self._fd, 0)

    def sync(self) -> None:
        """Make what has been written durable, so that `commit` is fast. Raises LocalFileError."""
        with naming("Cannot write the file", self._folder.path, self.name.last):
            make_durable(self._fd)

    def commit(self) -> None:
        """Make it durable and rename it. The caller has verified size and digest. Raises LocalFileError."""
        with naming("Cannot write the file", self._folder.path, self.name.last):
            older = replaceable(self._folder, self.name)
            make_durable(self._fd)
            with on_failure(restrict, self._fd):
                mode = stat.S_IMODE(older.st_mode) & 0o777 if older else self._mode
                set_mode(self._fd, mode)
                add_bits(self._fd, self._bits)
                if os.name == "nt":
                    self._release()
                put(self._folder, self._temporary, self._folder, self.name.last, self._overwrite)
        self._close()

    def discard(self) -> None:
        """Remove it, unless it was committed or discarded before."""
        if self._open:
            with contextlib.suppress(OSError):
                if os.name == "nt":
                    self._release()
                self._folder.remove(self._temporary)
            self._close()

    def _release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _close(self) -> None:
        self._open = False
        self._release()
        self._folder.close()

    def __enter__(self) -> TemporaryFile:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.discard()


def put(source: Folder, name: str, target: Folder, final: str, overwrite: bool) -> None:
    """Move the file or link *name* of *source* to *final* in *target* atomically. Raises OSError, and LocalFileError
    when *final* exists and *overwrite* is false."""
    if overwrite:
        source.rename(name, target, final)
        return
    try:
        source.rename_new(name, target, final)
    except FileExistsError as error:
        raise created_meanwhile(target, final) from error


def created_meanwhile(folder: Folder, name: str) -> LocalFileError:
    """Return the error for a *name* that did not exist when the pull began and exists now."""
    return LocalFileError(
        "A file of this name exists now",
        where=os.path.join(folder.path, name),
        why="it was created during the download",
        hint="Choose another folder with --destination, or leave out --no-overwrite.",
    )


def replaceable(folder: Folder, name: RelativeName) -> os.stat_result | None:
    """Return the status of the regular file *name*, None if nothing has that name. Raises LocalFileError otherwise."""
    with naming("Cannot write the file", folder.path, name.last):
        status = folder.look(name.last)
    if status is None:
        return None
    if is_link(status) or not stat.S_ISREG(status.st_mode):
        raise LocalFileError(
            "The file's name is taken",
            where=os.path.join(folder.path, name.last),
            why=f"it is {kind_of(status)}, not a regular file",
            hint="Remove or rename it, or choose another folder with --destination.",
        )
    return status


def kind_of(status: os.stat_result) -> str:
    """Return the kind of file of *status*, from lstat, in words."""
    if is_link(status):
        return "a symbolic link"
    known = {stat.S_IFDIR: "a folder", stat.S_IFREG: "a file"}
    return known.get(stat.S_IFMT(status.st_mode), "a device, FIFO or socket")
