"""`PATH[:TYPE]` as typed on the command line, and the title of a path in the artifact."""

from __future__ import annotations

import ntpath
import os
import re
from dataclasses import dataclass

from ..errors import InvalidInputError
from ..oci.mediatypes import is_media_type

STDIN = "-"
"""The path that stands for standard input."""
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


@dataclass(frozen=True)
class FileSpec:
    """A local *path* and its media type, if one was given."""

    path: str
    media_type: str | None = None


def parse_file_spec(text: str) -> FileSpec:
    """Parse `PATH`, `PATH:TYPE`, or `PATH:` for a path that contains a colon. Raises `InvalidInputError`.

    The last colon separates the two, unless it belongs to a drive (`C:\\a.txt`) or the whole text is an existing path.
    """
    drive, rest = (text[:2], text[2:]) if _DRIVE.match(text) else ("", text)
    path, colon, media_type = rest.rpartition(":")
    if not colon:
        return FileSpec(_local(drive + rest))
    path = drive + path
    if not path:
        raise InvalidInputError("No path before the media type", where=text, hint="Write PATH:TYPE.")
    if not media_type:
        return FileSpec(_local(path))
    if is_media_type(media_type) and (os.path.lexists(path) or not os.path.lexists(text)):
        return FileSpec(_local(path), media_type)
    if os.path.lexists(text):
        return FileSpec(text)
    if media_type.startswith("//"):
        hint = "Give its path alone." if path == "file" else "Download it, or pipe it in: --file - --stdin-name NAME"
        raise InvalidInputError("A URL is not a file", where=text, hint=hint)
    plain = media_type.partition(";")[0].strip()
    raise InvalidInputError(
        "Not a media type",
        where=text,
        why=f"'{media_type}' is not TYPE/SUBTYPE",
        hint=f"Write {path}:{plain}"
        if is_media_type(plain)
        else "Write PATH:TYPE/SUBTYPE, or PATH: when the path itself contains a colon.",
    )


def title_of(path: str) -> str:
    """Return the title of *path*: the path itself if it is below the current folder, otherwise its base name, because
    a pull refuses titles like `/elsewhere/x` and `../x` as unsafe."""
    plain = path.replace("\\", "/") if os.sep == "\\" else path
    relative = os.path.normpath(plain).replace(os.sep, "/")
    # Python 3.13 takes a path without a drive, such as `\\folder\\file`, for relative.
    outside = plain.startswith("/") or ntpath.splitdrive(path)[0] or relative.split("/")[0] == ".."
    return os.path.basename(os.path.abspath(path)) if outside else relative


def title_below(path: str) -> str:
    """Return *path* relative to the current folder if it is below that, also an absolute one; else as `title_of`."""
    own, folder = os.path.abspath(path), os.path.abspath(os.curdir)
    below = own.startswith(os.path.join(folder, ""))
    return os.path.relpath(own, folder).replace(os.sep, "/") if below else title_of(path)


def _local(path: str) -> str:
    """Return *path* with `/` for `\\` if this system uses `/` and only that path exists."""
    converted = path.replace("\\", "/")
    if os.sep == "/" and converted != path and not os.path.lexists(path) and os.path.lexists(converted):
        return converted
    return path
