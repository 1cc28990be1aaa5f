"""One local Azure, and the engine in this process or in `az` processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from tests.functional.origin import Origin
from tests.transfer_faults.engine import Engine, make_small, wait_for_threads
from tests.transfer_faults.processes import Processes, install


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """Yield a local Azure."""
    with Emulator.start() as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(emulator: Emulator) -> Iterator[None]:
    """Clear faults and log, before and after."""
    emulator.reset()
    yield
    emulator.reset()


@pytest.fixture(scope="session")
def origin(emulator: Emulator) -> Origin:
    """Return the registry, bypassing the code under test."""
    return Origin(emulator)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Enter the test's own folder; return it."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


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
