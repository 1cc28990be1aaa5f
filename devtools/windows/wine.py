"""Run programs under Wine, in a prefix (a `C:` drive) of their own."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from devtools import environment, steps

_LINGER = 60
"""Seconds that Wine's server and services stay after the last program."""


def variables(prefix: Path, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of Wine's programs: *given*, or this process's, without this machine's settings."""
    return {
        **{name: value for name, value in environment.clean(given).items() if name != "DISPLAY"},
        "WINEPREFIX": str(prefix),
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        # Neither .NET nor a browser, nor a window about a program that crashed.
        "WINEDLLOVERRIDES": "mscoree=;mshtml=;winedbg.exe=d",
        "LC_ALL": "C.UTF-8",
        "PYTHONUTF8": "1",
    }


class Wine:
    """Wine with the prefix *folder*."""

    def __init__(self, folder: Path) -> None:
        self._variables = variables(folder)

    def create(self) -> None:
        """Create the prefix, as Windows 10; raises `steps.Failed`."""
        steps.say("==> creating Wine's drive")
        self._serve()
        steps.must("making it Windows 10", ["wine", "winecfg", "-v", "win10"], self._variables)

    @contextlib.contextmanager
    def started(self, argv: Sequence[str], stderr: int) -> Iterator[subprocess.Popen[bytes]]:
        """Start *argv* in the checkout and yield the process, with its output in a pipe, and *stderr* in one too.

        Wine 8 gives CPython no usable handle of a file that is only written.
        """
        self._serve()
        with subprocess.Popen(
            ["wine", *argv],
            env=self._variables,
            cwd=steps.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
        ) as process:
            yield process

    def _serve(self) -> None:
        """Start Wine's server and services, which must not inherit a pipe: its reader would wait for their end."""
        null = subprocess.DEVNULL
        for argv in (["wineserver", f"-p{_LINGER}"], ["wine", "cmd", "/c", "exit"]):
            subprocess.run(
                argv, env=self._variables, start_new_session=True, stdin=null, stdout=null, stderr=null, check=False
            )
