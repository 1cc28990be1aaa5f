"""Read Notation's files, which decide what is trusted, so that no other user of this machine decides it instead.

A file is read only if neither it nor a folder above it, up to Notation's own, is a link or may be written by everybody.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from ..errors import LocalFileError, SignatureError
from ..files.os_errors import local_error

LONGEST_FILE = 1024 * 1024
MOST_FILES = 1000
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class NotationFolder:
    """Notation's folder of settings at the absolute *path*."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of_user(cls, variables: Mapping[str, str] | None = None, platform: str = sys.platform) -> NotationFolder:
        """Return the folder where Notation looks, by the environment *variables*:
        https://notaryproject.dev/docs/user-guides/how-to/directory-structure/"""
        found = os.environ if variables is None else variables
        home = found.get("USERPROFILE" if platform == "win32" else "HOME") or str(Path.home())
        folders = {
            "win32": found.get("APPDATA") or os.path.join(home, "AppData", "Roaming"),
            "darwin": os.path.join(home, "Library", "Application Support"),
        }
        usual = folders.get(platform) or found.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        return cls(Path(os.path.abspath(usual)) / "notation")

    def exists(self, name: str) -> bool:
        """Return whether there is something, of any kind, under *name*."""
        return os.path.lexists(self.path / name)

    def read(self, *names: str) -> bytes:
        """Return the content of the file *names*, folder by folder. Raises `SignatureError` unless it and its folders
        are safe, and `LocalFileError` when it cannot be read."""
        path = self._checked(names[:-1]) / names[-1]
        _require_safe(path, folder=False)
        try:
            # The open file is checked again: its name may mean another one by now.
            with os.fdopen(os.open(path, _FLAGS), "rb") as file:
                _require_mode(path, os.fstat(file.fileno()), folder=False)
                content = file.read(LONGEST_FILE + 1)
        except OSError as error:
            raise local_error("Could not read a file of Notation", str(path), error) from error
        if len(content) > LONGEST_FILE:
            raise LocalFileError(
                "A file of Notation is too long", where=str(path), why=f"more than {LONGEST_FILE} bytes"
            )
        return content

    def names_in(self, *names: str) -> list[str]:
        """Return the names in the folder *names*. Raises as `read` does."""
        path = self._checked(names)
        try:
            found = sorted(os.listdir(path))
        except OSError as error:
            raise local_error("Could not read a folder of Notation", str(path), error) from error
        if len(found) > MOST_FILES:
            raise SignatureError("A trust store has too many files", where=str(path), why=f"more than {MOST_FILES}")
        return found

    def _checked(self, names: tuple[str, ...]) -> Path:
        path = self.path
        _require_safe(path, folder=True)
        for name in names:
            path = path / name
            _require_safe(path, folder=True)
        return path


def _require_safe(path: Path, *, folder: bool) -> None:
    try:
        found = os.lstat(path)
    except OSError as error:
        raise local_error("Could not read what Notation trusts", str(path), error) from error
    # On Windows, junctions and the like are no links to Python.
    reparses = getattr(found, "st_file_attributes", 0) & stat.FILE_ATTRIBUTE_REPARSE_POINT
    if stat.S_ISLNK(found.st_mode) or reparses:
        raise _unsafe(path, "it is a link", "Put the file itself there: Notation follows no links either.")
    _require_mode(path, found, folder=folder)


def _require_mode(path: Path, found: os.stat_result, *, folder: bool) -> None:
    is_right = stat.S_ISDIR(found.st_mode) if folder else stat.S_ISREG(found.st_mode)
    if not is_right:
        raise _unsafe(
            path, f"it is no {'folder' if folder else 'regular file'}", "Remove it, or put a proper one there."
        )
    if os.name == "posix" and found.st_mode & stat.S_IWOTH:
        raise _unsafe(path, "every user of this machine may write to it", f"Run: chmod o-w {path}")


def _unsafe(path: Path, why: str, hint: str) -> SignatureError:
    return SignatureError("What is trusted here could be changed by others", where=str(path), why=why, hint=hint)
