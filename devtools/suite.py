"""`dev.py test`: the wheel, then pytest with coverage of the core and the face."""

from __future__ import annotations

import sys

from devtools import environment, pytests, steps, wheel

FACE = "azext_acrartifact/_*.py,azext_acrartifact/c*.py,azext_acrartifact/cli/*"
"""The files of the face; all others are the core."""

FLOORS = {"core": ("--omit", FACE, "--fail-under=95"), "face": ("--include", FACE, "--fail-under=90")}
"""The least per cent of the lines and branches of each that the whole suite must run."""

PROCESSES = 2
"""pytest's workers. Tests mostly wait for processes of their own; each worker has an emulator."""

WORKERS = ["--numprocesses", str(PROCESSES), "--dist", "loadfile"]

DATA = steps.ROOT / ".coverage"
"""The file of the coverage; each process adds one with a suffix."""


def main(arguments: list[str]) -> int:
    """Run the whole suite with its coverage; with *arguments*, pytest on those only. Return the worst exit code."""
    # The full path, since some tests work in folders of their own.
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
    return max(steps.run(f"coverage of the {part}", [*tool, "report", *how], variables) for part, how in FLOORS.items())


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
