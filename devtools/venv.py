"""`.venv` in the checkout: made once, from pinned requirements, and again only when those change.

`.venv/.installed-NAME` holds the digest of the requirements that were installed to the end; `.venv/.installing`
is there while pip runs, so that an interrupted installation is seen and done again from nothing.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

from devtools import environment, steps

Requirements = Literal["demo", "dev"]
"""A file in requirements/; `dev` includes `demo`."""

VENV = steps.ROOT / ".venv"
_FILES: dict[Requirements, tuple[str, ...]] = {
    "demo": ("demo.txt", "constraints.txt"),
    "dev": ("dev.txt", "demo.txt", "constraints.txt"),
}


def scripts() -> Path:
    """The folder of the virtual environment's programs."""
    return VENV / ("Scripts" if os.name == "nt" else "bin")


def interpreter() -> Path:
    """The virtual environment's Python."""
    return scripts() / ("python.exe" if os.name == "nt" else "python")


def ready(requirements: Requirements) -> Path:
    """Make sure that *requirements* are installed and return the Python that has them; raises `steps.Failed`."""
    with _lock():
        if not _installed(requirements):
            _install(requirements)
    return interpreter()


def _installed(requirements: Requirements) -> bool:
    wanted = "dev" if _stamped("dev") else requirements
    return _stamped(wanted) and not _marker().exists() and _works()


def _install(requirements: Requirements) -> None:
    if _marker().exists() or not _works():
        _create()
    _marker().write_text("pip was interrupted while this file is here\n", encoding="utf-8")
    file = steps.ROOT / "requirements" / f"{requirements}.txt"
    pip = [str(interpreter()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    title = f"installing requirements/{requirements}.txt into .venv (some minutes the first time)"
    steps.must(title, [*pip, "--requirement", str(file)], environment.for_pip())
    _stamp(requirements).write_text(_digest(requirements), encoding="utf-8")
    _marker().unlink()


def _create() -> None:
    title = f"making .venv with Python {sys.version.split()[0]}"
    code = steps.run(title, [sys.executable, "-m", "venv", "--clear", str(VENV)], environment.for_pip())
    if code:
        raise steps.Failed("No virtual environment. On Debian or Ubuntu: apt-get install python3-venv", code)


def _works() -> bool:
    """The interpreter may be missing, or point to a Python that has since been removed."""
    if not interpreter().exists():
        return False
    return steps.call([str(interpreter()), "-c", "import pip"], environment.for_pip()) == 0


def _stamped(requirements: Requirements) -> bool:
    stamp = _stamp(requirements)
    return stamp.exists() and stamp.read_text(encoding="utf-8") == _digest(requirements)


def _stamp(requirements: Requirements) -> Path:
    return VENV / f".installed-{requirements}"


def _marker() -> Path:
    return VENV / ".installing"


def _digest(requirements: Requirements) -> str:
    folder = steps.ROOT / "requirements"
    texts = [(folder / name).read_text(encoding="utf-8") for name in _FILES[requirements]]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


@contextmanager
def _lock() -> Iterator[None]:
    """One dev.py at a time may look at or change `.venv`; the system frees the lock when its holder dies."""
    with open(steps.ROOT / ".venv.lock", "a+b") as file:
        waiting = False
        while not _try_lock(file):
            if not waiting:
                steps.say("    another dev.py is working on .venv; waiting for it")
            waiting = True
            time.sleep(0.5)
        yield


def _try_lock(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
