"""Where a pull writes: each file goes to a temporary beside its target and takes its name at once, when it is right.

Nothing unverified is ever under a final name, and whatever fails leaves the user's older file as it was.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from types import TracebackType

from ...errors import LocalFileError
from ..directory.handle import Folder, is_link
from ..directory.posix import DescriptorFolder
from ..directory.windows import PathFolder
from ..hashing import hash_descriptor
from ..names import RelativeName
from ..os_errors import local_error, naming, on_failure
from .resumable_file import KeptHeader, KeptPart, is_outdated, kept_bytes
from .temp_file import Part, is_temporary, kind_of, replaceable, temporary_name


def open_folder(path: str) -> Folder:
    """The folder at *path*, which the user chose: links on the way to it are followed. Raises OSError."""
    if os.open in os.supports_dir_fd:
        return DescriptorFolder(os.open(path, os.O_RDONLY | os.O_DIRECTORY), path)
    if not os.path.isdir(path):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    return PathFolder(os.path.realpath(path))


def _make_folders(path: str) -> list[str]:
    """Make *path* and what is missing above it; the paths that were made, outermost first."""
    missing: list[str] = []
    while not os.path.lexists(path):
        missing.insert(0, path)
        path = os.path.dirname(path)
    made: list[str] = []
    try:
        for folder in missing:
            with naming("Cannot make the destination folder", folder), contextlib.suppress(FileExistsError):
                os.mkdir(folder)
                made.append(folder)
    except LocalFileError:
        _remove_empty(made)
        raise
    return made


def _remove_empty(folders: list[str]) -> None:
    for folder in reversed(folders):
        with contextlib.suppress(OSError):
            os.rmdir(folder)


class Destination:
    """The folder that a pull writes into. Threads may use it at once. Close it, or use it in a `with` block."""

    def __init__(self, root: Folder, made: list[str], overwrite: bool = True) -> None:
        self._root = root
        self.overwrite = overwrite
        """Whether what is written may replace what is there."""
        self._made_above = made
        self._made: list[RelativeName] = []
        self._swept: set[RelativeName] = set()
        self.path = root.path
        """Absolute."""

    @classmethod
    def open(cls, path: str, *, create: bool = True, overwrite: bool = True) -> Destination:
        """The folder at *path*, made with all above it unless *create* is false. Raises LocalFileError."""
        path = os.path.abspath(path)
        made = _make_folders(path) if create else []
        with on_failure(_remove_empty, made), naming("Cannot use the destination folder", path):
            return cls(open_folder(path), made, overwrite)

    def close(self, *, failed: bool = False) -> None:
        """Let go of it; after a failure, the folders that were made and are empty go too."""
        if failed:
            for name in sorted(self._made, key=lambda name: -len(name.parts)):
                self._remove_made(name)
        self._root.close()
        if failed:
            _remove_empty(self._made_above)

    def _remove_made(self, name: RelativeName) -> None:
        with contextlib.suppress(LocalFileError, OSError), self.folder(name.parent) as parent:
            parent.remove_folder(name.last)

    def __enter__(self) -> Destination:
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _traceback: TracebackType | None) -> None:
        self.close(failed=kind is not None)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other run is in such a block for this folder. Nothing is waited for where there are no such
        locks (Windows, some network mounts)."""
        with contextlib.closing(self._root.again()) as root:
            descriptor = root.locks.lock()
            try:
                yield
            finally:
                if descriptor is not None:
                    os.close(descriptor)

    def opened(self) -> Folder:
        """The folder itself, to be closed on its own."""
        return self._root.again()

    def shown(self, name: RelativeName) -> str:
        """The absolute path of *name*, for messages and output."""
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
        """Bytes that this user may still write there."""
        with naming("Cannot use the destination folder", self.path):
            return self._root.free_bytes()

    def require_writable(self, names: Iterable[RelativeName]) -> None:
        """See, before the first byte, that each of *names* could be written. Raises LocalFileError.

        Nothing but folders may lie on the way, nothing but a regular file at the end, and a file must be
        creatable in each folder that exists.
        """
        probed: set[RelativeName] = set()
        for name in names:
            with self.deepest(name.parent) as (folder, found):
                if found == name.parent:
                    replaceable(folder, name)
                if found not in probed:
                    probed.add(found)
                    self._probe(folder)

    def _probe(self, folder: Folder) -> None:
        with naming("Cannot write to the folder", folder.path):
            temporary = temporary_name()
            os.close(folder.create(temporary))
            with contextlib.suppress(FileNotFoundError):  # the sweep of another run was quicker
                folder.remove(temporary)

    def size_of(self, name: RelativeName) -> int | None:
        """The bytes of the regular file *name*; None when there is none."""
        with self.deepest(name.parent) as (folder, found), naming("Cannot read the file", self.shown(name)):
            status = folder.look(name.last) if found == name.parent else None
        return status.st_size if status is not None and stat.S_ISREG(status.st_mode) else None

    def holds(self, name: RelativeName) -> bool:
        """Whether anything has the name *name*; of the folder itself, whether anything is in it."""
        with self.deepest(name.parent) as (folder, found), naming("Cannot look at", self.shown(name)):
            if not name.parts:
                return bool(folder.names())
            return found == name.parent and folder.look(name.last) is not None

    def kept_bytes(self, name: RelativeName) -> int:
        """The bytes on the disk of *name* as an earlier run left it unfinished."""
        with self.deepest(name.parent) as (folder, found):
            return kept_bytes(folder, name) if found == name.parent else 0

    def digest_of(self, name: RelativeName, algorithm: str = "sha256") -> str | None:
        """The digest of the regular file *name*; None when there is none. Raises LocalFileError if unreadable."""
        if self.size_of(name) is None:
            return None
        with self.folder(name.parent) as folder, naming("Cannot read the file", self.shown(name)):
            descriptor = folder.open(name.last)
            try:
                return hash_descriptor(descriptor, algorithm)
            finally:
                os.close(descriptor)

    def open_part(self, name: RelativeName) -> Part:
        """A new unfinished file beside *name*, in folders that are made as needed. Raises LocalFileError."""
        folder = self._reach(name.parent)
        with on_failure(folder.close):
            replaceable(folder, name)
            with naming("Cannot write the file", self.shown(name)):
                return Part(folder, name, self.overwrite)

    def open_kept(self, name: RelativeName, digest: str, size: int, segment: int) -> KeptPart:
        """An unfinished file of *size* bytes beside *name* that outlives a failure, as an earlier run of the same
        *digest* left it; *segment* is the length of its pieces. Raises LocalFileError."""
        folder = self._reach(name.parent)
        with on_failure(folder.close):
            replaceable(folder, name)
            with naming("Cannot write the file", self.shown(name)):
                return KeptPart(folder, name, KeptHeader(digest, size, segment), self.overwrite)

    @contextlib.contextmanager
    def folder(self, name: RelativeName, *, create: bool = False) -> Iterator[Folder]:
        """The folder *name*, open for the block. Raises LocalFileError, also when a link lies on the way."""
        found = self._reach(name, create=create)
        try:
            yield found
        finally:
            found.close()

    @contextlib.contextmanager
    def deepest(self, name: RelativeName) -> Iterator[tuple[Folder, RelativeName]]:
        """The deepest folder on the way to *name* that exists, and its name. Raises LocalFileError."""
        folder, depth = self._root.again(), 0
        try:
            while depth < len(name.parts) and self._has(folder, name.parts[depth]):
                folder = self._step(folder, name.parts[depth])
                depth += 1
            found = RelativeName(name.parts[:depth])
            self._sweep(folder, found)
            yield folder, found
        finally:
            folder.close()

    @staticmethod
    def _has(folder: Folder, part: str) -> bool:
        with naming("Cannot open the folder", os.path.join(folder.path, part)):
            return folder.look(part) is not None

    def _reach(self, name: RelativeName, *, create: bool = True) -> Folder:
        folder = self._root.again()
        for depth, part in enumerate(name.parts, 1):
            with on_failure(folder.close), naming("Cannot make the folder", os.path.join(folder.path, part)):
                if create and folder.make(part):
                    self._made.append(RelativeName(name.parts[:depth]))
            folder = self._step(folder, part)
        self._sweep(folder, name)
        return folder

    def _step(self, folder: Folder, part: str) -> Folder:
        try:
            return folder.child(part)
        except OSError as error:
            status = folder.look(part)
            if status is not None and (is_link(status) or not stat.S_ISDIR(status.st_mode)):
                raise LocalFileError(
                    "Cannot write below what has a folder's name",
                    where=os.path.join(folder.path, part),
                    why=f"it is {kind_of(status)}, not a folder",
                    hint="Remove or rename it, or choose another folder with --destination.",
                ) from error
            raise local_error("Cannot open the folder", os.path.join(folder.path, part), error) from error
        finally:
            folder.close()

    def _sweep(self, folder: Folder, name: RelativeName) -> None:
        """Remove, once a folder, what dead runs left unfinished."""
        if name in self._swept:
            return
        self._swept.add(name)
        with contextlib.suppress(OSError):
            for entry in folder.names():
                if is_temporary(entry) or is_outdated(folder, entry):
                    folder.locks.remove_abandoned(entry)
