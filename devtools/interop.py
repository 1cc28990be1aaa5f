"""`dev.py interop`: exchange artifacts with other tools, on the emulator and on other registries."""

from __future__ import annotations

import os
import sys

from devtools import peers, pytests, steps, suite


def main(arguments: list[str]) -> int:
    """Install the peers, run tests/interop and return pytest's exit code; *arguments* go to pytest."""
    peers.install()
    variables = {**os.environ, "PATH": peers.path()}
    if not arguments:
        return pytests.run("interop tests", ["tests/interop"], variables, suite.workers(2 * suite.CORES))
    return steps.run("interop tests", [sys.executable, "-m", "pytest", *arguments], variables)


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
