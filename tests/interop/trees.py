"""Create a folder with everything that a folder layer must preserve, and compare folders."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

LONG = "long-" + "x" * 190 + ".txt"
"""Too long for a plain tar header, which has room for 100 bytes."""
FOREIGN = "ünïcödé/日本語 – ☃.txt"

Snapshot = dict[str, tuple[str, int, object]]


def make_tree(folder: Path) -> Path:
    """Create and fill *folder*; return it."""
    _write(folder / "one.txt", b"one\n", 0o640)
    _write(folder / "run.sh", b"#!/bin/sh\necho run\n", 0o755)
    _write(folder / "deep" / "er" / "still" / "leaf.bin", bytes(range(256)) * 300, 0o644)
    _write(folder / "deep" / LONG, b"long\n", 0o600)
    _write(folder / FOREIGN, b"foreign\n", 0o644)
    _write(folder / "nothing", b"", 0o644)
    (folder / "empty").mkdir()
    (folder / "private").mkdir(mode=0o700)
    (folder / "link").symlink_to("one.txt")
    (folder / "deep" / "up").symlink_to("../one.txt")
    return folder


def write(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """Write *files* below *folder*; return their names."""
    for name, content in files.items():
        _write(folder / name, content, 0o644)
    return list(files)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of all files below *folder*, by path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def snapshot(folder: Path) -> Snapshot:
    """Return everything below *folder*: kind, mode and content of each entry by its path."""
    return {path.relative_to(folder).as_posix(): _entry(path) for path in sorted(folder.rglob("*"))}


def _entry(path: Path) -> tuple[str, int, object]:
    found = path.lstat()
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        return "link", 0, os.readlink(path)
    if stat.S_ISDIR(found.st_mode):
        return "folder", mode, None
    return "file", mode, path.read_bytes()


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
