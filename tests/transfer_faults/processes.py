"""Run `az acr artifact` in its own processes, with the wheel installed, against the local Azure."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from acr_emulator.client import Emulator
from acr_emulator.world import default_world

OWNER = default_world().principal("pusher")
LIMIT = 170


@dataclass
class Ended:
    """How a process ended: its exit code, its output, and its peak memory in MiB."""

    code: int
    stdout: str
    stderr: str
    peak: float


@dataclass
class Command:
    """A running process."""

    process: subprocess.Popen[str]
    arguments: tuple[str, ...]
    began: float = field(default_factory=time.monotonic)
    peak: float = 0.0

    def __post_init__(self) -> None:
        self._watch = threading.Thread(target=self._watch_memory, daemon=True)
        self._watch.start()

    def _watch_memory(self) -> None:
        """Record the peak memory. wait4 also counts the memory of the process that started it, until its program
        began: getrusage(2), and exec_mmap in the kernel's fs/exec.c."""
        while self.process.returncode is None:
            try:
                status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii", errors="replace")
            except OSError:
                return
            found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
            self.peak = int(found[1]) / 1024 if found else self.peak
            time.sleep(0.02)

    def end(self) -> Ended:
        """Wait for its end; return its whole output."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        stdout, stderr = self.process.stdout.read(), self.process.stderr.read()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.process.stdout.close()
        self.process.stderr.close()
        self._watch.join()
        return Ended(self.process.returncode, stdout, stderr, self.peak or usage.ru_maxrss / 1024)


@dataclass
class Processes:
    """Starts `az acr artifact` in *folder*, signed in by user name and password."""

    emulator: Emulator
    environment: dict[str, str]
    folder: Path

    def start(self, *arguments: str) -> Command:
        """Start `az ARGUMENTS`."""
        process = subprocess.Popen(
            [sys.executable, "-m", "azure.cli", *arguments], cwd=self.folder, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        return Command(process, arguments)

    def artifact(self, verb: str, *arguments: str) -> Command:
        """Start `az acr artifact VERB ARGUMENTS`."""
        assert OWNER is not None
        sign_in = ("--username", OWNER.client_id, "--password", OWNER.secrets[0])
        return self.start("acr", "artifact", verb, *arguments, *sign_in)

    def ok(self, verb: str, *arguments: str) -> Ended:
        """Run it; require success without output on standard error."""
        ended = self.artifact(verb, *arguments).end()
        assert (ended.code, ended.stderr) == (0, "")
        return ended

    def wait_for(self, seen: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until *seen*."""
        end = time.monotonic() + seconds
        while not seen():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.01)


def settled(emulator: Emulator) -> None:
    """Wait until the log stops growing: requests of a killed client end after it."""
    seen, same, end = -1, 0, time.monotonic() + 60
    while same < 2:
        assert time.monotonic() < end, "the log keeps growing"
        time.sleep(0.2)
        latest = emulator.last_id()
        seen, same = latest, same + 1 if latest == seen else 0


def leftovers(folders: Sequence[Path]) -> list[Path]:
    """Return our unfinished files below *folders*."""
    found = [path for folder in folders for path in folder.rglob("*")]
    return [path for path in found if path.name.startswith(".acrartifact") or path.parent.name == "uploads"]
