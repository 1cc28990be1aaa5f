"""What the tests of files share: folders compared, and both ways to hold one."""

import os
import stat
import types
from pathlib import Path

import pytest


def snapshot(folder: Path) -> dict[str, tuple[str, int, bytes]]:
    """Everything below *folder*: kind, permission bits (not of links) and content or target."""
    found = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        kind = "link" if stat.S_ISLNK(mode) else "folder" if stat.S_ISDIR(mode) else "file"
        content = os.readlink(path).encode() if kind == "link" else path.read_bytes() if kind == "file" else b""
        found[str(path.relative_to(folder))] = (kind, 0 if kind == "link" else stat.S_IMODE(mode), content)
    return found


@pytest.fixture
def junctions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Windows way to hold a folder, in which whatever is called `junction…` is a reparse point, as Windows says."""
    look = os.lstat

    def looked(path: str) -> object:
        status = look(path)
        if not os.path.basename(path).startswith("junction"):
            return status
        named = {name: getattr(status, name) for name in dir(status) if name.startswith("st_")}
        return types.SimpleNamespace(**named, st_file_attributes=stat.FILE_ATTRIBUTE_REPARSE_POINT)

    monkeypatch.setattr(os, "supports_dir_fd", set())
    monkeypatch.setattr(os, "lstat", looked)
