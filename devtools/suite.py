"""`dev.py test`: the wheel, then pytest with coverage of the core."""

from __future__ import annotations

import sys

from devtools import environment, pytests, steps, wheel

COVERAGE_FLOOR = 95
"""Per cent of the core's lines and branches that the whole suite must run."""

PROCESSES = 2
"""Tests mostly wait for processes of their own; each worker has an emulator."""

WORKERS = ["--numprocesses", str(PROCESSES), "--dist", "loadfile"]

DATA = steps.ROOT / ".coverage"
"""Where coverage is kept; each of pytest's processes adds a file of its own with a suffix."""


def main(arguments: list[str]) -> int:
    """The whole suite with its coverage; with *arguments*, pytest on those alone. Returns the worst exit code."""
    # In full: some tests work in folders of their own.
    variables = {**environment.clean(), "COVERAGE_FILE": str(DATA)}
    if arguments:
        return steps.call([sys.executable, "-m", "pytest", *arguments], variables)
    steps.say("==> building the wheel")
    wheel.build()
    for old in steps.ROOT.glob(f"{DATA.name}*"):
        old.unlink()
    measured = [sys.executable, "-m", "coverage", "run", "-m", "pytest"]
    tests = pytests.run("tests", [], variables, WORKERS, measured)
    return tests or _coverage(variables)


def _coverage(variables: dict[str, str]) -> int:
    tool = [sys.executable, "-m", "coverage"]
    steps.must("coverage combine", [*tool, "combine", "--quiet"], variables)
    return steps.run("coverage of the core", [*tool, "report", f"--fail-under={COVERAGE_FLOOR}"], variables)


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
