"""Run Windows' CPython, which `installation.py` makes."""

from __future__ import annotations

import subprocess
import sys

from devtools import steps
from devtools.windows.wine import Wine

ROOT = steps.ROOT / ".tools" / "windows"
HOME = ROOT / "python"
WINE = Wine(ROOT / "prefix")


def run(arguments: list[str]) -> int:
    """Run Windows' Python with *arguments* in the checkout, print its output, and return its exit code."""
    with WINE.started([str(HOME / "python.exe"), *arguments], subprocess.STDOUT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.buffer.write(line.replace(b"\r\n", b"\n"))
            sys.stdout.flush()
        return process.wait()


def output(arguments: list[str]) -> bytes:
    """Run Windows' Python with *arguments* in the checkout and return its output; raises `steps.Failed`."""
    with WINE.started([str(HOME / "python.exe"), *arguments], subprocess.PIPE) as process:
        text, problems = process.communicate()
    if process.returncode:
        steps.say(problems.decode(errors="replace"))
        raise steps.Failed(f"python {' '.join(arguments)} failed on Windows with exit code {process.returncode}.")
    return text
