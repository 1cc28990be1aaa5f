"""Whatever the network and the registry do: right bytes or one clear error, in time, and nothing half done.

`--seed N` runs the one schedule N again.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from azext_acrartifact.errors import ArtifactError
from tests.functional.az import assert_no_internals, files_in
from tests.transfer_faults.engine import Engine
from tests.transfer_faults.schedules import Rule, Schedule, schedule, top_level, write

SCHEDULES = 200
LONGEST = 15.0
"""Seconds that one transfer may take: the budget of its waits, and the stalls."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each seed."""
    if "seed" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--seed")
        metafunc.parametrize("seed", range(SCHEDULES) if chosen is None else [chosen])


@pytest.mark.timeout(60)
def test_a_transfer_ends_right_or_with_one_clear_error(
    seed: int, engine: Engine, emulator: Emulator, work: Path, tmp_path: Path
) -> None:
    planned = schedule(seed)
    engine.concurrency = planned.concurrency
    repository = f"faults/schedule-{seed}"
    write(work, planned.files)
    _push(planned, engine, emulator, repository)
    there = tmp_path / "there"
    there.mkdir()
    write(there, planned.older)
    _pull(planned, engine, emulator, repository, there)


def _push(planned: Schedule, engine: Engine, emulator: Emulator, repository: str) -> None:
    _inject(emulator, planned.up)
    paths = top_level(planned.files)
    if not _ends(lambda: engine.push(repository, paths)):
        emulator.clear_faults()
        assert _ends(lambda: engine.push(repository, paths)), "the next push goes through"
    emulator.clear_faults()
    assert not engine.journal.exists() or list(engine.journal.iterdir()) == []
    assert engine.push(repository, paths).bytes_uploaded == 0


def _pull(planned: Schedule, engine: Engine, emulator: Emulator, repository: str, there: Path) -> None:
    _inject(emulator, planned.down)
    done = _ends(lambda: engine.pull(repository, there))
    emulator.clear_faults()
    if not done:
        _require_whole(planned, there)
        assert _ends(lambda: engine.pull(repository, there)), "the next pull goes through"
    assert {name: (there / name).read_bytes() for name in planned.files} == planned.files
    assert {name for name in files_in(there) if not name.endswith("/")} == set(planned.files), "nothing is left over"
    assert engine.pull(repository, there).bytes_downloaded == 0


def _inject(emulator: Emulator, rules: list[Rule]) -> None:
    for rule in rules:
        emulator.fault(**rule)


def _ends(transfer) -> bool:
    """Whether it went well; otherwise with an error that says something, and either way in time."""
    began = time.monotonic()
    try:
        transfer()
    except ArtifactError as error:
        assert_no_internals(error.message)
        return False
    finally:
        assert time.monotonic() - began < LONGEST
    return True


def _require_whole(planned: Schedule, there: Path) -> None:
    """What has a final name is the older file, or all of the new one."""
    for name, content in planned.files.items():
        path = there / name
        assert not path.exists() or path.read_bytes() in (planned.older.get(name), content), name
    for name in planned.older:
        assert (there / name).exists(), f"{name} was there before"
