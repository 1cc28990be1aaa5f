"""A server process of the bench: started, awaited, and ended by its id."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.process import CommandFailed

START_SECONDS = 20.0


class Server:
    """A running server process; `stop` ends it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    @classmethod
    def start(cls, argv: Sequence[str], variables: Mapping[str, str], log: Path, ready: Callable[[], bool]) -> Server:
        """Run *argv* in the folder of *log*, which gets its output, and wait until *ready*; raise `CommandFailed`."""
        with open(log, "wb") as output:
            process = subprocess.Popen(
                argv, cwd=log.parent, env=dict(variables), stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        end = time.monotonic() + START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > end:
                process.kill()
                process.wait()
                raise CommandFailed(f"Could not start {argv[-1]}:\n{log.read_text(errors='replace')}")
            time.sleep(0.02)
        return cls(process)

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
