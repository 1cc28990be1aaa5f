"""Measure one run of one command."""

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
"""Seconds after which a command is killed."""


class CommandFailed(Exception):
    """A measured command failed; the message ends with its output."""


@dataclass(frozen=True)
class Command:
    """An argument list and its working folder."""

    argv: Sequence[str]
    folder: Path


@dataclass(frozen=True)
class Usage:
    """Seconds of wall time, seconds of processor time (user and system), bytes of peak memory."""

    wall: float
    cpu: float
    memory: int


def measure(command: Command, variables: Mapping[str, str], scratch: Path, prefix: Sequence[str] = ()) -> Usage:
    """Run *command* with the launcher behind *prefix*; reports go to *scratch*. Raise `CommandFailed`."""
    report, log = scratch / "usage.json", scratch / "output.txt"
    report.unlink(missing_ok=True)
    argv = [*prefix, sys.executable, "-I", "-S", str(LAUNCHER), str(report), *command.argv]
    with open(log, "wb") as output:
        process = subprocess.Popen(
            argv, cwd=command.folder, env=dict(variables), stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        with _ended_with(process):
            code = process.wait(TIMEOUT)
    if code:
        raise CommandFailed(f"{' '.join(command.argv[:8])} … ended with {code}:\n{_tail(log)}")
    return Usage(**json.loads(report.read_text()))


@contextlib.contextmanager
def _ended_with(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill the whole session of *process* on a Ctrl-C or a timeout, so that no child survives."""
    try:
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def cpu_of(*processes: int) -> float:
    """Return the seconds of processor time that *processes* used so far; 0 if the system does not report them.

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
