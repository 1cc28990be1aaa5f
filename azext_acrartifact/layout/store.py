"""The store of a backup, which becomes an OCI image layout when the backup ends. An older layout is never damaged."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Protocol

from ..errors import InvalidInputError
from ..files.archive.foreign import has_compressed_name, without_ending
from ..files.names import TEMPORARY_PREFIX, RelativeName
from ..files.os_errors import naming
from ..files.system_path import system_path
from ..files.writing.destination import Destination
from ..oci.descriptor import Descriptor
from ..transfer.blob_file import BlobFile, RangedFile
from .files import FolderFiles, LayoutFiles, TarFiles, no_layout, open_layout, read_marker, read_small
from .index import INDEX_FILE, INDEX_LIMIT, MARKER, MARKER_FILE, LayoutIndex, blob_name, parse_index

Change = Callable[[LayoutIndex], LayoutIndex]
"""The change that a backup makes to the index of a layout."""


class LayoutStore(Protocol):
    """Stores blobs and manifests, and finally makes a layout of them. Several threads may use it at once."""

    def begin(self, missing: Sequence[Descriptor], /) -> None:
        """Raise `LocalFileError` unless there is space for the blobs *missing*. Call it before anything else."""

    def has(self, blob: Descriptor, /) -> bool:
        """Return whether an earlier run that did not end has left *blob* here, complete and intact."""

    def open_blob(self, blob: Descriptor) -> BlobFile:
        """Open a file for *blob*, which is written in order."""

    def open_ranged(self, blob: Descriptor) -> RangedFile:
        """Open a file for *blob*, which is written in ranges; it has the blocks of an earlier run."""

    def finish(self) -> None:
        """Make a layout of it, atomically."""

    def close(self, *, failed: bool) -> None:
        """Close it."""


class FolderStore:
    """A layout that is a folder. Every file gets its name when it is verified, `index.json` last."""

    def __init__(self, path: str, block: int, change: Change) -> None:
        """Use the folder *path*, created if missing, and resume in blocks of *block* bytes. Raises `LocalFileError`."""
        self._destination = Destination.open(path)
        self._block, self._change = block, change

    def begin(self, missing: Sequence[Descriptor]) -> None:
        """Check that there is space for *missing*, less what exists of them, and that the folder is writable."""
        saved = self._destination.resumable_bytes
        self._destination.require_space(sum(max(0, blob.size - saved(_name(blob))) for blob in missing))
        if self._destination.size_of(RelativeName((MARKER_FILE,))) is None:
            self._write(MARKER_FILE, MARKER)

    def has(self, _blob: Descriptor) -> bool:
        """Return False: the blobs that an earlier run completed are files of the layout."""
        return False

    def open_blob(self, blob: Descriptor) -> BlobFile:
        """Open a temporary file beside the blob's."""
        return self._destination.open_temporary(_name(blob))

    def open_ranged(self, blob: Descriptor) -> RangedFile:
        """Open a resumable file beside the blob's."""
        return self._destination.open_resumable(_name(blob), blob.digest, blob.size, self._block)

    def finish(self) -> None:
        """Write the index, with the artifacts that other runs have added meanwhile."""
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
        """Close the folder; after a failure, remove the empty folders that were created."""
        self._destination.close(failed=failed)

    def _write(self, name: str, content: bytes) -> None:
        with self._destination.open_temporary(RelativeName((name,))) as file:
            file.write(content)
            file.commit()


def existing_layout(path: str) -> tuple[LayoutFiles, LayoutIndex] | None:
    """Return the layout at *path*, even one whose backup did not end; None when nothing is there.

    Raises `LocalFileError` for anything else: a backup must not overwrite it, nor mix its files with it.
    """
    if not os.path.lexists(system_path(path)):
        return None
    files = open_layout(path)
    try:
        if isinstance(files, FolderFiles) and _is_empty(files.path):
            files.close()
            return None
        if not read_marker(files):
            raise no_layout(files, "Choose an empty folder, or a path that does not exist yet.")
        return files, _index_of(files)
    except BaseException:
        files.close()
        raise


def require_name(path: str) -> None:
    """Raise `InvalidInputError` for a *path* of a new layout that is named like a compressed archive."""
    if has_compressed_name(path) and not os.path.lexists(system_path(path)):
        raise InvalidInputError(
            "A backup is written as a folder or a plain .tar",
            where=path,
            why="a compressed archive cannot be resumed or added to, and layers are compressed already",
            hint=f"Give --destination {without_ending(path)}.tar",
        )


def is_tar(path: str) -> bool:
    """Return whether a layout at *path* is a tar: by the existing file or folder, otherwise by the name."""
    found = system_path(path)
    return os.path.isfile(found) or (path.lower().endswith(".tar") and not os.path.isdir(found))


def _index_of(files: LayoutFiles) -> LayoutIndex:
    raw = read_small(files, INDEX_FILE, INDEX_LIMIT)
    if raw is None and isinstance(files, TarFiles):
        raise no_layout(files, "Choose a path that does not exist yet.")
    return parse_index(raw, os.path.join(files.path, INDEX_FILE)) if raw is not None else LayoutIndex()


def _is_empty(path: str) -> bool:
    with naming("Cannot read the folder", path):
        return all(entry.startswith(TEMPORARY_PREFIX) for entry in os.listdir(system_path(path)))


def _name(blob: Descriptor) -> RelativeName:
    return RelativeName(tuple(blob_name(blob.digest).split("/")))
