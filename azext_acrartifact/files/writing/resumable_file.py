"""A file that survives a failed or killed pull, so that the next one downloads only the missing ranges."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Collection

from ..directory.handle import Folder
from ..names import TEMPORARY_PREFIX, RelativeName
from ..os_errors import naming, on_failure
from ..positioned_io import PositionedFile
from .older_file import OlderFile
from .resume_note import Note, NoteHeader, is_ours
from .temp_file import UNFINISHED_MODE, TemporaryFile, create_locked, restrict

DATA, NOTE = ".kept", ".note"
LIFETIME = 7 * 24 * 3600.0
"""Seconds after which a resumable file is removed."""


def stem_of(name: RelativeName) -> str:
    """Return the stem of the data and the note of the resumable file *name*."""
    return TEMPORARY_PREFIX + hashlib.sha256(name.last.encode()).hexdigest()[:16]


def resumable_bytes(folder: Folder, name: RelativeName) -> int:
    """Return how many bytes of *folder*'s file system the resumable file *name* occupies."""
    status = folder.look(stem_of(name) + DATA)
    if status is None:
        return 0
    # Windows reserves the whole size, and has no count of blocks.
    blocks: int | None = getattr(status, "st_blocks", None)
    return status.st_size if blocks is None else blocks * 512


def is_outdated(folder: Folder, entry: str) -> bool:
    """Return whether *entry* belongs to a resumable file that is too old, or is a note whose file was renamed just
    before its run was killed."""
    if not entry.startswith(TEMPORARY_PREFIX) or not entry.endswith((DATA, NOTE)):
        return False
    if entry.endswith(NOTE) and folder.look(entry.removesuffix(NOTE) + DATA) is None:
        return True
    status = folder.look(entry)
    # Some FUSE mounts have no times: 0 says nothing.
    return status is not None and 0 < status.st_mtime < time.time() - LIFETIME


class ResumableFile(TemporaryFile):
    """A temporary file of known size that another run can resume. Threads write its ranges in any order."""

    def __init__(
        self, folder: Folder, name: RelativeName, header: NoteHeader, mode: int, overwrite: bool = True, bits: int = 0
    ) -> None:
        """Resume or begin *name* in *folder*; the rest is as for `TemporaryFile`. Raises OSError."""
        self._data = stem_of(name) + DATA
        self._note = Note(stem_of(name) + NOTE, header)
        self.done = self._note.done
        """Numbers of the complete ranges."""
        self._older = OlderFile(folder, name.last)
        super().__init__(folder, name, mode, overwrite, bits)

    def write_at(self, data: memoryview, offset: int) -> None:
        """Write all of *data* at *offset*. Raises LocalFileError (no space, quota)."""
        with naming("Cannot write the file", self._folder.path, self.name.last):
            while data:
                count = self._file.write(data, offset)
                data, offset = data[count:], offset + count

    def read_at(self, buffer: memoryview, offset: int) -> int:
        """Read into *buffer* from *offset*. Return the number of bytes, 0 at the end. Raises LocalFileError."""
        with naming("Cannot read the file", self._folder.path, self.name.last):
            return self._file.read(buffer, offset)

    def read_older(self, buffer: memoryview, offset: int) -> int:
        """Read into *buffer* from *offset* of the file that has the name now. Return the number of bytes, 0 at its end
        or without such a file. Several threads may call it."""
        return self._older.read(buffer, offset)

    def mark(self, number: int) -> None:
        """Note that the range *number* is complete."""
        self._note.mark(number)

    def forget(self, numbers: Collection[int]) -> None:
        """Drop the ranges *numbers*, whose content turned out to be wrong, and close the older file, from which it may
        be. Raises OSError."""
        self._older.close()
        self._note.forget(numbers)
        if not self.done:
            self.restart()

    def commit(self) -> None:
        """Make it durable and rename it. The caller has verified it. Raises LocalFileError."""
        noted, folder = self._note.is_open, self._folder.again()
        self._older.close()  # Windows does not replace an open file
        try:
            super().commit()
            if noted:
                self._note.remove(folder)
        finally:
            folder.close()

    def discard(self) -> None:
        """Leave it for the next run if any range is complete, otherwise remove it."""
        if self._open and self._note.is_open:
            if self.done:
                self._close()
                return
            self._note.remove(self._folder)
        super().discard()

    def _begin(self) -> tuple[str, int]:
        """Open the data of an earlier run or a new file. While another run uses it, create a temporary file."""
        descriptor, fresh = self._open_data()
        if descriptor is None:
            name, descriptor = create_locked(self._folder)
        else:
            name = self._data
        with on_failure(os.close, descriptor), on_failure(self._note.close):
            if name == self._data:
                self._note.open(self._folder, fresh)
            self._file = PositionedFile(descriptor)
            if not self.done:
                os.ftruncate(descriptor, 0)
        return name, descriptor

    def _open_data(self) -> tuple[int | None, bool]:
        """Open the data file. Return its descriptor, None if it is locked or not ours, and whether it is new."""
        fresh = True
        try:
            descriptor = self._folder.create(self._data, UNFINISHED_MODE)
        except FileExistsError:
            fresh = False
            try:
                descriptor = self._folder.reopen(self._data)
            except OSError:
                return None, False
        with on_failure(os.close, descriptor):
            if is_ours(descriptor):
                restrict(descriptor)  # an older version made it readable for others
                locked = self._folder.locks.try_lock(self._data, descriptor)
                # Without locks, another run may still be writing to a file that exists: leave it alone.
                if locked or (fresh and locked is None):
                    return descriptor, fresh
        os.close(descriptor)
        return None, False

    def _close(self) -> None:
        self._older.close()
        self._note.close()
        super()._close()
