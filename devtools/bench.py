"""`dev.py bench`: measure the extension and other tools."""

from __future__ import annotations

import os
import sys

from devtools import peers, steps


def main(arguments: list[str]) -> int:
    """Install the peers, run `python -m bench` with *arguments* and return its exit code."""
    if not {"-h", "--help", "--report"} & set(arguments):
        peers.install()
    return steps.call([sys.executable, "-m", "bench", *arguments], {**os.environ, "PATH": peers.path()})


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
