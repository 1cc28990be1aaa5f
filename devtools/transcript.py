"""A page of prose and commands: each command is printed, run and checked."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Check = Callable[[str], str | None]
"""Return the problem with a command's stdout, or None."""

LIMIT = 300
"""Seconds after which a command is killed."""


class Transcript:
    """Run each command in *folder* with *variables*; `failures` counts those that did not end as expected."""

    def __init__(self, az: Sequence[str], folder: Path, variables: Mapping[str, str]) -> None:
        self._az = list(az)
        self._folder = folder
        self._variables = variables
        self._start = time.monotonic()
        self.commands = 0
        self.failures = 0

    def prose(self, text: str) -> None:
        """Print a paragraph, or a heading."""
        print(f"\n{text}\n", flush=True)

    def az(self, *lines: str, check: Check | None = None, code: int = 0, folder: Path | None = None) -> str:
        """Run `az` with the words of *lines*, printed one line each, and return its stdout."""
        self._show(" ".join(["az", lines[0]]), *lines[1:])
        argv = [*self._az, *(word for line in lines for word in line.split())]
        done = self._run(argv, folder or self._folder)
        self._print(done.stderr, done.stdout)
        if done.returncode != code:
            self._fail(f"exit code {done.returncode}, not {code}")
        elif check is not None and (problem := check(done.stdout)):
            self._fail(problem)
        return done.stdout

    def remove(self, name: str) -> None:
        """Delete the file *name*, as `rm` does."""
        self._show(f"{'del' if os.name == 'nt' else 'rm'} {name}")
        (self._folder / name).unlink(missing_ok=True)

    def content(self, name: str, expected: str) -> None:
        """Print the file *name*, as `cat` does, and compare it."""
        self._show(f"{'type' if os.name == 'nt' else 'cat'} {name}")
        path = self._folder / name
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        self._print(text)
        if text != expected:
            self._fail(f"{name} does not contain {expected!r}")

    def ending(self) -> str:
        """Return one line about the result."""
        took = f"{time.monotonic() - self._start:.0f} s"
        if self.failures:
            return f"{self.failures} of {self.commands} commands failed, in {took}."
        return f"All {self.commands} commands ran as expected, in {took}."

    def _show(self, *lines: str) -> None:
        self.commands += 1
        mark = " ^" if os.name == "nt" else " \\"
        print("$ " + f"{mark}\n    ".join(lines), flush=True)

    def _run(self, argv: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                argv, cwd=folder, env=self._variables, stdin=subprocess.DEVNULL, capture_output=True,
                encoding="utf-8", errors="replace", timeout=LIMIT,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(argv, 124, "", f"killed after {LIMIT} s")

    def _print(self, *texts: str) -> None:
        for text in texts:
            if text.strip():
                print(text.rstrip("\n"), flush=True)
        print(flush=True)

    def _fail(self, problem: str) -> None:
        self.failures += 1
        print(f"!!! {problem}\n", flush=True)
