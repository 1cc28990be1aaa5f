"""Where a backup is written. It is an OCI image layout when the backup has ended; what was there is never lost."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Protocol

from ..files.names import TEMPORARY_PREFIX, RelativeName
from ..files.os_errors import naming
from ..files.writing.destination import Destination
from ..oci.descriptor import Descriptor
from .files import FolderFiles, LayoutFiles, TarFiles, no_layout, open_layout, read_marker, read_small
from .index import INDEX_FILE, INDEX_LIMIT, MARKER, MARKER_FILE, LayoutIndex, blob_name, parse_index

Change = Callable[[LayoutIndex], LayoutIndex]
"""What a backup does to the index of a layout."""


class BlobPart(Protocol):
    """One blob or manifest under way, written from its first byte to its last."""

    def write(self, data: memoryview) -> None:
        """Append *data*."""

    def restart(self) -> None:
        """Forget what was written."""

    def commit(self) -> None:
        """Keep it: the caller has verified it."""

    def discard(self) -> None:
        """Let go of it; nothing happens after `commit`."""


class BlobPieces(Protocol):
    """One large blob under way, written piece by piece by several threads; pieces outlive a failure."""

    done: set[int]
    """Numbers of the pieces that are said to be there; the caller verifies them."""

    def write_at(self, data: memoryview, offset: int) -> None:
        """Write *data* at *offset*."""

    def read_at(self, buffer: memoryview, offset: int) -> int:
        """Read back from *offset*."""

    def mark(self, segment: int) -> None:
        """Note that piece *segment* is all there."""

    def forget(self) -> None:
        """Begin again."""

    def commit(self) -> None:
        """Keep it: the caller has verified it."""

    def discard(self) -> None:
        """Let go of it; nothing happens after `commit`."""


class LayoutStore(Protocol):
    """Takes blobs and manifests, and makes a layout of them at last. Threads may use it at once."""

    def begin(self, missing: Sequence[Descriptor], /) -> None:
        """Raise `LocalFileError` unless there is room for the blobs *missing*. Before everything else."""

    def holds(self, blob: Descriptor, /) -> bool:
        """Whether an earlier run that did not end has left *blob* here, all of it and right."""

    def open_part(self, blob: Descriptor) -> BlobPart:
        """Begin *blob*."""

    def open_pieces(self, blob: Descriptor) -> BlobPieces:
        """Go on with *blob*, or begin it, in pieces of the length that the store was opened with."""

    def finish(self) -> None:
        """Make a layout of it, at once."""

    def close(self, *, failed: bool) -> None:
        """Let go of it."""


class FolderStore:
    """A layout that is a folder. Every file takes its name when it is right, `index.json` last."""

    def __init__(self, path: str, segment: int, change: Change) -> None:
        """Use the folder *path*, which is made if need be. Raises `LocalFileError`."""
        self._destination = Destination.open(path)
        self._segment, self._change = segment, change

    def begin(self, missing: Sequence[Descriptor]) -> None:
        """See that there is room for *missing*, less what is there of them, and that the folder can be written to."""
        kept = self._destination.kept_bytes
        self._destination.require_space(sum(max(0, blob.size - kept(_place(blob))) for blob in missing))
        if self._destination.size_of(RelativeName((MARKER_FILE,))) is None:
            self._write(MARKER_FILE, MARKER)

    def holds(self, _blob: Descriptor) -> bool:
        """No: what an earlier run has completed is among the layout's files."""
        return False

    def open_part(self, blob: Descriptor) -> BlobPart:
        """A temporary beside the blob's place."""
        return self._destination.open_part(_place(blob))

    def open_pieces(self, blob: Descriptor) -> BlobPieces:
        """A temporary that outlives a failure."""
        return self._destination.open_kept(_place(blob), blob.digest, blob.size, self._segment)

    def finish(self) -> None:
        """Write the index; what others have added meanwhile stays in it."""
        with self._destination.alone():
            files = FolderFiles(self._destination.opened())
            try:
                before = _index_of(files)
            finally:
                files.close()
            after = self._change(before)
            if after != before or not before.entries:
                self._write(INDEX_FILE, after.encoded())

    def close(self, *, failed: bool) -> None:
        """Close the folder; after a failure, empty folders that were made go too."""
        self._destination.close(failed=failed)

    def _write(self, name: str, content: bytes) -> None:
        with self._destination.open_part(RelativeName((name,))) as part:
            part.write(content)
            part.commit()


def existing_layout(path: str) -> tuple[LayoutFiles, LayoutIndex] | None:
    """The layout that is at *path*, even one whose backup did not end; None when nothing is there.

    Raises `LocalFileError` for anything else: a backup must not write over it, nor between it.
    """
    if not os.path.lexists(path):
        return None
    files = open_layout(path)
    try:
        if isinstance(files, FolderFiles) and _is_empty(files.path):
            files.close()
            return None
        if not read_marker(files):
            raise no_layout(files, "Choose a folder that is empty, or a name that is free.")
        return files, _index_of(files)
    except BaseException:
        files.close()
        raise


def is_tar(path: str) -> bool:
    """Whether a layout at *path* is a tar: what is there decides, otherwise the name."""
    return os.path.isfile(path) or (path.lower().endswith(".tar") and not os.path.isdir(path))


def _index_of(files: LayoutFiles) -> LayoutIndex:
    raw = read_small(files, INDEX_FILE, INDEX_LIMIT)
    if raw is None and isinstance(files, TarFiles):
        raise no_layout(files, "Choose a name that is free.")
    return parse_index(raw, os.path.join(files.path, INDEX_FILE)) if raw is not None else LayoutIndex()


def _is_empty(path: str) -> bool:
    with naming("Cannot read the folder", path):
        return all(entry.startswith(TEMPORARY_PREFIX) for entry in os.listdir(path))


def _place(blob: Descriptor) -> RelativeName:
    return RelativeName(tuple(blob_name(blob.digest).split("/")))
