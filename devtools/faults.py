"""`dev.py faults`: transfers that are killed, cut, slowed and lied to, and how they look on a real terminal."""

from __future__ import annotations

import shutil
import sys

from devtools import environment, peers, pytests, steps, suite, wheel

PROMISED = {
    "ACRARTIFACT_KILL_MIB": "1024",
    "ACRARTIFACT_KILL_MOMENTS": "20",
    "ACRARTIFACT_MEMORY_FULL": "1",
    "ACRARTIFACT_RENEWAL_SECONDS": "60",
}
"""The sizes and times that are promised; CI makes do with smaller ones."""
_PROMISES = [
    *(f"tests/transfer_faults/test_{name}.py" for name in ("killed", "memory", "copies")),
    "tests/functional/test_renewal.py",
]


def main(arguments: list[str]) -> int:
    """Install tmux and run tests/transfer_faults, or with `--full` those that promise a size, at that size, which takes
    a quarter of an hour; other *arguments* go to pytest. Returns pytest's exit code."""
    if shutil.which("tmux") is None:
        peers.apt_install(["tmux"])
    wheel.build()
    if not arguments:
        return pytests.run("tests of faults", ["tests/transfer_faults"], environment.clean(), suite.WORKERS)
    chosen, sizes = arguments, {}
    if arguments == ["--full"]:
        chosen, sizes = [*_PROMISES, "--verbose"], PROMISED
    return steps.run("tests of faults", [sys.executable, "-m", "pytest", *chosen], {**environment.clean(), **sizes})


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
