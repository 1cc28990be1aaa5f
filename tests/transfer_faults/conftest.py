"""One local Azure, and the engine in this process or in `az` processes."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from tests.functional.az import environment_for
from tests.transfer_faults.engine import Engine, make_small, set_half_chunk, wait_for_threads
from tests.transfer_faults.processes import Processes

WIRE = "bytes on the wire"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the bytes that uploads cost, by cause."""
    costs: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == WIRE:
                costs[value[0]].append(value[1:])
    if costs:
        terminalreporter.section("bytes sent for bytes of content, by cause")
    for cause, found in sorted(costs.items()):
        sent, size = (sum(column) for column in zip(*found, strict=True))
        worst = max(one / max(of, 1) for one, of in found)
        share = f"{sent / max(size, 1):.2f}, {worst:.2f} at most"
        line = f"{cause:60} {len(found):4} x  {sent:14,} for {size:14,}: {share}"
        terminalreporter.write_line(line)


@pytest.fixture
def record_wire(record_property: Callable[[str, object], None]) -> Callable[[str, int, int], None]:
    """Return a function that records for the summary: a cause, the bytes that were sent, and the bytes of content."""
    return lambda cause, sent, size: record_property(WIRE, (cause, sent, size))


@pytest.fixture
def half_chunk(request: pytest.FixtureRequest, emulator: Emulator, _fresh: None) -> str:
    """Set what the registry does with half a chunk, as the parameter says."""
    set_half_chunk(emulator, request.param)
    return str(request.param)


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
def installed(emulator: Emulator, with_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Processes:
    """Return `az` with the wheel installed."""
    folder = tmp_path_factory.mktemp("az")
    shutil.copytree(with_wheel / "config", folder / "config")
    return Processes(emulator, environment_for(emulator, with_wheel / "extensions", folder / "config"), folder)
