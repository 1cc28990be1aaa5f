"""A backup that is written to one tar: to a temporary beside it, in which everything has its place from the start."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from ..errors import DigestMismatchError, LocalFileError
from ..files.archive import tar_format as tar
from ..files.archive.tar_index import Extent
from ..files.hashing import BLOCK
from ..files.local_file import fingerprint
from ..files.names import RelativeName
from ..files.os_errors import naming
from ..files.writing.destination import Destination
from ..files.writing.resumable_file import KeptPart
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest, Verifier
from .files import TarFiles
from .index import INDEX_FILE, MARKER, MARKER_FILE, blob_name
from .tar_offsets import TarLayout


class TarStore:
    """`layoutstore.LayoutStore` of a tar, which takes its name when all of it is right."""

    def __init__(
        self, path: str, segment: int, blobs: Mapping[Digest, int], index: bytes, before: TarFiles | None
    ) -> None:
        """Write the tar *path*. *blobs* are the sizes of what is saved, *index* is its `index.json`. What nobody writes
        is taken from *before*, the tar that is there: it stays in the new one. Raises `LocalFileError`."""
        folder, name = os.path.split(os.path.abspath(path))
        self._name = RelativeName((name,))
        self._before = before
        self._small = {MARKER_FILE: MARKER, INDEX_FILE: index}
        blobs = {**(before.blobs() if before else {}), **blobs}
        self._digests = {blob_name(digest): digest for digest in sorted(blobs)}
        sizes = {name: len(raw) for name, raw in self._small.items()}
        self._layout = TarLayout.of(sizes | {name: blobs[digest] for name, digest in self._digests.items()})
        self._numbers = _numbered(self._layout.extents, segment)
        self._right: set[str] = set()
        self._destination = Destination.open(folder)
        try:
            identity, size = self._layout.identity, self._layout.size
            self._part: KeptPart = self._destination.open_kept(self._name, identity, size, tar.BLOCK_SIZE)
        except BaseException:
            self._destination.close(failed=True)
            raise

    def begin(self, _missing: Sequence[Descriptor]) -> None:
        """See that there is room for the whole tar, less what an earlier run has left of it."""
        self._require_untouched()
        kept = self._destination.kept_bytes(self._name)
        self._destination.require_space(self._layout.size - kept)

    def holds(self, blob: Descriptor) -> bool:
        """Whether an earlier run has put *blob* in its place. Reads all of it."""
        return self._is_right(blob_name(blob.digest))

    def open_part(self, blob: Descriptor) -> TarMember:
        """*blob*'s place in the tar."""
        name = blob_name(blob.digest)
        return TarMember(self._part, self._layout.extents[name], self._numbers[name], lambda: self._right.add(name))

    def open_pieces(self, blob: Descriptor) -> TarMember:
        """The same."""
        return self.open_part(blob)

    def finish(self) -> None:
        """Write the rest, and give the tar its name. Raises `DigestMismatchError` when what the older tar holds is
        damaged, `LocalFileError` when somebody else has replaced it meanwhile."""
        for name, extent in self._layout.extents.items():
            if name in self._small:
                self._part.write_at(memoryview(self._small[name]), extent.offset)
            elif not self._is_right(name):
                self._take_over(name, extent)
        for offset, header in self._layout.headers.items():
            self._part.write_at(memoryview(header), offset)
        self._part.sync()
        with self._destination.alone():
            self._require_untouched()
            self._part.commit()

    def close(self, *, failed: bool) -> None:
        """Keep what is there for the next run, unless it is finished."""
        self._part.discard()
        self._destination.close(failed=failed)

    def _require_untouched(self) -> None:
        """Raise LocalFileError when another file has the tar's name than the one that was read first."""
        path = self._destination.shown(self._name)
        with naming("Cannot read the tar", path):
            found = fingerprint(os.lstat(path)) if os.path.lexists(path) else None
        if found != (self._before.seen if self._before else None):
            raise LocalFileError(
                "The tar was replaced while the backup was made", where=path, hint="Run the command again."
            )

    def _is_right(self, name: str) -> bool:
        if name in self._right:
            return True
        if not set(self._numbers[name]) <= self._part.done:
            return False
        extent = self._layout.extents[name]
        verifier = Verifier(self._digests[name], extent.size)
        buffer = memoryview(bytearray(BLOCK))
        while verifier.seen < extent.size:
            count = self._part.read_at(buffer[: extent.size - verifier.seen], extent.offset + verifier.seen)
            if not count:
                return False
            verifier.update(buffer[:count])
        try:
            verifier.finish()
        except DigestMismatchError:
            return False
        self._right.add(name)
        return True

    def _take_over(self, name: str, extent: Extent) -> None:
        """Copy what was in the older tar and nobody has asked for."""
        file = self._before.open(name) if self._before else None
        if file is None:
            raise LocalFileError("The layout has lost a file", where=name, hint="Choose another name for the backup.")
        verifier = Verifier(self._digests[name], extent.size)
        buffer = memoryview(bytearray(BLOCK))
        with file.open_range(0, file.size) as reader:
            while count := reader.readinto(buffer) or 0:
                verifier.update(buffer[:count])
                self._part.write_at(buffer[:count], extent.offset + verifier.seen - count)
        file.close()
        try:
            verifier.finish()
        except DigestMismatchError as error:
            raise DigestMismatchError(
                "The tar that is there is damaged", where=name, hint="Choose another name for the backup."
            ) from error


class TarMember:
    """One blob's place in a tar under way: `layoutstore.BlobPart` and `BlobPieces`."""

    def __init__(self, part: KeptPart, extent: Extent, numbers: range, committed: Callable[[], None]) -> None:
        """*committed* is called when the blob is all there and right."""
        self._part, self._extent, self._numbers, self._committed = part, extent, numbers, committed
        self._at = 0
        self.done = {number - numbers.start for number in numbers if number in part.done}
        """Numbers of the pieces that are said to be there."""

    def write(self, data: memoryview) -> None:
        """Append *data*."""
        self.write_at(data, self._at)
        self._at += len(data)

    def restart(self) -> None:
        """Go back to its beginning."""
        self._at = 0

    def write_at(self, data: memoryview, offset: int) -> None:
        """Write *data* at *offset* of the blob."""
        self._part.write_at(data, self._extent.offset + offset)

    def read_at(self, buffer: memoryview, offset: int) -> int:
        """Read back from *offset* of the blob."""
        return self._part.read_at(buffer[: self._extent.size - offset], self._extent.offset + offset)

    def mark(self, segment: int) -> None:
        """Note that piece *segment* is all there."""
        self.done.add(segment)
        self._part.mark(self._numbers.start + segment)

    def forget(self) -> None:
        """Begin again. The note of the tar still says that the pieces are there: they are hashed before it counts."""
        self.done.clear()
        self._part.done.difference_update(self._numbers)
        self._at = 0

    def commit(self) -> None:
        """Note that all of it is there and right."""
        for number in self._numbers:
            if number not in self._part.done:
                self._part.mark(number)
        self._committed()

    def discard(self) -> None:
        """Nothing: what is there stays for the next run."""


def _numbered(extents: Mapping[str, Extent], segment: int) -> dict[str, range]:
    """The numbers of each file's pieces of *segment* bytes, in the note of the tar; at least one each."""
    numbers: dict[str, range] = {}
    start = 0
    for name, extent in extents.items():
        count = max(1, -(-extent.size // segment))
        numbers[name] = range(start, start + count)
        start += count
    return numbers
