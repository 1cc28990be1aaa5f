"""Run the real programs, each in its own folder and environment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

AZ = [sys.executable, "-m", "azure.cli"]
"""The virtual environment's `az`, on any platform."""

TIMEOUT = 120
"""Seconds until a program counts as hanging."""


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output, without the final line break."""
        return self.stdout.decode().strip()


def run(argv: list[str], folder: Path, variables: Mapping[str, str], *, stdin: str = "", code: int | None = 0) -> Ended:
    """Run *argv* to its end in *folder*, with *stdin* to read; it must end with *code* (None: any code)."""
    done = subprocess.run(
        argv, cwd=folder, env=dict(variables), input=stdin.encode(), capture_output=True, timeout=TIMEOUT
    )
    ended = Ended(done.returncode, done.stdout, done.stderr.decode(errors="replace"))
    said = f"{' '.join(argv)}\nended with {ended.code}\n{done.stdout.decode(errors='replace')}\n{ended.stderr}"
    assert code is None or ended.code == code, said
    return ended
