"""Registries for the tests with peers: the emulator, and CNCF distribution without any sign-in."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acr_emulator.world import default_world
from devtools import environment, peers, session
from tests.interop.certificates import Certificate
from tests.interop.distribution import PROGRAMS, Distribution
from tests.interop.programs import AZ, run
from tests.interop.registry import Registry, User

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def _peers_are_there() -> None:
    """Require all peers, and name a missing one: it would look like a failed test."""
    missing = [
        program
        for program in [*(peer.program for peer in peers.GO_PEERS), *peers.BUILT, *peers.DEBIAN_PEERS]
        if shutil.which(program, path=peers.path()) is None
    ]
    assert not missing, f"{', '.join(missing)} missing: python3 dev.py interop installs them"


Variables = Callable[[], dict[str, str]]


@pytest.fixture(scope="session")
def variables(with_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Variables:
    """Return a maker of environments in which no client finds another one's files, or this machine's."""

    def make() -> dict[str, str]:
        home = tmp_path_factory.mktemp("home")
        return {
            **environment.clean(),
            "PATH": peers.path(),
            "HOME": str(home),
            "DOCKER_CONFIG": str(home / "docker"),
            "REGISTRY_AUTH_FILE": str(home / "containers.json"),
            "REGCTL_CONFIG": str(home / "regctl.json"),
            "PYTHONUTF8": "1",
            "AZURE_CONFIG_DIR": str(home / "azure"),
            "AZURE_EXTENSION_DIR": str(with_wheel / "extensions"),
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            "AZURE_CORE_NO_COLOR": "yes",
        }

    return make


@pytest.fixture(scope="session")
def pusher() -> User:
    """Return the service principal that may do everything in `myregistry`."""
    principal = default_world().principal(session.PRINCIPAL)
    assert principal is not None
    return User(principal.client_id, principal.secrets[0])


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[session.Emulator]:
    """Yield a local Azure for the whole run."""
    with session.started(tmp_path_factory.mktemp("emulator")) as started:
        yield started


@pytest.fixture(scope="session")
def azure(emulator: session.Emulator, variables: Variables, pusher: User) -> Registry:
    """Return `myregistry` in the local Azure, with az signed in by `az login` and the peers by their own commands."""
    ours = variables()
    ours |= emulator.environment(Path(ours["AZURE_CONFIG_DIR"]))
    registry = Registry(f"{session.REGISTRY}.azurecr.io", ours)
    folder = Path(ours["HOME"])
    run([*AZ, *" ".join(session.sign_in()).split()], folder, ours)
    registry.sign_in(folder, pusher)
    return registry


@pytest.fixture(scope="session")
def distribution(variables: Variables, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Yield CNCF distribution 3 with plain HTTP, without a sign-in."""
    ours = variables()
    daemon = Distribution.start(PROGRAMS["distribution-3"], tmp_path_factory.mktemp("registry"), ours)
    registry = Registry(f"localhost:{daemon.port}", ours, plain=True)
    registry.regctl(Path(ours["HOME"]), "registry", "set", registry.server, "--tls", "disabled")
    yield registry
    daemon.stop()


@pytest.fixture(params=["azure", "distribution"])
def registry(request: pytest.FixtureRequest) -> Registry:
    """Return each registry in turn: a peer can do the same on distribution and on the emulator."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Registry)
    return found


@pytest.fixture
def repository() -> str:
    """Return the test's own repository."""
    return f"interop/test-{next(_NUMBERS)}"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Return one certificate for every server of the tests."""
    return Certificate.make(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return another folder, to pull into."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder
