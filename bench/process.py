"""Measures one run of one command."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")
TIMEOUT = 900.0
"""Seconds after which a command hangs."""


class CommandFailed(Exception):
    """A measured command did not end as it should; the message ends with what it said."""


@dataclass(frozen=True)
class Command:
    """What to run, and where."""

    argv: Sequence[str]
    folder: Path


@dataclass(frozen=True)
class Took:
    """Seconds on the clock, seconds of processor time (user and system), bytes of memory at the peak."""

    wall: float
    cpu: float
    memory: int


def measure(command: Command, variables: Mapping[str, str], scratch: Path, prefix: Sequence[str] = ()) -> Took:
    """Run *command* by the launcher behind *prefix*; notes go to *scratch*. Raises `CommandFailed`."""
    report, said = scratch / "took.json", scratch / "said.txt"
    report.unlink(missing_ok=True)
    argv = [*prefix, sys.executable, "-I", "-S", str(LAUNCHER), str(report), *command.argv]
    with open(said, "wb") as output:
        process = subprocess.Popen(
            argv, cwd=command.folder, env=dict(variables), stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        with _ended_with(process):
            code = process.wait(TIMEOUT)
    if code:
        raise CommandFailed(f"{' '.join(command.argv[:8])} … ended with {code}:\n{_tail(said)}")
    return Took(**json.loads(report.read_text()))


@contextlib.contextmanager
def _ended_with(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """No child outlives a Ctrl-C or the timeout: it has a session of its own, which is ended whole."""
    try:
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def cpu_of(*processes: int) -> float:
    """Seconds of processor time that *processes* have taken so far; 0 where the system does not tell.

    Fields 14 and 15 of proc_pid_stat(5), behind the program's name in parentheses.
    """
    total = 0.0
    for process in processes:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _tail(file: Path) -> str:
    return file.read_text(errors="replace")[-1500:]
