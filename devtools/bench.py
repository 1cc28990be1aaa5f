"""`dev.py bench`: the measurements in bench/."""

from __future__ import annotations

import sys

from devtools import peers, steps


def main(arguments: list[str]) -> int:
    """Run `python -m bench` against the peers; returns its exit code, or 1 when there is no bench/."""
    if not (steps.ROOT / "bench" / "__main__.py").exists():
        raise steps.Failed("There are no measurements yet: they will live in bench/.")
    peers.install()
    return steps.call([sys.executable, "-m", "bench", *arguments])


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
