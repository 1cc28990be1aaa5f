"""`.venv` in the checkout: made once from pinned requirements, and updated only when those change.

`.venv/.installed-NAME` holds the digest of the requirements whose installation succeeded. `.venv/.installing`
exists while pip runs; an interrupted installation leaves it behind, and is then repeated from scratch.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from devtools import environment, locks, steps

Requirements = Literal["demo", "dev"]
"""A file in requirements/; `dev` includes `demo`."""

_FILES: dict[Requirements, tuple[str, ...]] = {
    "demo": ("demo.txt", "constraints.txt"),
    "dev": ("dev.txt", "demo.txt", "constraints.txt"),
}


@dataclass(frozen=True)
class Venv:
    """The virtual environment `.venv` of *checkout*."""

    checkout: Path

    @property
    def folder(self) -> Path:
        """The folder of the virtual environment."""
        return self.checkout / ".venv"

    @property
    def scripts(self) -> Path:
        """The folder of the virtual environment's programs."""
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def interpreter(self) -> Path:
        """The virtual environment's Python."""
        return self.scripts / ("python.exe" if os.name == "nt" else "python")

    def ready(self, requirements: Requirements) -> Path:
        """Make sure that *requirements* are installed and return the Python that has them; raises `steps.Failed`."""
        with self.lock():
            if not self._installed(requirements):
                self._install(requirements)
        return self.interpreter

    @contextmanager
    def lock(self, say: Callable[[str], None] = steps.say) -> Iterator[None]:
        """Let one dev.py at a time read or change `.venv`; the system releases the lock when the process dies."""
        waiting = "    another dev.py is working on .venv; waiting for it"
        with locks.exclusive(self.checkout / ".venv.lock", lambda: say(waiting)):
            yield

    def _installed(self, requirements: Requirements) -> bool:
        wanted = "dev" if self._stamped("dev") else requirements
        return self._stamped(wanted) and not self._marker.exists() and self._works()

    def _install(self, requirements: Requirements) -> None:
        self._require_own_folder()
        if self._marker.exists() or not self._works():
            self._create()
        self._marker.write_text("pip was interrupted while this file is here\n", encoding="utf-8")
        file = self.checkout / "requirements" / f"{requirements}.txt"
        pip = [str(self.interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        title = f"installing requirements/{requirements}.txt into .venv (some minutes the first time)"
        steps.must(title, [*pip, "--requirement", str(file)], environment.for_pip())
        self._stamp(requirements).write_text(self._digest(requirements), encoding="utf-8")
        self._marker.unlink()

    def _require_own_folder(self) -> None:
        """Raise `steps.Failed` when `.venv` is a link, or a junction of Windows: what it leads to is not ours to clear
        or to install into."""
        there = self.folder.resolve()
        if there != self.checkout.resolve() / self.folder.name:
            raise steps.Failed(f"{self.folder} links to {there}, which dev.py does not change. Remove the link.")

    def _create(self) -> None:
        title = f"making .venv with Python {sys.version.split()[0]}"
        code = steps.run(title, [sys.executable, "-m", "venv", "--clear", str(self.folder)], environment.for_pip())
        if code:
            raise steps.Failed("No virtual environment. On Debian or Ubuntu: apt-get install python3-venv", code)

    def _works(self) -> bool:
        """Return whether the interpreter runs: it may be missing, or link to a Python that was removed since."""
        if not self.interpreter.exists():
            return False
        return steps.call([str(self.interpreter), "-c", "import pip"], environment.for_pip()) == 0

    def _stamped(self, requirements: Requirements) -> bool:
        stamp = self._stamp(requirements)
        return stamp.exists() and stamp.read_text(encoding="utf-8") == self._digest(requirements)

    def _stamp(self, requirements: Requirements) -> Path:
        return self.folder / f".installed-{requirements}"

    @property
    def _marker(self) -> Path:
        return self.folder / ".installing"

    def _digest(self, requirements: Requirements) -> str:
        folder = self.checkout / "requirements"
        texts = [(folder / name).read_text(encoding="utf-8") for name in _FILES[requirements]]
        return hashlib.sha256("\0".join(texts).encode()).hexdigest()


OURS = Venv(steps.ROOT)
"""The virtual environment of this checkout."""
