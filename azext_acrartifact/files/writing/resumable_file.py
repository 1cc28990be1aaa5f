"""An unfinished file that is kept when a pull fails or is killed, with a note of which pieces of it are there.

The note only saves bytes on the wire: all of the file is hashed before it takes its name, whatever the note says.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
import time
from dataclasses import asdict, dataclass

from ..directory.handle import Folder
from ..names import TEMPORARY_PREFIX, RelativeName
from ..os_errors import naming, on_failure
from ..positioned_io import Positioned
from .temp_file import Part, create_held

DATA, NOTE = ".kept", ".note"
KEPT_FOR = 7 * 24 * 3600.0
"""Seconds after which nobody is going to go on."""
_SEGMENT = re.compile(r"[0-9]{1,19}")
_NOTE_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True)
class KeptHeader:
    """What the file is going to be; *size* and the length of a *segment* in bytes."""

    digest: str
    size: int
    segment: int


def stem_of(name: RelativeName) -> str:
    """What the entries kept for the file *name* begin with."""
    return TEMPORARY_PREFIX + hashlib.sha256(name.last.encode()).hexdigest()[:16]


def kept_bytes(folder: Folder, name: RelativeName) -> int:
    """The bytes of *folder*'s file system that an unfinished *name* of an earlier run takes."""
    status = folder.look(stem_of(name) + DATA)
    return 0 if status is None else getattr(status, "st_blocks", 0) * 512


def is_outdated(folder: Folder, entry: str) -> bool:
    """Whether *entry* is kept from a pull that was given up long ago, or is a note without its file: a run that
    was killed after it had given the file its name."""
    if not entry.startswith(TEMPORARY_PREFIX) or not entry.endswith((DATA, NOTE)):
        return False
    if entry.endswith(NOTE) and folder.look(entry.removesuffix(NOTE) + DATA) is None:
        return True
    status = folder.look(entry)
    return status is not None and time.time() - status.st_mtime > KEPT_FOR


class KeptPart(Part):
    """A file of known size that is written piece by piece, in any order, by several threads."""

    def __init__(self, folder: Folder, name: RelativeName, header: KeptHeader, overwrite: bool = True) -> None:
        """Go on with *name* in its *folder*, or begin it; *overwrite* as for `Part`. Raises OSError."""
        self._header = header
        self._stem = stem_of(name)
        self._note = -1
        self.done: set[int] = set()
        """Numbers of the segments that are there."""
        super().__init__(folder, name, overwrite)

    def write_at(self, data: memoryview, offset: int) -> None:
        """Write all of *data* at *offset*. Raises LocalFileError (no space, quota)."""
        with naming("Cannot write the file", self._shown()):
            while data:
                count = self._positioned.write(data, offset)
                data, offset = data[count:], offset + count

    def read_at(self, buffer: memoryview, offset: int) -> int:
        """Read back into *buffer* from *offset*; the number of bytes. Raises LocalFileError."""
        with naming("Cannot read the file", self._shown()):
            return self._positioned.read(buffer, offset)

    def mark(self, segment: int) -> None:
        """Note that *segment* is all there."""
        self.done.add(segment)
        if self._note >= 0:
            with contextlib.suppress(OSError):
                os.write(self._note, b"%d\n" % segment)

    def forget(self) -> None:
        """Begin again: what was there turned out wrong."""
        self.done.clear()
        self.restart()
        self._write_header()

    def commit(self) -> None:
        """Make it durable and give it its name. The caller has verified it. Raises LocalFileError."""
        noted, folder = self._note >= 0, self._folder.again()
        try:
            super().commit()
            if noted:
                with contextlib.suppress(OSError):
                    folder.remove(self._stem + NOTE)
        finally:
            folder.close()

    def discard(self) -> None:
        """Keep it for the next run when any of it is worth keeping, otherwise remove it."""
        if self._open and self.done and self._note >= 0:
            self._close()
            return
        if self._open and self._note >= 0:
            with contextlib.suppress(OSError):
                self._folder.remove(self._stem + NOTE)
        super().discard()

    def _begin(self) -> tuple[str, int]:
        """The data file of an earlier run, or a new one; one without a note when another run holds that."""
        descriptor, fresh = self._take_up()
        if descriptor is None:
            name, descriptor = create_held(self._folder)
        else:
            name = self._stem + DATA
        with on_failure(os.close, descriptor), on_failure(self._close_note):
            if name == self._stem + DATA:
                self._open_note(fresh)
            self._positioned = Positioned(descriptor)
            if not self.done:
                os.ftruncate(descriptor, 0)
        return name, descriptor

    def _take_up(self) -> tuple[int | None, bool]:
        """The data file, and whether it is new; none when another run holds it or somebody else laid it there."""
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
                held = self._folder.locks.hold(name, descriptor)
                # One that is there may be another run's, which goes on writing it: without a lock it is not touched.
                if held or (fresh and held is None):
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
            self._note = self._reopened_note()
        if self._note >= 0:
            self._read_note()

    def _reopened_note(self) -> int:
        """The note that is there; -1 when it is none of ours: a link to another file would have that written over."""
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
        # What follows the last newline was cut off, by a kill or a full disk: a number of which the end is missing.
        whole = os.read(self._note, _NOTE_LIMIT).rpartition(b"\n")[0]
        lines = whole.decode("ascii", "replace").split("\n")
        try:
            same = json.loads(lines[0]) == asdict(self._header)
        except (ValueError, RecursionError):
            same = False
        if same:
            count = -(-self._header.size // self._header.segment)
            self.done = {int(line) for line in lines[1:] if _SEGMENT.fullmatch(line) and int(line) < count}
            os.ftruncate(self._note, len(whole) + 1)
            os.lseek(self._note, len(whole) + 1, os.SEEK_SET)
        else:
            self._write_header()

    def _write_header(self) -> None:
        if self._note >= 0:
            os.ftruncate(self._note, 0)
            os.lseek(self._note, 0, os.SEEK_SET)
            os.write(self._note, json.dumps(asdict(self._header)).encode() + b"\n")

    def _close(self) -> None:
        self._close_note()
        super()._close()

    def _close_note(self) -> None:
        if self._note >= 0:
            os.close(self._note)
            self._note = -1


def _is_ours(descriptor: int) -> bool:
    """Whether it is a plain file with one name, of this user: nothing that somebody else laid there."""
    status = os.fstat(descriptor)
    own = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and own
