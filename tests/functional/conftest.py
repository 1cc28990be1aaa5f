"""One local Azure a process of pytest; the wheel installed in it once; sign-ins made once and kept."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from acr_emulator.world import default_world
from tests.functional.az import Az, environment_for
from tests.functional.origin import SERVER, Origin

WORLD = default_world()


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """A local Azure."""
    with Emulator.start() as running:
        yield running


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sign-ins are kept, one `AZURE_CONFIG_DIR` each."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(scope="session")
def installed(emulator: Emulator, wheel: Path, homes: Path) -> Az:
    """`az` without a sign-in, in which `az extension add` has put the wheel."""
    signed_out = homes / "signed-out"
    az = Az(emulator, homes, environment_for(emulator, homes / "extensions", signed_out))
    added = az("extension", "add", "--source", str(wheel), "--yes", "--only-show-errors")
    assert (added.code, added.stderr) == (0, "")
    # The first command of a new folder indexes all commands and says so.
    assert az("acr", "artifact", "--help", "--only-show-errors").code == 0
    return az


@pytest.fixture(scope="session")
def sign_in(installed: Az, homes: Path) -> Callable[[str], Path]:
    """The `AZURE_CONFIG_DIR` in which the service principal of this name is signed in."""

    def config_of(name: str) -> Path:
        folder = homes / name
        if not folder.exists():
            shutil.copytree(homes / "signed-out", folder)
            principal = WORLD.principal(name)
            assert principal is not None
            who = ("-u", principal.client_id, "-p", principal.secrets[0], "--tenant", principal.tenant_id)
            done = installed.using(config=folder)("login", "--service-principal", *who)
            assert done.code == 0, done.stderr
        return folder

    return config_of


@pytest.fixture(autouse=True)
def _fresh(emulator: Emulator, homes: Path) -> Iterator[None]:
    """Settings, faults and log as at the start, no refresh token kept. MSAL keeps a failure of Entra on disk."""
    emulator.reset()
    for kept in homes.glob("*/acrartifact/refresh_tokens*"):
        kept.unlink()
    yield
    if any(rule["applied"] for rule in emulator.faults()):
        for kept in homes.glob("*/msal_http_cache.bin"):
            kept.unlink()
    emulator.reset()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The folder in which the test's commands run."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def signed_out(installed: Az, work: Path) -> Az:
    """`az` without a sign-in."""
    return installed.using(work)


@pytest.fixture
def az(installed: Az, sign_in: Callable[[str], Path], work: Path) -> Az:
    """`az`, signed in as the service principal that may do everything in `myregistry`."""
    return installed.using(work, config=sign_in("pusher"))


@pytest.fixture
def repository(request: pytest.FixtureRequest) -> str:
    """A repository of the test's own."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return f"samples/{request.path.stem.removeprefix('test_')}/{name}"[:120].rstrip("-")


@pytest.fixture
def artifact(repository: str) -> str:
    """An artifact of the test's own, by its full reference."""
    return f"{SERVER}/{repository}:1.0"


@pytest.fixture(scope="session")
def origin(emulator: Emulator) -> Origin:
    """The registry, past the code under test."""
    return Origin(emulator)
