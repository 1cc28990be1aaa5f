"""The permission bits that an artifact keeps of a file or folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

HAS_MODES = os.name != "nt"
"""Whether the system has permission bits. Of those, Windows knows only whether a file is read-only."""
MODE = 0o755
"""The bits that are kept: not setuid, setgid, sticky, nor write for group and others."""
START = 4
"""Bytes of a file that show whether it is a program."""
_FOLDER, _FILE, _EXECUTE = 0o755, 0o644, 0o111
_PROGRAMS = (b"#!", b"\x7fELF", b"\xcf\xfa\xed\xfe")
"""The first bytes of scripts, of programs of Linux (elf(5)) and of macOS (mach-o/loader.h)."""


def portable_mode(status: os.stat_result, start: Callable[[], bytes]) -> int:
    """Return the permission bits of *status*. Windows has none, and `os.stat` makes some up from names: there, they
    follow from the content, whose first bytes *start* returns. Errors of *start* are raised unchanged."""
    return status.st_mode & MODE if HAS_MODES else mode_by_content(status.st_mode, start)


def mode_by_content(mode: int, start: Callable[[], bytes]) -> int:
    """Return the permission bits that most files like this have where there are some: 755 for folders and for what
    begins as a script or program, 644 for other files, and no bit to write if *mode*, with its kind, has none."""
    if not stat.S_ISREG(mode):
        return _FOLDER
    writable = _FILE if mode & stat.S_IWRITE else _FILE & ~stat.S_IWRITE
    return writable | (_EXECUTE if start().startswith(_PROGRAMS) else 0)
