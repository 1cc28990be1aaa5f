"""Whatever the network and the registry do: right bytes or one clear error, in time, and nothing half done.

`--seed N` runs only the schedule N.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from azext_acrartifact.errors import ArtifactError
from tests.functional.az import assert_no_internals, files_in
from tests.transfer_faults.engine import Engine, set_half_chunk, set_timeouts
from tests.transfer_faults.schedules import STALL, Rule, Schedule, schedule, top_level, write
from tests.transfer_faults.test_single_faults import wire

SCHEDULES = 200
LONGEST = 60.0
"""Seconds that one transfer may take: four times the budget of its waits, and the stalls."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test for each seed."""
    if "seed" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--seed")
        metafunc.parametrize("seed", range(SCHEDULES) if chosen is None else [chosen])


@pytest.mark.timeout(300)
def test_a_transfer_ends_right_or_with_one_clear_error(
    seed: int, engine: Engine, emulator: Emulator, work: Path, tmp_path: Path, record_wire
) -> None:
    planned = schedule(seed)
    set_half_chunk(emulator, ("kept", "dropped")[seed % 2])
    engine.concurrency = planned.concurrency
    repository = f"faults/schedule-{seed}"
    write(work, planned.files)
    _push(planned, engine, emulator, repository)
    for action in {rule["action"] for rule in planned.up}:
        record_wire(f"schedules with {action}", wire(emulator, "up"), sum(map(len, planned.files.values())))
    there = tmp_path / "there"
    there.mkdir()
    write(there, planned.older)
    _pull(planned, engine, emulator, repository, there)


def _push(planned: Schedule, engine: Engine, emulator: Emulator, repository: str) -> None:
    paths = top_level(planned.files)
    with _faults(emulator, planned.up):
        done = _ends(lambda: engine.push(repository, paths))
    if not done:
        assert _ends(lambda: engine.push(repository, paths)), "the next push succeeds"
    assert not engine.sessions.exists() or list(engine.sessions.iterdir()) == []
    assert engine.push(repository, paths).bytes_uploaded == 0


def _pull(planned: Schedule, engine: Engine, emulator: Emulator, repository: str, there: Path) -> None:
    with _faults(emulator, planned.down):
        done = _ends(lambda: engine.pull(repository, there))
    if not done:
        _require_whole(planned, there)
        assert _ends(lambda: engine.pull(repository, there)), "the next pull succeeds"
    assert {name: (there / name).read_bytes() for name in planned.files} == planned.files
    assert {name for name in files_in(there) if not name.endswith("/")} == set(planned.files), "no other file remains"
    assert engine.pull(repository, there).bytes_downloaded == 0


@contextlib.contextmanager
def _faults(emulator: Emulator, rules: list[Rule]) -> Iterator[None]:
    """Apply *rules*; a stall among them is longer than the timeout."""
    for rule in rules:
        emulator.fault(**rule)
    with pytest.MonkeyPatch.context() as patch:
        if any(rule["action"] == "stall" for rule in rules):
            set_timeouts(patch, STALL / 2)
        yield
    emulator.clear_faults()


def _ends(transfer) -> bool:
    """Return whether *transfer* succeeded; require a clear error otherwise, and an end in time."""
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
    """Require that a final name has the older file, or all of the new one."""
    for name, content in planned.files.items():
        path = there / name
        assert not path.exists() or path.read_bytes() in (planned.older.get(name), content), name
    for name in planned.older:
        assert (there / name).exists(), f"{name} was there before"
