"""Local files and folders as typed, checked before anything is sent."""

from __future__ import annotations

import contextlib
import glob
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..errors import LocalFileError
from ..operations.file_spec import FileSpec, parse_file_spec

_PATTERN = re.compile(r"[*?\[]")
_QUOTED = re.compile("['\"\u2018\u2019\u201c\u201d].*|.*['\"\u2018\u2019\u201c\u201d]", re.DOTALL)
_ARCHIVES = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"BZh", b"PK")
"""The first bytes of compressed files, which are refused with better advice where a layout is read."""


def file_specs(typed: Iterable[str]) -> list[FileSpec]:
    """Parse the values of --file. A pattern that the shell has not expanded, such as cmd.exe's `*.zip`, stands for the
    files that match it. Raises `InvalidInputError`, and `LocalFileError` if none does."""
    return [found for text in typed for found in _expanded(parse_file_spec(text))]


def _expanded(spec: FileSpec) -> Sequence[FileSpec]:
    if os.path.lexists(spec.path):
        return [spec]
    if _QUOTED.fullmatch(spec.path):
        hint = "The quotes are part of the name. Leave them out, or use the quotes of your shell."
        raise LocalFileError("No such file", where=spec.path, hint=hint)
    parts = spec.path.split(",")
    if len(parts) > 1 and all(map(os.path.lexists, parts)):
        raise LocalFileError("No such file", where=spec.path, hint=f"Separate files by spaces: {' '.join(parts)}")
    if not _PATTERN.search(spec.path):
        return [spec]
    found = sorted(glob.glob(spec.path))
    if not found:
        raise LocalFileError(f"No file matches {spec.path}", hint="Check the pattern, and the current folder.")
    return [replace(spec, path=path) for path in found]


def require_current_folder(path: str) -> None:
    """Raise `LocalFileError` if *path* is relative to a current folder that does not exist any more."""
    try:
        os.path.abspath(path)
    except FileNotFoundError as error:
        hint = "Change to a folder that exists, or give an absolute path."
        raise LocalFileError("The current folder was removed", where=path, hint=hint) from error


def require_folder(path: str) -> None:
    """Raise `LocalFileError` if a file is at *path*, to which a folder is to be written."""
    require_current_folder(path)
    if os.path.lexists(path) and not os.path.isdir(path):
        raise LocalFileError(f"--destination takes a folder, and {path} is a file", hint="Name its folder.")


def require_layout(path: str, found: str, hint: str) -> None:
    """Raise `LocalFileError` if a file is at *path* that is no archive; *found* ends the sentence that says so."""
    require_current_folder(path)
    if not os.path.isfile(path):
        return
    with contextlib.suppress(OSError), open(path, "rb") as file:
        start = file.read(262)
        if start[257:262] != b"ustar" and not start.startswith(_ARCHIVES):
            raise LocalFileError(f"{path} {found}", hint=hint)
