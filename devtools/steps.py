"""Child processes that say what they are, how long they take and how they ended."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout; every chore runs in it."""

HEARTBEAT = 20.0
"""Seconds of silence after which a step says that it is still at it."""


class Failed(Exception):
    """A step ended with exit code *code*."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def say(text: str) -> None:
    """A line about progress, on stderr: stdout belongs to the chore's result."""
    print(text, file=sys.stderr, flush=True)


def call(argv: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path = ROOT) -> int:
    """Run *argv* in the foreground; its exit code, where death by signal N is 128 + N as in a shell."""
    with subprocess.Popen(argv, env=environment, cwd=cwd) as process:
        return _shell_code(_wait(process))


def run(title: str, argv: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path = ROOT) -> int:
    """`call` with a line before, one every `HEARTBEAT` seconds and one after; returns the exit code."""
    say(f"==> {title}")
    start = time.monotonic()
    with subprocess.Popen(argv, env=environment, cwd=cwd, stdin=subprocess.DEVNULL) as process:
        code = _shell_code(_wait(process, title, start))
    ending = "done" if code == 0 else f"failed with exit code {code}"
    say(f"<== {title}: {ending} after {time.monotonic() - start:.1f} s")
    return code


def must(title: str, argv: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path = ROOT) -> None:
    """`run`, raising `Failed` unless the exit code is 0."""
    code = run(title, argv, environment, cwd)
    if code:
        raise Failed(f"{title} failed.", code)


def exit_code(main: Callable[[list[str]], int]) -> int:
    """Run *main* with the process's arguments; a `Failed` step is said, not traced, and gives its code."""
    try:
        return main(sys.argv[1:])
    except Failed as failure:
        say(str(failure))
        return failure.code
    except KeyboardInterrupt:
        return 130


def _wait(process: subprocess.Popen[bytes], title: str = "", start: float = 0.0) -> int:
    """Wait to the end. A Ctrl-C reaches the child too, which is left to end in its own way."""
    while True:
        try:
            return process.wait(HEARTBEAT if title else None)
        except subprocess.TimeoutExpired:
            say(f"    {title}: {time.monotonic() - start:.0f} s so far")
        except KeyboardInterrupt:
            process.wait()
            raise


def _shell_code(code: int) -> int:
    return 128 - code if code < 0 else code
