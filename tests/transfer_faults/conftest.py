"""One local Azure, and the engine in this process or in `az` processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from tests.transfer_faults.engine import Engine, make_small, wait_for_threads
from tests.transfer_faults.processes import Processes, install


@pytest.fixture(autouse=True)
def _fresh(emulator: Emulator) -> Iterator[None]:
    """Clear faults and log, before and after."""
    emulator.reset()
    yield
    emulator.reset()


@pytest.fixture
def work(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Enter the test's own folder; return it."""
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def engine(tmp_path: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Yield the engine with small sizes; the environment of this process leads it to the local Azure."""
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    make_small(monkeypatch)
    running = Engine(tmp_path / "journal")
    yield running
    running.close()
    assert wait_for_threads() == []


@pytest.fixture
def repository(request: pytest.FixtureRequest) -> str:
    """Return the test's own repository."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name.lower()).strip("-")
    return f"faults/{'-'.join(filter(None, name.split('-')))}"[:100].rstrip("-")


@pytest.fixture(scope="session")
def installed(emulator: Emulator, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Processes:
    """Return `az` with the wheel installed."""
    return install(emulator, wheel, tmp_path_factory.mktemp("az"))
