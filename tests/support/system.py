"""What tests need of the system, and Windows has in another way or not at all: links, FIFOs, modes, locks, programs."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")

WINDOWS = sys.platform == "win32"
"""Whether this is Windows: without FIFOs, with one mode bit (read-only), and with links for privileged users alone."""

WINE: bool
"""Whether this is Wine instead of Windows."""

LOCK: tuple[ModuleType, str]
"""The module and name of the system call that locks a file."""

if sys.platform == "win32":
    import ctypes
    import msvcrt

    WINE = hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")
    LOCK = (msvcrt, "locking")
else:
    import fcntl

    WINE = False
    LOCK = (fcntl, "flock")


RENAME = "replace" if WINDOWS else "rename"
"""The function of `os` that moves a file and replaces another one."""


def link(path: Path, target: str | Path) -> None:
    """Make the symbolic link *path* to *target*; on Windows, make nothing."""
    if not WINDOWS:
        path.symlink_to(target)


def fifo(path: Path) -> None:
    """Make the FIFO *path*; on Windows, make nothing."""
    if not WINDOWS:
        os.mkfifo(path)


def on_posix(*cases: T) -> tuple[T, ...]:
    """Return *cases*, which need links, FIFOs or modes; on Windows, return none."""
    return () if WINDOWS else cases


def has_mode(path: Path, mode: int) -> bool:
    """Return whether *path* has the permission bits *mode*: on Windows, those that a file can have there."""
    found = stat.S_IMODE(path.stat().st_mode)
    if not WINDOWS:
        return found == mode
    return path.is_dir() or bool(found & stat.S_IWUSR) == bool(mode & stat.S_IWUSR)


def install_program(folder: Path, name: str, script: str) -> Path:
    """Install the program *name*, a Python *script*, in *folder*, and return its path."""
    if sys.platform == "win32":
        (folder / f"{name}.py").write_text(script)
        program = folder / f"{name}.cmd"
        program.write_text(f'@"{sys.executable}" -IS "%~dpn0.py" %*\n')
    else:
        program = folder / name
        program.write_text(f"#!{sys.executable} -IS\n{script}")
        program.chmod(0o755)
    return program
