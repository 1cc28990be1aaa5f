"""Recognize compressed files that are not read here, to say what they are."""

from __future__ import annotations

import os
import re
import shlex

MOST_READ = 10
"""Bytes at the start of a file that suffice."""
_STARTS = {
    # bzip2 has no registered magic, and a tar may begin with a member BZh…: the block's own bytes decide.
    "bzip2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\0"),
    "zip": re.compile(rb"PK(?:\x03\x04|\x05\x06)"),
    "7z": re.compile(rb"7z\xbc\xaf\x27\x1c"),
    "lz4": re.compile(rb"\x04\x22\x4d\x18"),
    "gzip": re.compile(rb"\x1f\x8b"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd"),
}
_ENDINGS = re.compile(
    r"(?<=.)(?:\.tar)?\.(?:gz|zstd?|xz|bz2|lz4|lzma|z|br|tgz|tzst|txz|tbz2?|zip|7z|rar)$", re.IGNORECASE
)


def compression_of(start: bytes) -> str | None:
    """Return what compressed a file that begins with *start*, its first `MOST_READ` bytes; None for a plain one."""
    return next((name for name, begins in _STARTS.items() if begins.match(start)), None)


def unpacking(path: str, compression: str) -> str:
    """Return the command that unpacks the file *path* to a folder: the tar of Windows and macOS reads all kinds, and
    that of Linux all but zip and 7z."""
    folder, path = (shlex.quote(one) for one in (without_ending(os.path.basename(path)), path))
    if compression == "zip":
        return f"unzip {path} -d {folder}"
    if compression == "7z":
        return f"7z x {path} -o{folder}"
    return f"mkdir {folder} && tar -xf {path} -C {folder}"


def has_compressed_name(path: str) -> bool:
    """Return whether *path* ends as the names of compressed archives do."""
    return without_ending(path) != path


def without_ending(path: str) -> str:
    """Return *path* without the ending of a compressed archive."""
    folder, name = os.path.split(path)
    return os.path.join(folder, _ENDINGS.sub("", name))
