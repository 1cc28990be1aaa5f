"""The files that documents and help texts speak of."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.signers import chain_of, write_pem

LARGE = 257 * 1024**2
"""The size of a model of two parts: one of 256 MiB, and some more."""

FILES = {
    "artifact.txt": "Here is an artifact\n", "README.md": "# Read me\n", "docs/guide.md": "A page\n",
    "docs/page.log": "A log\n", "sbom.json": "{}\n", "notes.txt": "notes\n", "config.json": "{}\n",
}  # fmt: skip


def write_samples(folder: Path, model: int = 1024**2) -> None:
    """Write small files, a program, a *model* of so many bytes, and the keys of a signer into *folder*."""
    (folder / "docs").mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "app.bin").write_bytes(os.urandom(100_000))
    (folder / "build.sh").write_text("#!/bin/sh\necho built >app.bin\n")
    (folder / "build.sh").chmod(0o755)
    (folder / "model.gguf").touch()
    os.truncate(folder / "model.gguf", model)
    write_pem(folder, chain_of())
