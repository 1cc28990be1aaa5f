"""Decide which files of a pushed folder are left out: by its `.artifactignore`, or by default, and by `--exclude`.

As in Azure Pipelines, the file has the syntax of .gitignore, lies in the pushed folder itself, and replaces the
default, so an empty one keeps `.git`: https://learn.microsoft.com/azure/devops/artifacts/reference/artifactignore
"""

from __future__ import annotations

import os

from ...errors import LocalFileError
from ..os_errors import naming
from ..patterns import Patterns
from ..system_path import system_path

IGNORE_FILE = ".artifactignore"
FINDER_FILE = ".DS_Store"
"""What Finder of macOS writes into each folder that it shows."""
LEFT_OUT = (".git", FINDER_FILE)
"""Left out of a folder without an ignore file: a checkout's `.git/config` may hold a token."""
_LONGEST = 1 << 20


class Exclusion:
    """What is left out of all folders of a push. *exclude* comes after each folder's own patterns."""

    def __init__(self, exclude: Patterns | None = None) -> None:
        self.exclude = exclude or Patterns()
        self.left_out: list[str] = []
        """What was left out by default so far, by its name in the artifact."""
        self.twins: list[tuple[str, str]] = []
        """Names that were not left out, and that some file systems take for one."""

    def of_folder(self, path: str, title: str) -> FolderExclusion:
        """Return the rules of the folder *path*, called *title*. Raises LocalFileError, InvalidInputError."""
        own = _read(os.path.join(path, IGNORE_FILE))
        default = own is None
        patterns = Patterns.of(LEFT_OUT) if own is None else own
        return FolderExclusion(self, patterns.followed_by(self.exclude), title if default else None)


class FolderExclusion:
    """What is left out of one folder."""

    def __init__(self, whole: Exclusion, patterns: Patterns, title: str | None) -> None:
        """*title* is that of a folder with default patterns, otherwise None."""
        self._whole, self._patterns, self._title = whole, patterns, title

    def leaves_out(self, path: str, folder: bool, above: bool) -> bool:
        """Return whether *path* in the folder is left out; *above*: whether its own folder is."""
        out = self._patterns.leaves_out(path, folder, above)
        if out and not above and self._title is not None and not self._whole.exclude.leaves_out(path, folder):
            self._whole.left_out.append(path if self._title == "." else f"{self._title}/{path}")
        return out

    def note_twins(self, first: str, second: str) -> None:
        """Note two names of one folder that some file systems take for one."""
        self._whole.twins.append((first, second))

    def may_take_back_below(self, path: str) -> bool:
        """Return whether a file below *path*, which is left out, can be taken back."""
        return self._patterns.may_take_back_below(path)


def _read(path: str) -> Patterns | None:
    """Return the patterns of the ignore file *path*, None if it does not exist."""
    if not os.path.lexists(system_path(path)):
        return None
    with naming("Cannot read the file", path), open(system_path(path), "rb") as file:
        content = file.read(_LONGEST + 1)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise _unreadable(path, "it is not UTF-8", "Save it as UTF-8.") from error
    if len(content) > _LONGEST:
        raise _unreadable(path, f"it is longer than {_LONGEST:,} bytes", "Shorten it.")
    return Patterns.of_file(text, path)


def _unreadable(path: str, why: str, hint: str) -> LocalFileError:
    return LocalFileError("Cannot read the patterns", where=path, why=why, hint=hint)
