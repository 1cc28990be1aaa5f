"""Pack the same files on this system and on Windows, and compare the digests."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from azext_acrartifact.files.archive.pack import PackedFolder
from devtools import environment, steps

FILES = {
    "README.md": b"one\ntwo\r\n",
    "Zebra": b"",
    "alpha": b"a",
    "deep/er/still/file.bin": bytes(range(256)) * 8192,
    "naïve 文件.txt": b"beyond ASCII",
    "sub/" + "l" * 120: b"longer than a name in ustar",
    "sub/page.html": b"<p>\n",
    "run.sh": b"#!/bin/sh\n",
    "tool.bat": b"@exit\r\n",
    "tool.exe": b"MZ",
}
"""Files by their paths: sorted apart by case, of several lengths, a script, and names of programs on Windows."""


def compare(windows: Callable[[list[str]], bytes]) -> int:
    """Print and compare the digests here with those that *windows* finds, which runs Python; return the exit code."""
    arguments = ["-m", "devtools.windows.digests"]
    here = subprocess.run(
        [sys.executable, *arguments], cwd=steps.ROOT, env=environment.clean(), check=True, stdout=subprocess.PIPE
    )
    ours, theirs = json.loads(here.stdout), json.loads(windows(arguments))
    differing = [name for name in ours if ours[name] != theirs.get(name)]
    for name in ours:
        ending = f"but {theirs.get(name)} on Windows" if name in differing else "on both systems"
        print(f"{name}: {ours[name]} {ending}")
    return 1 if differing else 0


def digests(top: Path) -> dict[str, str]:
    """Write the files below the empty folder *top*; return the uncompressed digest of each folder."""
    for name, content in FILES.items():
        path = top / "all" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for path in top.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.suffix == ".sh" else 0o644)  # whatever the umask is
    folders = ["all", "all/deep", "all/sub"]
    return {folder: PackedFolder.scan(str(top / folder), folder).tar_digest() for folder in folders}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(digests(Path(folder))))
