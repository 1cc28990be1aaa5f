"""Run one client's process and watch its time, its memory and its output."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MEMORY = 200.0
"""MiB that a client may use."""
_KILLED_AT = 3 * MEMORY
_DISK = 600 << 20
"""Bytes on the disk at which a client is stopped: no artifact announces so much."""
_SHOWN = 256 * 1024


@dataclass
class Ended:
    """How a process ended. *stopped* is the reason if it was killed; *peak* is in MiB."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    peak: float
    stopped: str = ""
    said: int = 0
    """Bytes of output in total."""


_LAUNCHER = """
import os, sys
child = os.fork()
if not child:
    os.execvp(sys.argv[2], sys.argv[2:])
pipe = int(sys.argv[1])
os.write(pipe, b"%d\\n" % child)
_, status, usage = os.wait4(child, 0)
os.write(pipe, b"%d %d\\n" % (status, usage.ru_maxrss))
"""
# A process starts with the peak memory of the one that forked it, so a small process forks.


def watch(argv: list[str], stdin: str, folder: Path, variables: Mapping[str, str], limit: float) -> Ended:
    """Run *argv* in *folder*/work until it ends, or must be stopped."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as given:
        given.write(stdin.encode())
        given.seek(0)
        read, write = os.pipe()
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(write), *argv], cwd=folder / "work", env=dict(variables),
            stdin=given, stdout=out, stderr=err, start_new_session=True, pass_fds=[write],
        )  # fmt: skip
        os.close(write)
        with os.fdopen(read) as pipe:
            stopped = _wait(process, int(pipe.readline()), folder / "work", began + limit)
            seconds = time.monotonic() - began
            status, peak = map(int, (pipe.readline() or f"{signal.SIGKILL} 0").split())
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read(_SHOWN).decode("utf-8", "surrogateescape"))
        said = os.fstat(out.fileno()).st_size + os.fstat(err.fileno()).st_size
        code = os.waitstatus_to_exitcode(status)
        return Ended(code, texts[0], texts[1], seconds, peak / 1024, stopped, said)


def _wait(process: subprocess.Popen[bytes], pid: int, work: Path, end: float) -> str:
    """Wait for *process*, which waits for *pid*; return why that one was stopped, if it was."""
    stopped = ""
    while True:
        try:
            process.wait(0.3)
        except subprocess.TimeoutExpired:
            stopped = stopped or _why_stop(pid, work, end)
            if stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        else:
            return stopped


def _why_stop(pid: int, work: Path, end: float) -> str:
    if time.monotonic() > end:
        return "time"
    if _memory(pid) > _KILLED_AT:
        return "memory"
    return "disk" if _disk(work) > _DISK else ""


def _memory(pid: int) -> float:
    """Return the resident MiB of the process."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _disk(folder: Path) -> int:
    """Return the bytes of the largest files below *folder*; of a folder with thousands, look only at some."""
    total = 0
    for count, (path, _, names) in enumerate(os.walk(folder)):
        for name in names[:200]:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_size
        if count > 50:
            break
    return total
