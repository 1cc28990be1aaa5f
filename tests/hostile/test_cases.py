"""No registry and no artifact harms the user, hangs the command, or ends it with anything but one clear error.

Each case is an `az` process of its own. `python3 dev.py hostile` runs all of them, CI those of `SOME`.
"""

from __future__ import annotations

import os

import pytest

from tests.hostile.judge import Judged
from tests.hostile.table import CASES, FOUND

SOME = [case for number, case in enumerate(CASES) if number % 4 == 0 or case.name in FOUND]
"""Every fourth case, and those that have found a fault."""
CHOSEN = [case for case in (CASES if os.environ.get("HOSTILE") == "all" else SOME) if not case.slow]
WITH_DEBUG = [case for case in CHOSEN if case.requirement in ("R15", "R34")]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [case.name for case in CHOSEN])
def test_it_is_safe(verdicts: dict[str, Judged], name: str) -> None:
    judged = verdicts[name]
    assert judged.verdict == "SAFE", judged.reasons


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [f"{case.name}-debug" for case in WITH_DEBUG])
def test_debug_shows_no_secret(verdicts: dict[str, Judged], name: str) -> None:
    judged = verdicts[name]
    assert judged.verdict == "SAFE", judged.reasons
