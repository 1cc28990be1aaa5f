"""One local Azure for each process of pytest, with the wheel installed once; sign-ins are made once."""

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
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the sign-ins, which have one `AZURE_CONFIG_DIR` each."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(scope="session")
def installed(emulator: Emulator, with_wheel: Path, homes: Path) -> Az:
    """Return an `az` without a sign-in, in which `az extension add` has installed the wheel."""
    signed_out = homes / "signed-out"
    shutil.copytree(with_wheel / "config", signed_out)
    return Az(emulator, homes, environment_for(emulator, with_wheel / "extensions", signed_out))


@pytest.fixture(scope="session")
def sign_in(installed: Az, homes: Path) -> Callable[[str], Path]:
    """Return a function from the name of a service principal to the `AZURE_CONFIG_DIR` in which it is signed in."""

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
    """Reset settings, faults, log and refresh tokens, and MSAL's cache of responses after a failure of Entra."""
    emulator.reset()
    for stored in homes.glob("*/acrartifact/refresh_tokens*"):
        stored.unlink()
    yield
    if any(rule["applied"] for rule in emulator.faults()):
        for stored in homes.glob("*/msal_http_cache.bin"):
            stored.unlink()
    emulator.reset()


@pytest.fixture
def file(work: Path) -> str:
    """Create a file to push, and return its name."""
    (work / "a.txt").write_text("content")
    return "a.txt"


@pytest.fixture
def signed_out(installed: Az, work: Path) -> Az:
    """Return an `az` without a sign-in."""
    return installed.using(work)


@pytest.fixture
def az(installed: Az, sign_in: Callable[[str], Path], work: Path) -> Az:
    """Return an `az` that is signed in as the service principal that may do everything in `myregistry`."""
    return installed.using(work, config=sign_in("pusher"))


@pytest.fixture
def repository(request: pytest.FixtureRequest) -> str:
    """Return the name of a repository for this test only."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return f"samples/{request.path.stem.removeprefix('test_')}/{name}"[:120].rstrip("-")


@pytest.fixture
def artifact(repository: str) -> str:
    """Return the full reference of an artifact for this test only."""
    return f"{SERVER}/{repository}:1.0"


@pytest.fixture
def digest(origin: Origin, repository: str) -> str:
    """Push an artifact of one file with the tag 1.0, and return its digest."""
    return origin.push_files(repository, {"a.txt": b"one"})
