"""Run the chosen cases once, several at a time; each test looks at its own verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.judge import Judged
from tests.hostile.report import costs
from tests.hostile.run import Stage, play_all
from tests.hostile.table import CASES

VERDICTS = pytest.StashKey[dict[str, Judged | None]]()


@pytest.fixture(scope="session")
def stage(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Return certificates, and an `az` with the wheel installed."""
    return Stage.make(tmp_path_factory.mktemp("stage"), wheel)


@pytest.fixture(scope="session")
def verdicts(request: pytest.FixtureRequest, stage: Stage) -> dict[str, Judged | None]:
    """Return the verdict on each chosen case by its name; with the suffix `-debug`, with --debug."""
    chosen = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    found = request.config.stash[VERDICTS] = {}
    for debug, suffix in ((False, ""), (True, "-debug")):
        cases = [case for case in CASES if f"{case.name}{suffix}" in chosen]
        found.update({f"{case.name}{suffix}": judged for case, judged in play_all(stage, cases, debug=debug)})
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the cases that took the most time and memory."""
    for line in costs(config.stash.get(VERDICTS, {})):
        terminalreporter.write_line(line)
