"""Paths as the system takes them, however long they are."""

from __future__ import annotations

import ntpath
import os

LONGEST = 247
"""Most characters of a folder's path on Windows without the prefix: MAX_PATH leaves room for a name of 8.3
(https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation)."""
_PREFIX, _SHARES = "\\\\?\\", "\\\\?\\UNC\\"


def system_path(path: str) -> str:
    """Return *path* for a call of the system: on Windows a long one as `extended_path`, otherwise *path* itself."""
    return extended_path(path) if os.name == "nt" else path


def extended_path(path: str) -> str:
    """Return *path* as Windows takes it at any length, if it is long: absolute, with the prefix `\\\\?\\`."""
    absolute = ntpath.abspath(path)
    if len(absolute) <= LONGEST or absolute.startswith((_PREFIX, "\\\\.\\")):
        return path
    return _SHARES + absolute[2:] if absolute.startswith("\\\\") else _PREFIX + absolute


def plain_path(path: str) -> str:
    """Return *path* without the prefix of `extended_path`, as people write it. A volume without a drive keeps it."""
    if path.startswith(_SHARES):
        return "\\\\" + path[len(_SHARES) :]
    rest = path.removeprefix(_PREFIX)
    return rest if rest[1:2] == ":" else path
