"""`dev.py lint`: run every static check, or those that are named."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from devtools import azdev, steps, workflows

_PYTHON = [sys.executable, "-m"]
_OTHER_PLATFORMS = ("win32", "darwin")
_EVERYWHERE = ("azext_acrartifact", "acr_emulator", "dev.py")
"""What must run on each platform."""


def _ruff() -> int:
    code = steps.run("ruff check", [*_PYTHON, "ruff", "check", "."])
    return steps.run("ruff format", [*_PYTHON, "ruff", "format", "--check", "--diff", "."]) or code


def _mypy() -> int:
    codes = [steps.run("mypy --strict", [*_PYTHON, "mypy"])]
    for platform in _OTHER_PLATFORMS:
        options = ["--platform", platform, "--cache-dir", f".mypy_cache/{platform}"]
        codes.append(steps.run(f"mypy --platform {platform}", [*_PYTHON, "mypy", *options, *_EVERYWHERE]))
    return max(codes)


CHECKS: dict[str, Callable[[], int]] = {
    "ruff": _ruff,
    "mypy": _mypy,
    "style": azdev.style,
    "linter": azdev.linter,
    "scan": azdev.scan,
    "workflows": workflows.check,
}

AT_ONCE = 2
"""Checks that run at the same time: mypy and azdev style take most of the time, on one core each."""


def main(arguments: list[str]) -> int:
    """Run all checks, or those that *arguments* name, each to its end; return 1 if one failed."""
    unknown = [name for name in arguments if name not in CHECKS]
    if unknown:
        raise steps.Failed(f"There is no check {unknown[0]!r}. Choose from {', '.join(CHECKS)}.", 2)
    start = time.monotonic()
    names = arguments or list(CHECKS)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        codes = list(pool.map(lambda name: CHECKS[name](), names))
    failed = [name for name, code in zip(names, codes, strict=True) if code]
    steps.say(f"lint: {', '.join(failed) + ' failed' if failed else 'clean'}, {time.monotonic() - start:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
