"""A backup that is stored in one tar: a resumable file beside it, in which every blob has its offset from the start."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence

from ..errors import DigestMismatchError, LocalFileError
from ..files.archive import tar_format as tar
from ..files.archive.tar_index import ByteRange
from ..files.local_file import fingerprint
from ..files.names import RelativeName
from ..files.os_errors import naming
from ..files.system_path import system_path
from ..files.writing.destination import Destination
from ..files.writing.resumable_file import ResumableFile
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest, Verifier
from ..transport.messages import BLOCK
from .files import TarFiles
from .index import INDEX_FILE, MARKER, MARKER_FILE, blob_name
from .tar_offsets import TarLayout


class TarStore:
    """`store.LayoutStore` of a tar, which gets its name when all of it is verified."""

    def __init__(
        self, path: str, block: int, blobs: Mapping[Digest, int], index: bytes, before: TarFiles | None
    ) -> None:
        """Write *blobs* of the given sizes and *index* to the tar *path*, and resume in blocks of *block* bytes. All
        else of *before*, the existing tar, is copied to the new one. Raises `LocalFileError`."""
        folder, name = os.path.split(os.path.abspath(path))
        self._name = RelativeName((name,))
        self._before = before
        self._small = {MARKER_FILE: MARKER, INDEX_FILE: index}
        blobs = {**(before.blobs() if before else {}), **blobs}
        self._digests = {blob_name(digest): digest for digest in sorted(blobs)}
        sizes = {name: len(raw) for name, raw in self._small.items()}
        self._layout = TarLayout.of(sizes | {name: blobs[digest] for name, digest in self._digests.items()})
        self._numbers = _numbered(self._layout.members, block)
        self._intact: set[str] = set()
        self._destination = Destination.open(folder)
        try:
            identity, size = self._layout.identity, self._layout.size
            self._file: ResumableFile = self._destination.open_resumable(self._name, identity, size, tar.BLOCK_SIZE)
        except BaseException:
            self._destination.close(failed=True)
            raise

    def begin(self, _missing: Sequence[Descriptor]) -> None:
        """Check that there is space for the whole tar, less what an earlier run has left of it."""
        self._require_untouched()
        saved = self._destination.resumable_bytes(self._name)
        self._destination.require_space(self._layout.size - saved)

    def has(self, blob: Descriptor) -> bool:
        """Return whether an earlier run has written *blob*. Reads all of it."""
        return self._is_intact(blob_name(blob.digest))

    def open_blob(self, blob: Descriptor) -> TarMember:
        """Open the range of the tar that belongs to *blob*."""
        name = blob_name(blob.digest)
        return TarMember(self._file, self._layout.members[name], self._numbers[name], lambda: self._intact.add(name))

    open_ranged = open_blob

    def finish(self) -> None:
        """Write the rest, and give the tar its name. Raises `DigestMismatchError` when a blob of the older tar is
        damaged, `LocalFileError` when another process has replaced the tar meanwhile."""
        for name, extent in self._layout.members.items():
            if name in self._small:
                self._file.write_at(memoryview(self._small[name]), extent.offset)
            elif not self._is_intact(name):
                self._copy_older(name, extent)
        for offset, header in self._layout.headers.items():
            self._file.write_at(memoryview(header), offset)
        self._file.sync()
        if self._before:
            self._before.close()  # Windows does not replace an open file
        with self._destination.alone():
            self._require_untouched()
            self._file.commit()

    def close(self, *, failed: bool) -> None:
        """Leave what was written for the next run, unless the tar is finished."""
        self._file.discard()
        self._destination.close(failed=failed)

    def _require_untouched(self) -> None:
        """Raise LocalFileError when the tar is another file than the one that was read first."""
        path = self._destination.shown(self._name)
        with naming("Cannot read the tar", path):
            found = fingerprint(os.lstat(system_path(path))) if os.path.lexists(system_path(path)) else None
        if found != (self._before.seen if self._before else None):
            raise LocalFileError("The tar was replaced during the backup", where=path, hint="Run the command again.")

    def _is_intact(self, name: str) -> bool:
        if name in self._intact:
            return True
        if not set(self._numbers[name]) <= self._file.done:
            return False
        extent = self._layout.members[name]
        verifier = Verifier(self._digests[name], extent.size)
        buffer = memoryview(bytearray(BLOCK))
        while verifier.seen < extent.size:
            count = self._file.read_at(buffer[: extent.size - verifier.seen], extent.offset + verifier.seen)
            if not count:
                return False
            verifier.update(buffer[:count])
        if verifier.is_right():
            self._intact.add(name)
        return name in self._intact

    def _copy_older(self, name: str, extent: ByteRange) -> None:
        """Copy a file of the older tar that is not part of this backup."""
        file = self._before.open(name) if self._before else None
        if file is None:
            raise LocalFileError(
                "A file of the layout is missing", where=name, hint="Choose another path for the backup."
            )
        verifier = Verifier(self._digests[name], extent.size)
        buffer = memoryview(bytearray(BLOCK))
        with file.open_range(0, file.size) as reader:
            while count := reader.readinto(buffer) or 0:
                verifier.update(buffer[:count])
                self._file.write_at(buffer[:count], extent.offset + verifier.seen - count)
        file.close()
        if not verifier.is_right():
            raise DigestMismatchError(
                "The existing tar is damaged", where=name, hint="Choose another path for the backup."
            )


class TarMember:
    """One blob inside of an unfinished tar: `blob_file.BlobFile` and `RangedFile`."""

    def __init__(self, file: ResumableFile, bounds: ByteRange, numbers: range, committed: Callable[[], None]) -> None:
        """Write *bounds* of *file*, whose blocks have *numbers*, and call *committed* when it is verified."""
        self._file, self._bounds, self._numbers, self._committed = file, bounds, numbers, committed
        self._position = 0
        self.done = {number - numbers.start for number in numbers if number in file.done}
        """Numbers of the blocks that are recorded as complete."""

    def write(self, data: memoryview) -> None:
        """Append *data*."""
        self.write_at(data, self._position)
        self._position += len(data)

    def restart(self) -> None:
        """Go back to the first byte."""
        self._position = 0

    def write_at(self, data: memoryview, offset: int) -> None:
        """Write *data* at *offset* of the blob."""
        self._file.write_at(data, self._bounds.offset + offset)

    def read_at(self, buffer: memoryview, offset: int) -> int:
        """Read back from *offset* of the blob."""
        return self._file.read_at(buffer[: self._bounds.size - offset], self._bounds.offset + offset)

    def mark(self, number: int) -> None:
        """Record that block *number* is complete."""
        self.done.add(number)
        self._file.mark(self._numbers.start + number)

    def forget(self, numbers: Collection[int]) -> None:
        """Drop the blocks *numbers*. The record of the tar still lists them: they are hashed before it counts."""
        self.done.difference_update(numbers)
        self._file.done.difference_update(self._numbers.start + number for number in numbers)

    def commit(self) -> None:
        """Record that all of it is complete and verified."""
        for number in self._numbers:
            if number not in self._file.done:
                self._file.mark(number)
        self._committed()

    def discard(self) -> None:
        """Do nothing: the bytes stay for the next run."""


def _numbered(members: Mapping[str, ByteRange], block: int) -> dict[str, range]:
    """Return the numbers of each file's blocks of *block* bytes in the record of the tar; at least one each."""
    numbers: dict[str, range] = {}
    start = 0
    for name, extent in members.items():
        count = max(1, -(-extent.size // block))
        numbers[name] = range(start, start + count)
        start += count
    return numbers
