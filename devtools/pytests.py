"""Run a suite under pytest, and repeat a few failed tests alone.

Many tests depend on real processes, signals and clocks, on a machine that may be busy.
docs/decisions/0010-a-second-try.md explains which faults this can hide.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from devtools import steps

MOST = 3
"""The most failures that are repeated: more are no accident."""
FAILED = 1
"""pytest's exit code when tests failed, and nothing else did."""

_PYTEST = [sys.executable, "-m", "pytest"]


def run(
    title: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    workers: Sequence[str] = (),
    pytest: Sequence[str] = _PYTEST,
    cwd: Path = steps.ROOT,
) -> int:
    """Run *pytest* with *arguments* in *workers* and return its exit code.

    If up to `MOST` tests failed, run those again in one process, return that exit code, and report those that passed.
    """
    folder = cwd / ".pytest_cache" / title.replace(" ", "-")
    cache = ["-o", f"cache_dir={folder}"]
    code = steps.run(title, [*pytest, *arguments, *workers, *cache, "--cache-clear"], environment, cwd)
    failed = _failed(folder) if code == FAILED else []
    if not 0 < len(failed) <= MOST:
        return code
    code = steps.run(f"{title} that failed, alone", [*pytest, *arguments, *cache, "--last-failed"], environment, cwd)
    if code == 0:
        steps.say("".join(f"##### passed only alone: {name}\n" for name in failed))
    return code


def _failed(folder: Path) -> list[str]:
    try:
        return sorted(json.loads((folder / "v/cache/lastfailed").read_bytes()))
    except FileNotFoundError:
        return []
