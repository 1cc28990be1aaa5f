"""The destination folder of a pull. Files are written beside their destination and renamed once they are verified.

No unverified content ever has its final name, and whatever fails leaves the user's older file unchanged.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
from collections.abc import Iterable, Iterator
from types import TracebackType

from ...errors import LocalFileError, UnsafeContentError
from ..directory import open_folder
from ..directory.handle import Folder
from ..hashing import hash_descriptor
from ..names import RelativeName, Twins
from ..os_errors import naming, on_failure
from ..system_path import system_path
from .closed_folders import ClosedFolders
from .folder_tree import FolderTree
from .resumable_file import ResumableFile, resumable_bytes
from .resume_note import NoteHeader
from .temp_file import TemporaryFile, add_bits, created_modes, executable, keeps_apart, new_file_mode, replaceable

LONGEST_WAIT = 10.0
"""Seconds to wait for the lock of the folder. Other runs hold it for some milliseconds."""


def _make_folders(path: str) -> list[str]:
    """Make *path* and missing folders above it. Return the paths that were made, outermost first."""
    missing: list[str] = []
    while not os.path.lexists(system_path(path)):
        missing.insert(0, path)
        above = os.path.dirname(path)
        if above == path:
            raise LocalFileError(
                "Cannot make the destination folder",
                where=missing[-1],
                why=f"there is no drive or share {path}",
                hint="Connect it, or choose another folder.",
            )
        path = above
    made: list[str] = []
    try:
        for folder in missing:
            with naming("Cannot make the destination folder", folder), contextlib.suppress(FileExistsError):
                os.mkdir(system_path(folder))
                made.append(folder)
    except LocalFileError:
        _remove_empty(made)
        raise
    return made


def _remove_empty(folders: list[str]) -> None:
    for folder in reversed(folders):
        with contextlib.suppress(OSError):
            os.rmdir(system_path(folder))


def _shown_by(path: str) -> str:
    """Return how to find the process that uses *path*."""
    return "" if os.name == "nt" else f" (fuser -v {path} shows it)"


class Destination:
    """The folder that a pull writes to. Several threads may use it. Close it, or use it in a `with` block."""

    def __init__(self, root: Folder, made: list[str], overwrite: bool = True, closed: Iterable[str] = ()) -> None:
        self._root = root
        self.folders = FolderTree(root)
        self.overwrite = overwrite
        """Whether existing files may be replaced."""
        self._made_above = made
        self._modes: dict[RelativeName, int] = {}
        self.path = root.path
        """Absolute."""
        self.closed = ClosedFolders(root.path, closed)
        """Folders that no file may be written to."""

    @classmethod
    def open(cls, path: str, *, create: bool = True, overwrite: bool = True, closed: Iterable[str] = ()) -> Destination:
        """Open the folder *path*, making it and folders above it if *create* is true. No file may be written to the
        absolute folders *closed*. Raises LocalFileError."""
        path = os.path.abspath(path)
        made = _make_folders(path) if create else []
        with on_failure(_remove_empty, made), naming("Cannot use the destination folder", path):
            return cls(open_folder(path), made, overwrite, closed)

    def close(self, *, failed: bool = False) -> None:
        """Close it. After a failure, remove the folders that were made and are empty."""
        if failed:
            self.folders.remove_made()
        self.folders.close()
        if failed:
            _remove_empty(self._made_above)

    def __enter__(self) -> Destination:
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _traceback: TracebackType | None) -> None:
        self.close(failed=kind is not None)

    @contextlib.contextmanager
    def alone(self, longest_wait: float = LONGEST_WAIT) -> Iterator[None]:
        """Lock the folder for the block, waiting for other runs. Does nothing where folders cannot be locked (some
        network mounts). Raises LocalFileError if it stays locked: another user may lock it who may only read it.
        """
        with contextlib.closing(self._root.again()) as root:
            try:
                descriptor = root.locks.wait_for_lock(longest_wait)
            except BlockingIOError as error:
                raise LocalFileError(
                    "The folder is locked",
                    where=self.path,
                    why=error.strerror or "",
                    hint=f"End that process{_shown_by(self.path)}, or choose another --destination.",
                ) from error
            try:
                yield
            finally:
                if descriptor is not None:
                    os.close(descriptor)

    def opened(self) -> Folder:
        """Return the folder itself, opened once more for the caller to close."""
        return self._root.again()

    def shown(self, name: RelativeName) -> str:
        """Return the absolute path of *name*, for messages and output."""
        return os.path.join(self.path, *name.parts)

    def require_space(self, needed: int) -> None:
        """Raise LocalFileError unless *needed* bytes are free."""
        free = self.free_bytes()
        if needed > free:
            raise LocalFileError(
                "There is not enough free space",
                where=self.path,
                why=f"{needed:,} bytes are needed and {free:,} are free",
                hint="Free some space, or choose another folder with --destination.",
            )

    def free_bytes(self) -> int:
        """Return how many bytes this user may still write there."""
        with naming("Cannot use the destination folder", self.path):
            return self._root.free_bytes()

    def require_writable(self, names: Iterable[RelativeName]) -> None:
        """Raise LocalFileError, before anything is downloaded, unless each of *names* can be written.

        Only folders may be on the way, only a regular file at the end, and existing folders must allow new files.
        """
        for parent, together in itertools.groupby(names, lambda name: name.parent):
            with self.folders.deepest(parent) as (folder, found):
                if found == parent:
                    for name in together:
                        replaceable(folder, name)
                self._mode_in(folder, found)

    def _mode_in(self, folder: Folder, name: RelativeName) -> int:
        """Return the mode of new files in *folder*, called *name*. Raises LocalFileError if none can be made."""
        if name not in self._modes:
            with naming("Cannot write to the folder", folder.path):
                self._modes[name] = new_file_mode(folder)
        return self._modes[name]

    def require_apart(self, twins: Iterable[Twins]) -> None:
        """Raise UnsafeContentError unless the disk keeps *twins* apart."""
        for pair in twins:
            with self.folders.deepest(pair.parent) as (folder, _), naming("Cannot write to the folder", folder.path):
                apart = keeps_apart(folder)
            if not apart:
                raise UnsafeContentError(
                    "Two files of the artifact have the same name on this disk",
                    where=f"{pair.first}, {pair.second}",
                    hint="Pull them to different folders with --include and --destination.",
                )

    def modes_below(self, name: RelativeName) -> int | None:
        """Return the permission bits that new files in *name*, or the deepest folder above it, may have; None where
        nothing can be said of modes. Raises LocalFileError."""
        with self.folders.deepest(name) as (folder, _):
            return created_modes(folder)

    def misses_bits(self, name: RelativeName, bits: int) -> bool:
        """Return whether the file *name* misses some of the *bits* to execute it that it could have."""
        with self.folders.open(name.parent) as folder, naming("Cannot read the file", self.path, *name.parts):
            status = folder.look(name.last)
        mode = stat.S_IMODE(status.st_mode) if status else 0
        return executable(mode, bits) != mode and self.modes_below(name.parent) is not None

    def give_bits(self, name: RelativeName, bits: int) -> None:
        """Let those execute the file *name* who may read it, as far as *bits* say and the system allows."""
        with self.folders.open(name.parent) as folder, naming("Cannot open the file", self.path, *name.parts):
            descriptor = folder.open(name.last)
        with contextlib.closing(os.fdopen(descriptor, "rb")):
            add_bits(descriptor, bits)

    def size_of(self, name: RelativeName) -> int | None:
        """Return the size of the regular file *name* in bytes, None when there is none."""
        with (
            self.folders.deepest(name.parent) as (folder, found),
            naming("Cannot read the file", self.path, *name.parts),
        ):
            status = folder.look(name.last) if found == name.parent else None
        return status.st_size if status is not None and stat.S_ISREG(status.st_mode) else None

    def holds(self, name: RelativeName) -> bool:
        """Return whether *name* exists; for the folder itself, whether it has any entries."""
        with (
            self.folders.deepest(name.parent) as (folder, found),
            naming("Cannot check the path", self.path, *name.parts),
        ):
            if not name.parts:
                return bool(folder.names())
            return found == name.parent and folder.look(name.last) is not None

    def resumable_bytes(self, name: RelativeName) -> int:
        """Return how many bytes on the disk an earlier run has already used for *name*."""
        with self.folders.deepest(name.parent) as (folder, found):
            return resumable_bytes(folder, name) if found == name.parent else 0

    def digest_of(self, name: RelativeName, algorithm: str = "sha256") -> str | None:
        """Return the digest of the regular file *name*, None when there is none. Raises LocalFileError."""
        if self.size_of(name) is None:
            return None
        with self.folders.open(name.parent) as folder, naming("Cannot read the file", self.path, *name.parts):
            descriptor = folder.open(name.last)
            try:
                return hash_descriptor(descriptor, algorithm)
            finally:
                os.close(descriptor)

    def open_temporary(self, name: RelativeName, bits: int = 0) -> TemporaryFile:
        """Create a temporary file beside *name*, making missing folders; *bits* as for `TemporaryFile`. Raises
        LocalFileError."""
        folder = self._folder_for(name)
        with on_failure(folder.close), naming("Cannot write the file", self.path, *name.parts):
            return TemporaryFile(folder, name, self._mode_in(folder, name.parent), self.overwrite, bits)

    def open_resumable(
        self, name: RelativeName, digest: str, size: int, range_size: int, bits: int = 0
    ) -> ResumableFile:
        """Resume or create the resumable file of *digest* and *size* beside *name*, which is written in ranges of
        *range_size* bytes; *bits* as for `TemporaryFile`. Raises LocalFileError."""
        folder = self._folder_for(name)
        with on_failure(folder.close), naming("Cannot write the file", self.path, *name.parts):
            header, mode = NoteHeader(digest, size, range_size), self._mode_in(folder, name.parent)
            return ResumableFile(folder, name, header, mode, self.overwrite, bits)

    def _folder_for(self, name: RelativeName) -> Folder:
        folder = self.folders.reach(name.parent)
        with on_failure(folder.close):
            replaceable(folder, name)
        return folder
