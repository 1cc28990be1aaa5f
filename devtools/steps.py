"""Run child processes, and report their name, duration and exit code."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout; every chore runs in it."""

HEARTBEAT = 20.0
"""Seconds between two messages that a step is still running."""


class Failed(Exception):
    """A step ended with exit code *code*."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def say(text: str) -> None:
    """Print a line about progress to stderr: stdout is for the chore's result."""
    print(text, file=sys.stderr, flush=True)


def call(argv: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path = ROOT) -> int:
    """Run *argv* in the foreground and return its exit code, which is 128 + N after signal N as in a shell."""
    with subprocess.Popen(argv, env=environment, cwd=cwd) as process:
        return _shell_code(_wait(process))


def run(
    title: str,
    argv: Sequence[str],
    environment: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    heartbeat: float = HEARTBEAT,
) -> int:
    """Run *argv* with a line before, one every *heartbeat* seconds and one after; return the exit code."""
    say(f"==> {title}")
    start = time.monotonic()
    with subprocess.Popen(argv, env=environment, cwd=cwd, stdin=subprocess.DEVNULL) as process:
        code = _shell_code(_wait(process, title, start, heartbeat))
    ending = "done" if code == 0 else f"failed with exit code {code}"
    say(f"<== {title}: {ending} after {time.monotonic() - start:.1f} s")
    return code


def must(title: str, argv: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path = ROOT) -> None:
    """Run *argv* like `run`, but raise `Failed` unless the exit code is 0."""
    code = run(title, argv, environment, cwd)
    if code:
        raise Failed(f"{title} failed.", code)


def exit_code(main: Callable[[list[str]], int]) -> int:
    """Run *main* with the process's arguments; on a `Failed` step, print its message and return its code."""
    try:
        return main(sys.argv[1:])
    except Failed as failure:
        say(str(failure))
        return failure.code
    except KeyboardInterrupt:
        return 130


def _wait(process: subprocess.Popen[bytes], title: str = "", start: float = 0.0, heartbeat: float | None = None) -> int:
    """Wait for the end of *process*. A Ctrl-C reaches the child too, so wait until it has handled it."""
    while True:
        try:
            return process.wait(heartbeat)
        except subprocess.TimeoutExpired:
            say(f"    {title}: {time.monotonic() - start:.0f} s so far")
        except KeyboardInterrupt:
            process.wait()
            raise


def _shell_code(code: int) -> int:
    return 128 - code if code < 0 else code
