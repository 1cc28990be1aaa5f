"""`dev.py test`: pytest; with `--all`, also the slow tests, and the coverage of the core and the face."""

from __future__ import annotations

import os
import sys

from devtools import environment, pytests, steps

FACE = "azext_acrartifact/_*.py,azext_acrartifact/c*.py,azext_acrartifact/cli/*"
"""The files of the face; all others are the core."""

FLOORS = {"core": ("--omit", FACE, "--fail-under=95"), "face": ("--include", FACE, "--fail-under=90")}
"""The least per cent of the lines and branches of each that the whole suite must run."""

CORES = min(4, os.cpu_count() or 1)
"""Cores to use: on more, workers take longer to start than to run their tests."""

ALL = "--all"
"""Runs the slow tests and measures the coverage, too, which takes half as long again; CI does."""

SLOW = (
    "emulator/live/test_chore.py",
    "functional/test_completion.py",
    "functional/test_documents.py",
    "functional/test_error_rows.py",
    "functional/test_help.py",
    "functional/test_hostile_entra.py",
    "functional/test_identities.py",
    "functional/test_index.py",
    "functional/test_login_servers.py",
    "functional/test_rate_cap.py",
    "functional/test_recorded.py",
    "functional/test_renewal.py",
    "functional/test_startup.py",
    "house/test_venv.py",
)
"""The tests, below tests/, that take a third of the time, and are left to `--all` since few changes break them."""

DATA = steps.ROOT / ".coverage"
"""The file of the coverage; each process adds one with a suffix."""


def workers(number: int) -> list[str]:
    """Return pytest's arguments for *number* workers, each with an emulator. More than there are cores, since tests
    often wait. One that is ready takes tests of another, so that all end together."""
    return ["--numprocesses", str(number), "--dist", "worksteal"]


def main(arguments: list[str]) -> int:
    """Run the suite without its slow tests, with `--all` all of it and its coverage; with other *arguments*, pytest on
    those only. Return the worst exit code."""
    # The full path, since some tests work in folders of their own.
    variables = {**environment.clean(), "COVERAGE_FILE": str(DATA)}
    if not arguments:
        return pytests.run("tests", [f"--ignore=tests/{file}" for file in SLOW], variables, workers(2 * CORES))
    if arguments != [ALL]:
        return steps.call([sys.executable, "-m", "pytest", *arguments], variables)
    for old in steps.ROOT.glob(f"{DATA.name}*"):
        old.unlink()
    measured = [sys.executable, "-m", "coverage", "run", "-m", "pytest"]
    tests = pytests.run("tests", [], variables, workers(2 * CORES), measured)
    return tests or _coverage(variables)


def _coverage(variables: dict[str, str]) -> int:
    tool = [sys.executable, "-m", "coverage"]
    steps.must("coverage combine", [*tool, "combine", "--quiet"], variables)
    return max(steps.run(f"coverage of the {part}", [*tool, "report", *how], variables) for part, how in FLOORS.items())


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
