"""`dev.py faults`: transfers that are killed, cut, slowed and lied to, and how they look on a real terminal."""

from __future__ import annotations

import shutil
import sys

from devtools import environment, peers, steps, suite, wheel


def main(arguments: list[str]) -> int:
    """Install tmux and run tests/transfer_faults; *arguments* go to pytest. Returns pytest's exit code."""
    if shutil.which("tmux") is None:
        peers.apt_install(["tmux"])
    wheel.build()
    workers = ["--numprocesses", str(suite.PROCESSES), "--dist", "loadfile"]
    chosen = arguments or [*workers, "tests/transfer_faults"]
    return steps.run("tests of faults", [sys.executable, "-m", "pytest", *chosen], environment.clean())


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
