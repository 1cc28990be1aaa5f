"""A file that survives a failed or killed pull, with a note of the ranges that are complete.

The note only saves bytes on the network: the whole file is hashed before it is renamed, whatever the note says.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
import time
from dataclasses import dataclass

from ..directory.handle import Folder
from ..names import TEMPORARY_PREFIX, RelativeName
from ..os_errors import naming, on_failure
from ..positioned_io import PositionedFile
from .temp_file import TemporaryFile, create_locked

DATA, NOTE = ".kept", ".note"
LIFETIME = 7 * 24 * 3600.0
"""Seconds after which a resumable file is removed."""
_NUMBER = re.compile(r"[0-9]{1,19}")
_NOTE_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True)
class KeptHeader:
    """The first line of a note: the file's content, and the length of its ranges in bytes."""

    digest: str
    size: int
    range_size: int

    @property
    def ranges(self) -> int:
        """Number of ranges."""
        return -(-self.size // self.range_size)

    @property
    def fields(self) -> dict[str, str | int]:
        """The JSON object of that line. Its names must stay: an older version may have left the note."""
        return {"digest": self.digest, "size": self.size, "segment": self.range_size}


def stem_of(name: RelativeName) -> str:
    """Return the stem of the two files that belong to the resumable file *name*."""
    return TEMPORARY_PREFIX + hashlib.sha256(name.last.encode()).hexdigest()[:16]


def kept_bytes(folder: Folder, name: RelativeName) -> int:
    """Return how many bytes of *folder*'s file system the resumable file *name* occupies."""
    status = folder.look(stem_of(name) + DATA)
    return 0 if status is None else getattr(status, "st_blocks", 0) * 512


def is_outdated(folder: Folder, entry: str) -> bool:
    """Return whether *entry* belongs to a resumable file that is too old, or is a note whose file was renamed just
    before its run was killed."""
    if not entry.startswith(TEMPORARY_PREFIX) or not entry.endswith((DATA, NOTE)):
        return False
    if entry.endswith(NOTE) and folder.look(entry.removesuffix(NOTE) + DATA) is None:
        return True
    status = folder.look(entry)
    return status is not None and time.time() - status.st_mtime > LIFETIME


class KeptPart(TemporaryFile):
    """A temporary file of known size that another run can resume. Threads write its ranges in any order."""

    def __init__(self, folder: Folder, name: RelativeName, header: KeptHeader, overwrite: bool = True) -> None:
        """Resume or begin *name* in *folder*; *overwrite* as for `TemporaryFile`. Raises OSError."""
        self._header = header
        self._stem = stem_of(name)
        self._note = -1
        self.done: set[int] = set()
        """Numbers of the complete ranges."""
        super().__init__(folder, name, overwrite)

    def write_at(self, data: memoryview, offset: int) -> None:
        """Write all of *data* at *offset*. Raises LocalFileError (no space, quota)."""
        with naming("Cannot write the file", self._shown()):
            while data:
                count = self._file.write(data, offset)
                data, offset = data[count:], offset + count

    def read_at(self, buffer: memoryview, offset: int) -> int:
        """Read into *buffer* from *offset*. Return the number of bytes, 0 at the end. Raises LocalFileError."""
        with naming("Cannot read the file", self._shown()):
            return self._file.read(buffer, offset)

    def mark(self, number: int) -> None:
        """Note that the range *number* is complete."""
        self.done.add(number)
        if self._note >= 0:
            with contextlib.suppress(OSError):
                os.write(self._note, b"%d\n" % number)

    def forget(self) -> None:
        """Start again from nothing, because the content turned out to be wrong."""
        self.done.clear()
        self.restart()
        self._write_header()

    def commit(self) -> None:
        """Make it durable and rename it. The caller has verified it. Raises LocalFileError."""
        noted, folder = self._note >= 0, self._folder.again()
        try:
            super().commit()
            if noted:
                with contextlib.suppress(OSError):
                    folder.remove(self._stem + NOTE)
        finally:
            folder.close()

    def discard(self) -> None:
        """Leave it for the next run if any range is complete, otherwise remove it."""
        if self._open and self.done and self._note >= 0:
            self._close()
            return
        if self._open and self._note >= 0:
            with contextlib.suppress(OSError):
                self._folder.remove(self._stem + NOTE)
        super().discard()

    def _begin(self) -> tuple[str, int]:
        """Open the data file of an earlier run or a new one. While another run uses it, create a temporary file."""
        descriptor, fresh = self._open_data()
        if descriptor is None:
            name, descriptor = create_locked(self._folder)
        else:
            name = self._stem + DATA
        with on_failure(os.close, descriptor), on_failure(self._close_note):
            if name == self._stem + DATA:
                self._open_note(fresh)
            self._file = PositionedFile(descriptor)
            if not self.done:
                os.ftruncate(descriptor, 0)
        return name, descriptor

    def _open_data(self) -> tuple[int | None, bool]:
        """Open the data file. Return its descriptor, None if it is locked or not ours, and whether it is new."""
        name, fresh = self._stem + DATA, True
        try:
            descriptor = self._folder.create(name)
        except FileExistsError:
            fresh = False
            try:
                descriptor = self._folder.reopen(name)
            except OSError:
                return None, False
        with on_failure(os.close, descriptor):
            if _is_ours(descriptor):
                locked = self._folder.locks.try_lock(name, descriptor)
                # Without locks, another run may still be writing to a file that exists: leave it alone.
                if locked or (fresh and locked is None):
                    return descriptor, fresh
        os.close(descriptor)
        return None, False

    def _open_note(self, fresh: bool) -> None:
        if fresh:
            with contextlib.suppress(OSError):
                self._folder.remove(self._stem + NOTE)
        try:
            self._note = self._folder.create(self._stem + NOTE, 0o600)
        except FileExistsError:
            self._note = self._reopen_note()
        if self._note >= 0:
            self._read_note()

    def _reopen_note(self) -> int:
        """Open the existing note. Return -1 if it is not ours: writing to a hard link would change another file."""
        try:
            descriptor = self._folder.reopen(self._stem + NOTE)
        except OSError:
            return -1
        with on_failure(os.close, descriptor):
            if _is_ours(descriptor):
                return descriptor
        os.close(descriptor)
        return -1

    def _read_note(self) -> None:
        # A kill or a full disk can cut the last line off in the middle of a number: ignore what has no newline.
        whole = os.read(self._note, _NOTE_LIMIT).rpartition(b"\n")[0]
        lines = whole.decode("ascii", "replace").split("\n")
        try:
            same = json.loads(lines[0]) == self._header.fields
        except (ValueError, RecursionError):
            same = False
        if same:
            numbers = (int(line) for line in lines[1:] if _NUMBER.fullmatch(line))
            self.done = {number for number in numbers if number < self._header.ranges}
            os.ftruncate(self._note, len(whole) + 1)
            os.lseek(self._note, len(whole) + 1, os.SEEK_SET)
        else:
            self._write_header()

    def _write_header(self) -> None:
        if self._note >= 0:
            os.ftruncate(self._note, 0)
            os.lseek(self._note, 0, os.SEEK_SET)
            os.write(self._note, json.dumps(self._header.fields).encode() + b"\n")

    def _close(self) -> None:
        self._close_note()
        super()._close()

    def _close_note(self) -> None:
        if self._note >= 0:
            os.close(self._note)
            self._note = -1


def _is_ours(descriptor: int) -> bool:
    """Return whether it is a regular file with one name that belongs to this user, and not planted by another one."""
    status = os.fstat(descriptor)
    own = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and own
