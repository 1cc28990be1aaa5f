"""The files of an OCI image layout, in a folder or in a tar that is not unpacked.

The layout may be hostile: links are not followed, and only regular files are opened.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from typing import Protocol

from ..errors import LocalFileError
from ..files.archive.tar_index import ByteRange, index_tar
from ..files.directory import open_folder
from ..files.directory.handle import Folder
from ..files.local_file import FilePart, LocalFile
from ..files.os_errors import local_error, naming, on_failure
from ..files.system_path import system_path
from ..files.writing.temp_file import kind_of
from ..oci.content import Content
from ..oci.digest import Digest, is_digest
from .index import BLOBS, INDEX_FILE, INDEX_LIMIT, MARKER_FILE, MARKER_LIMIT, LayoutIndex, check_marker, parse_index

DOCKER_SAVE_FILE = "manifest.json"
"""The top file of a tar by `docker save` (https://github.com/moby/docker-image-spec)."""
DIR_FILE, DIR_START = "version", b"Directory Transport Version:"
"""The file that marks a folder by `skopeo copy … dir:FOLDER`, and its first bytes
(https://github.com/containers/image/blob/main/docs/containers-transports.5.md)."""


class LayoutFile(Content, Protocol):
    """One open file of a layout."""

    def open_range(self, offset: int, length: int) -> io.RawIOBase:
        """Return a fresh reader of *length* bytes from *offset*."""

    def close(self) -> None:
        """Close it; its readers cannot be used any more."""


class LayoutFiles(Protocol):
    """Files by name, a path with `/`. Several threads may use it at once."""

    path: str
    """The absolute path of the folder or tar."""

    def open(self, name: str) -> LayoutFile | None:
        """Open the regular file *name*, or return None. Raises `LocalFileError` when it is something else."""

    def close(self) -> None:
        """Close it."""


class FolderFiles:
    """A layout that is a folder."""

    def __init__(self, root: Folder) -> None:
        self._root = root
        self.path = root.path

    def open(self, name: str) -> LocalFile | None:
        """Open the regular file *name*, without following links."""
        *above, last = name.split("/")
        folder, shown = self._root.again(), os.path.join(self.path, *name.split("/"))
        try:
            for parent in above:
                inner = folder.child(parent)
                folder.close()
                folder = inner
            descriptor = _open_regular(folder, last)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise local_error("Cannot read the layout", shown, error) from error
        finally:
            folder.close()
        return None if descriptor is None else LocalFile(shown, descriptor)

    def close(self) -> None:
        """Close the folder."""
        self._root.close()


class TarFiles:
    """A layout that is a tar."""

    def __init__(self, file: LocalFile, members: dict[str, ByteRange]) -> None:
        self._file = file
        self.members = members
        """The offset and size of each file by name."""
        self.path = file.path
        self.seen = file.seen
        """The fingerprint of the tar when it was opened."""

    def open(self, name: str) -> LayoutFile | None:
        """Open the member *name*, or return None."""
        extent = self.members.get(name)
        return None if extent is None else FilePart(self._file, extent.offset, extent.size)

    def blobs(self) -> dict[Digest, int]:
        """Return the sizes of all blobs and manifests, also of those that nothing refers to."""
        named = ((name.partition("/"), extent) for name, extent in self.members.items())
        sizes = {last.replace("/", ":"): extent.size for (first, _, last), extent in named if first == BLOBS}
        return {Digest(text): size for text, size in sizes.items() if is_digest(text)}

    def close(self) -> None:
        """Close the tar."""
        self._file.close()


def open_layout(path: str) -> LayoutFiles:
    """Open the layout at *path*, a folder or a tar of any name. Raises `LocalFileError` when it is neither."""
    path = os.path.abspath(path)
    if os.path.isdir(system_path(path)):
        with naming("Cannot read the layout", path):
            return FolderFiles(open_folder(path))
    file = LocalFile.open(path)
    with on_failure(file.close):
        return TarFiles(file, index_tar(file))


def read_layout(files: LayoutFiles) -> LayoutIndex:
    """Read the index of the layout *files*. Raises `InvalidManifestError` for an index that breaks the specification,
    and `LocalFileError` when it is no layout at all."""
    if not read_marker(files):
        raise no_layout(files, "Name a folder or .tar that a backup has written.")
    index = read_small(files, INDEX_FILE, INDEX_LIMIT)
    if index is None:
        raise LocalFileError(
            "The layout is not complete",
            where=files.path,
            why=f"it has no {INDEX_FILE}",
            hint="Run the backup again: it resumes.",
        )
    return parse_index(index, os.path.join(files.path, INDEX_FILE))


def read_marker(files: LayoutFiles) -> bool:
    """Return whether *files* are a layout. Raises `InvalidManifestError` for an unsupported version."""
    marker = read_small(files, MARKER_FILE, MARKER_LIMIT)
    if marker is not None:
        check_marker(marker, os.path.join(files.path, MARKER_FILE))
    return marker is not None


def read_small(files: LayoutFiles, name: str, limit: int) -> bytes | None:
    """Read the file *name*, or return None. Raises `LocalFileError` above *limit* bytes."""
    file = files.open(name)
    if file is None:
        return None
    try:
        if file.size > limit:
            raise LocalFileError(
                "A file of the layout is too long", where=os.path.join(files.path, name), why=f"more than {limit} bytes"
            )
        with io.BufferedReader(file.open_range(0, file.size)) as reader:
            return reader.read()
    finally:
        file.close()


def no_layout(files: LayoutFiles, hint: str) -> LocalFileError:
    """Return the error for *files* that are no layout; *hint* is for files of an unknown format."""
    if _is_by_skopeo(files):
        return LocalFileError(
            "Not an OCI image layout",
            where=files.path,
            why="skopeo wrote it with dir:",
            hint=f"Convert it: skopeo copy dir:{files.path} oci:LAYOUT:TAG",
        )
    saved = files.open(DOCKER_SAVE_FILE)
    if saved is not None:
        saved.close()
        return LocalFileError(
            "Not an OCI image layout",
            where=files.path,
            why="docker save wrote it",
            hint="Convert it: skopeo copy docker-archive:FILE.tar oci-archive:LAYOUT.tar:TAG",
        )
    return LocalFileError(
        "Not an OCI image layout",
        where=files.path,
        why=f"it has no file {MARKER_FILE}",
        hint=hint,
    )


def _is_by_skopeo(files: LayoutFiles) -> bool:
    with contextlib.suppress(LocalFileError):
        return (read_small(files, DIR_FILE, MARKER_LIMIT) or b"").startswith(DIR_START)
    return False


def _open_regular(folder: Folder, name: str) -> int | None:
    """Open the regular file *name*, or return None. Raises OSError for anything else, without opening it."""
    status = folder.look(name)
    if status is None:
        return None
    _require_regular(status)
    descriptor = folder.open(name)
    with on_failure(os.close, descriptor):
        _require_regular(os.fstat(descriptor))
    return descriptor


def _require_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, f"it is {kind_of(status)}, not a regular file")
