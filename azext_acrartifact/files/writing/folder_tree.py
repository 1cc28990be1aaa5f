"""Reach folders below a root one component at a time, make missing ones, and sweep what killed runs left in them."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from ...errors import LocalFileError
from ..directory.handle import Folder, is_link
from ..names import RelativeName
from ..os_errors import local_error, naming, on_failure
from .resumable_file import is_outdated
from .temp_file import is_temporary, kind_of


class FolderTree:
    """The folders below *root*, which it closes. Several threads may use it."""

    def __init__(self, root: Folder) -> None:
        self._root = root
        self._made: list[RelativeName] = []
        self._swept: set[RelativeName] = set()

    def close(self) -> None:
        """Close the root."""
        self._root.close()

    def remove_made(self) -> None:
        """Remove the folders that were made here, as far as they are empty."""
        for name in sorted(self._made, key=lambda name: -len(name.parts)):
            with contextlib.suppress(LocalFileError, OSError), self.open(name.parent) as parent:
                parent.remove_folder(name.last)

    @contextlib.contextmanager
    def open(self, name: RelativeName, *, create: bool = False) -> Iterator[Folder]:
        """Yield the folder *name*. Raises LocalFileError, also for a link on the way."""
        found = self.reach(name, create=create)
        try:
            yield found
        finally:
            found.close()

    @contextlib.contextmanager
    def deepest(self, name: RelativeName) -> Iterator[tuple[Folder, RelativeName]]:
        """Yield the deepest existing folder on the way to *name*, and its name. Raises LocalFileError."""
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

    def reach(self, name: RelativeName, *, create: bool = True) -> Folder:
        """Return the folder *name*, which the caller closes, making missing folders. Raises LocalFileError."""
        folder = self._root.again()
        for depth, part in enumerate(name.parts, 1):
            with on_failure(folder.close), naming("Cannot make the folder", folder.path, part):
                if create and folder.make(part):
                    self._made.append(RelativeName(name.parts[:depth]))
            folder = self._step(folder, part)
        self._sweep(folder, name)
        return folder

    @staticmethod
    def _has(folder: Folder, part: str) -> bool:
        with naming("Cannot open the folder", folder.path, part):
            return folder.look(part) is not None

    @staticmethod
    def _step(folder: Folder, part: str) -> Folder:
        try:
            return folder.child(part)
        except OSError as error:
            status = None
            with contextlib.suppress(OSError):
                status = folder.look(part)
            if status is not None and (is_link(status) or not stat.S_ISDIR(status.st_mode)):
                raise LocalFileError(
                    "The folder's name is taken",
                    where=os.path.join(folder.path, part),
                    why=f"it is {kind_of(status)}, not a folder",
                    hint="Remove or rename it, or choose another folder with --destination.",
                ) from error
            raise local_error("Cannot open the folder", os.path.join(folder.path, part), error) from error
        finally:
            folder.close()

    def _sweep(self, folder: Folder, name: RelativeName) -> None:
        """Remove, once for each folder, the temporary files of killed runs."""
        if name in self._swept:
            return
        self._swept.add(name)
        with contextlib.suppress(OSError):
            for entry in folder.names():
                if is_temporary(entry) or is_outdated(folder, entry):
                    folder.locks.remove_abandoned(entry)
