"""The emulator's registries, in this process, as the operations reach them: through its proxy, over TLS."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acr_emulator.app import App
from acr_emulator.front.server import Server
from acr_emulator.world import default_world
from azext_acrartifact.auth.credentials import PasswordCredential
from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.auth.tokens import TokenAuthorizer
from azext_acrartifact.oci.reference import Reference, parse_reference
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.operations.file_spec import parse_file_spec
from azext_acrartifact.operations.pull import PullOrder, PullResult, pull
from azext_acrartifact.operations.push import PushOrder, PushResult, push
from azext_acrartifact.transfer.progress import Progress
from azext_acrartifact.transport.client import HttpClient

SERVER = "myregistry.azurecr.io"
TARGET = "targetregistry.azurecr.io"


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, Server]]:
    """Start the local Azure."""
    app = App(default_world(), tmp_path_factory.mktemp("azure"))
    server = Server(app, 0)
    server.start()
    yield app, server
    server.stop()
    for thread in threading.enumerate():
        if thread.name.startswith(("connection-", "accept")):
            thread.join(5)


@pytest.fixture
def app(loopback: None, azure: tuple[App, Server], monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """Yield the local Azure, with an empty log and no faults; this process reaches nothing else."""
    app, server = azure
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(app.authority.certificate_file))
    # On a busy machine a response may be logged long after the client has it.
    app.log.settle_seconds = 10.0
    app.log.clear()
    yield app
    app.faults.remove()


@pytest.fixture
def signed_in(app: App, http: HttpClient) -> Callable[..., Registry]:
    """Return a function that opens a registry as a service principal, over another client if one is given."""

    def open_as(who: str = "pusher", server: str = SERVER, http: HttpClient = http) -> Registry:
        principal = app.world.principal(who)
        assert principal is not None
        credential = PasswordCredential(principal.client_id, principal.secrets[0])
        authorizer = TokenAuthorizer(TokenEndpoint(server, f"https://{server}", http), credential)
        return Registry(server, f"https://{server}", http, authorizer)

    return open_as


@pytest.fixture
def work(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, the current one."""
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def signable(signed_in: Callable[..., Registry], work: Path, request: pytest.FixtureRequest) -> Reference:
    """Push an artifact that no other test has, and return its reference."""
    (work / "a.txt").write_text(request.node.nodeid)
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.partition("[")[0])
    push_files(signed_in(), f"samples/signed/{name}:1.0", "a.txt")
    return ref(f"samples/signed/{name}:1.0")


def ref(image: str) -> Reference:
    """Return the reference of *image* in the registry of most tests."""
    return parse_reference(f"{SERVER}/{image}")


def push_files(registry: Registry, image: str, *files: str, progress: Progress | None = None, **options) -> PushResult:
    """Push *files* to *image*."""
    order = PushOrder(ref(image), [parse_file_spec(file) for file in files], **options)
    return push(registry, order, progress or Progress())


def pull_files(registry: Registry, image: str, destination: Path, **options) -> PullResult:
    """Pull *image* to *destination*."""
    return pull(registry, PullOrder(ref(image), str(destination), **options), Progress())


def count(app: App, method: str, path: str) -> int:
    """Return how many requests of *method* and *path* the registry or its storage got."""
    return sum(1 for one in app.log.entries() if re.fullmatch(method, one["method"]) and re.search(path, one["path"]))
