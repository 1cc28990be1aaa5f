"""`dev.py test`: the wheel, then pytest with coverage of the core."""

from __future__ import annotations

import os
import sys

from devtools import environment, steps, wheel

COVERAGE_FLOOR = 95
"""Per cent of the core's lines and branches that the whole suite must run."""


def main(arguments: list[str]) -> int:
    """The whole suite with its coverage; with *arguments*, pytest on those alone. Returns the worst exit code."""
    variables = environment.clean()
    if arguments:
        return steps.call([sys.executable, "-m", "pytest", *arguments], variables)
    steps.say("==> building the wheel")
    wheel.build()
    for old in steps.ROOT.glob(".coverage.*"):
        old.unlink()
    tests = steps.run("tests", [sys.executable, "-m", "coverage", "run", "-m", "pytest"], variables)
    return tests or _coverage()


def _coverage() -> int:
    tool = [sys.executable, "-m", "coverage"]
    variables = {**os.environ}
    steps.must("coverage combine", [*tool, "combine", "--quiet"], variables)
    return steps.run("coverage of the core", [*tool, "report", f"--fail-under={COVERAGE_FLOOR}"], variables)


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
