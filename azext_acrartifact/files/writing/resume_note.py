"""The note beside a resumable file: what the file will be, and which of its ranges are complete.

It only saves bytes on the network: the whole file is hashed before it is renamed, whatever the note says.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
from collections.abc import Collection
from dataclasses import dataclass

from ..directory.handle import Folder
from ..os_errors import on_failure

_NUMBER = re.compile(r"[0-9]{1,19}")
_SIZE_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True)
class NoteHeader:
    """The first line of a note: digest and size of the file, and the length of its ranges in bytes."""

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


class Note:
    """The note *name*, which need not exist: then nothing is noted, and the next run starts again."""

    def __init__(self, name: str, header: NoteHeader) -> None:
        self._name = name
        self._header = header
        self._fd = -1
        self.done: set[int] = set()
        """Numbers of the complete ranges."""

    @property
    def is_open(self) -> bool:
        """Whether the next run will find the note."""
        return self._fd >= 0

    def open(self, folder: Folder, fresh: bool) -> None:
        """Open the note in *folder* and read it, or begin it; a *fresh* file has no earlier one. Raises OSError."""
        if fresh:
            self.remove(folder)
        try:
            self._fd = folder.create(self._name, 0o600)
        except FileExistsError:
            self._fd = self._reopen(folder)
        if self.is_open:
            self._read()

    def mark(self, number: int) -> None:
        """Note that the range *number* is complete."""
        self.done.add(number)
        if self.is_open:
            with contextlib.suppress(OSError):
                os.write(self._fd, b"%d\n" % number)

    def forget(self, numbers: Collection[int]) -> None:
        """Note that the ranges *numbers* are not complete. Raises OSError."""
        self.done.difference_update(numbers)
        if self.is_open:
            os.ftruncate(self._fd, 0)
            os.lseek(self._fd, 0, os.SEEK_SET)
            lines = [json.dumps(self._header.fields), *map(str, sorted(self.done)), ""]
            os.write(self._fd, "\n".join(lines).encode())

    def close(self) -> None:
        """Close it, once."""
        if self.is_open:
            os.close(self._fd)
            self._fd = -1

    def remove(self, folder: Folder) -> None:
        """Close it and remove it from *folder*, if it exists: Windows removes no open file."""
        self.close()
        with contextlib.suppress(OSError):
            folder.remove(self._name)

    def _reopen(self, folder: Folder) -> int:
        """Open the existing note. Return -1 if it is not ours: writing to a hard link would change another file."""
        try:
            descriptor = folder.reopen(self._name)
        except OSError:
            return -1
        with on_failure(os.close, descriptor):
            if is_ours(descriptor):
                return descriptor
        os.close(descriptor)
        return -1

    def _read(self) -> None:
        # A kill or a full disk can cut the last line off in the middle of a number: ignore what has no newline.
        whole = os.read(self._fd, _SIZE_LIMIT).rpartition(b"\n")[0]
        lines = whole.decode("ascii", "replace").split("\n")
        try:
            same = json.loads(lines[0]) == self._header.fields
        except (ValueError, RecursionError):
            same = False
        if same:
            numbers = (int(line) for line in lines[1:] if _NUMBER.fullmatch(line))
            self.done.update(number for number in numbers if number < self._header.ranges)
            os.ftruncate(self._fd, len(whole) + 1)
            os.lseek(self._fd, len(whole) + 1, os.SEEK_SET)
        else:
            self.forget(range(0))


def is_ours(descriptor: int) -> bool:
    """Return whether it is a regular file with one name that belongs to this user, so that no other user planted it."""
    status = os.fstat(descriptor)
    own = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and own
