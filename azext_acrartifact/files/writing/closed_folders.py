"""The folders below a destination that no file of an artifact may reach, because Python imports from them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import PurePath

from ...errors import UnsafeContentError
from ..names import RelativeName, collision_key


class ClosedFolders:
    """The absolute *folders* that are *root*, the destination, or lie below it; they need not exist yet."""

    def __init__(self, root: str, folders: Iterable[str] = ()) -> None:
        above = _keys(os.path.realpath(root))
        every = ((folder, _keys(folder)) for folder in folders)
        self._folders = [(folder, keys[len(above) :]) for folder, keys in every if keys[: len(above)] == above]

    def require_outside(self, name: RelativeName, *, folder: bool = False) -> None:
        """Raise UnsafeContentError if *name* is in one of them, or would, not being a *folder*, take the name of a
        folder above one: a link there leads elsewhere."""
        if not self._folders:
            return
        parts = tuple(map(collision_key, name.parts))
        for closed, keys in self._folders:
            shared = min(len(keys), len(parts))
            if parts[:shared] == keys[:shared] and not (folder and len(parts) < len(keys)):
                raise UnsafeContentError(
                    "The file would become part of the Azure CLI's own Python",
                    where=str(name),
                    why=f"programs are loaded from {closed}",
                    hint="Choose another folder with --destination.",
                )


def _keys(path: str) -> tuple[str, ...]:
    return tuple(map(collision_key, PurePath(path).parts))
