"""For every test: an environment without this machine's settings, and the wheel as users get it.

Sockets other than loopback are refused in this process (pyproject.toml: pytest-socket); processes that tests start
reach the emulator through their own environment.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from devtools import environment, locks
from devtools import wheel as wheels
from tests import not_windows
from tests.functional.origin import Origin
from tests.support.system import WINDOWS

Once = Callable[[str, Callable[[Path], object]], Path]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell without job control lets background processes ignore Ctrl-C, and their children inherit that; but tests
    # send it (POSIX.1-2017, Shell Command Language, 2.11 Signals and Error Handling).
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--seed N`: of the tests with random faults, run only the schedule N."""
    parser.addoption("--seed", type=int, default=None, help="run only this schedule of faults")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what tests/not_windows.py names, on Windows. Disable sockets in unit tests, except in those with
    the fixture `loopback`: a server of raw bytes in this process."""
    if WINDOWS:
        left_out = [item for item in items if not_windows.reason(item.nodeid)]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    for item in items:
        asks = "loopback" in getattr(item, "fixturenames", ())
        if item.path.is_relative_to(Path(__file__).parent / "unit") and not asks:
            item.add_marker(pytest.mark.disable_socket)


@pytest.fixture(autouse=True, scope="session")
def _clean_environment() -> Iterator[None]:
    """Keep proxy, CA and Azure settings of the machine away from tests and the processes that they start."""
    given = dict(os.environ)
    for name in given.keys() - environment.clean().keys():
        del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(given)


@pytest.fixture(autouse=True, scope="session")
def _given_line_ends() -> Iterator[None]:
    """Let `Path.write_text` write line ends as they are given, on Windows too: tests state sizes and digests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_text", functools.partialmethod(Path.write_text, newline="\n"))
        yield


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Return a function that returns the folder of a name, which it makes once for all of pytest's workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f"{name}.made"
        with locks.exclusive(shared / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def wheel(once: Once) -> Path:
    """Build the extension's wheel from the checkout as it is now."""
    (built,) = once("wheel", wheels.build).glob("*.whl")
    return built


@pytest.fixture(scope="session")
def with_wheel(once: Once, wheel: Path) -> Path:
    """Return a folder with `extensions`, where `az extension add` has installed the wheel, and `config`, the
    `AZURE_CONFIG_DIR` of that `az`."""

    def install(folder: Path) -> None:
        variables = {
            **environment.clean(), "AZURE_EXTENSION_DIR": str(folder / "extensions"), "PIP_NO_INDEX": "1",
            "AZURE_CONFIG_DIR": str(folder / "config"), "AZURE_CORE_COLLECT_TELEMETRY": "no",
        }  # fmt: skip
        # The first command of a new folder indexes all commands and says so.
        for arguments in (["extension", "add", "--source", str(wheel), "--yes"], ["acr", "artifact", "--help"]):
            command = [sys.executable, "-m", "azure.cli", *arguments, "--only-show-errors"]
            done = subprocess.run(command, env=variables, capture_output=True, encoding="utf-8")
            assert (done.returncode, done.stderr) == (0, "")

    return once("with-wheel", install)


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """Yield a local Azure."""
    with Emulator.start() as running:
        yield running


@pytest.fixture(scope="session")
def origin(emulator: Emulator) -> Origin:
    """Return direct access to `myregistry`, without the code under test."""
    return Origin(emulator)


@pytest.fixture
def there(emulator: Emulator) -> Origin:
    """Return the same for the other registry."""
    return Origin(emulator, "targetregistry.azurecr.io")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return the folder in which the test's commands run."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder
