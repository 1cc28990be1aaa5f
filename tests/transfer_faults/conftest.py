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
    """A local Azure."""
    with Emulator.start() as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(emulator: Emulator) -> Iterator[None]:
    """No faults and an empty log, before and after."""
    emulator.reset()
    yield
    emulator.reset()


@pytest.fixture(scope="session")
def origin(emulator: Emulator) -> Origin:
    """The registry, past the code under test."""
    return Origin(emulator)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of the test."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def engine(tmp_path: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The engine with small pieces, led to the local Azure by this process's environment."""
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    make_small(monkeypatch)
    running = Engine(tmp_path / "journal")
    yield running
    running.close()
    assert wait_for_threads() == []


@pytest.fixture
def repository(request: pytest.FixtureRequest) -> str:
    """A repository of the test's own."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name.lower()).strip("-")
    return f"faults/{'-'.join(filter(None, name.split('-')))}"[:100].rstrip("-")


@pytest.fixture(scope="session")
def installed(emulator: Emulator, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Processes:
    """`az` with the wheel installed."""
    return install(emulator, wheel, tmp_path_factory.mktemp("az"))
