"""The folders of one run: those that the command may write to, and those that must not change."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path

from tests.hostile.site import OLDER

INPUT = b"what the user pushes\n" * 500
Entry = tuple[str, int, str]
"""A path's kind, permission bits, and content or link target."""
_OWN_ROOT = ("proc", "sys", "dev", "run", "tmp")


@dataclass
class Playground:
    """*folder*`/work` is the current folder and *folder*`/work/out` the destination; `outside` and `home` are not to
    be touched; `config` and `temporary` belong to the client."""

    folder: Path
    before: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path) -> Playground:
        """Create the folders and the user's files in them."""
        for name in ("work/out", "work/folder/deep", "outside/folder", "home", "config", "temporary"):
            (folder / name).mkdir(parents=True)
        for name in ("work/out/a.txt", "work/out/keep.txt", "outside/secret.txt", "outside/folder/x.txt"):
            (folder / name).write_bytes(OLDER)
        (folder / "work/input.txt").write_bytes(INPUT)
        (folder / "work/folder/deep/x.txt").write_bytes(INPUT)
        (folder / "home/.bashrc").write_bytes(OLDER)
        (folder / "home/.netrc").write_text(
            "default login me password netrc-secret-0123456789\n"
            "machine evil.example login me password netrc-secret-0123456789\n"
        )
        (folder / "home/.netrc").chmod(0o600)
        (folder / "outside/link").symlink_to("secret.txt")
        return cls(folder)

    @property
    def out(self) -> Path:
        """The destination."""
        return self.folder / "work" / "out"

    def remember(self) -> None:
        """Store the present state of the folders."""
        self.before = self.snapshot()

    def snapshot(self) -> dict[str, Entry]:
        """Return everything but the client's own folders, by path."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if not name.startswith(("config", "temporary")):
                found[name] = described(path)
        root = {f"/{name}": ("root", 0, "") for name in os.listdir("/") if name not in _OWN_ROOT}
        return {**found, **root}

    def remove(self) -> None:
        """Delete all folders."""
        shutil.rmtree(self.folder, ignore_errors=True)


def described(path: Path) -> Entry:
    """Return kind, permission bits and content of *path*, without following links."""
    status = path.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return "link", 0, os.readlink(path)
    if stat.S_ISREG(status.st_mode):
        content = path.read_bytes().hex() if status.st_size < 1 << 20 else f"{status.st_size} bytes"
        return "file", mode, content
    return ("folder" if stat.S_ISDIR(status.st_mode) else "special"), mode, ""
