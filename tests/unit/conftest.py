"""Fixtures of the unit tests: scripted servers, and clients that do not wait between tries."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from acr_emulator.front.ca import Authority
from azext_acrartifact.auth.distribution import ChallengeAuthorizer
from azext_acrartifact.files.directory.posix import DescriptorFolder
from azext_acrartifact.files.directory.windows import PathFolder
from azext_acrartifact.known_secrets import KNOWN
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.network import Network
from azext_acrartifact.transport.retry import Policy, Waiter
from tests.support.server import RawResponse, ScriptedServer, Sent, Step
from tests.support.system import on_posix

# A slow machine is not a property of the code.
SLOW = [HealthCheck.too_slow]
settings.register_profile("unit", derandomize=True, deadline=None, max_examples=60, suppress_health_check=SLOW)
settings.load_profile("unit")

AT_ONCE = Policy(first_wait=0.0, longest_wait=0.0, headway=1)
"""As many tries as by default, without waits."""

Serve = Callable[..., ScriptedServer]


@pytest.fixture(autouse=True)
def no_known_secrets() -> None:
    """Begin each test as a process does: knowing no secret."""
    KNOWN.__init__()  # type: ignore[misc]


@pytest.fixture
def loopback() -> None:
    """Allow a test to open sockets to this machine, as `socket.socketpair` does on Windows."""


@pytest.fixture
def serve(loopback: None) -> Iterator[Serve]:
    """Yield a function that starts scripted servers: of responses, one for each request, or of one function."""
    with contextlib.ExitStack() as stack:

        def start(*script: Step | Callable[[Sent], RawResponse], forever: bool = False, **options: object):
            playing = script[0] if forever else script
            server = ScriptedServer(playing, **options)  # type: ignore[arg-type]
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def notices() -> list[str]:
    """Return the list of the notices of `http` while it waits."""
    return []


@pytest.fixture
def http(notices: list[str]) -> Iterator[HttpClient]:
    """Yield a client that tries again at once."""
    client = HttpClient(Network("unit/1"), Waiter(notices.append), AT_ONCE)
    yield client
    client.close()


@pytest.fixture
def registry(http: HttpClient) -> Callable[[ScriptedServer], Registry]:
    """Return a function that opens the registry of a scripted server without a sign-in."""
    return lambda server: Registry(server.server, server.url, http, ChallengeAuthorizer(server.url, http, None))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return a certificate authority that is not trusted by default."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=[*on_posix(DescriptorFolder), PathFolder])
def folder_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type:
    """Run a test with the folders of POSIX and with those of Windows, which work here too."""
    if request.param is PathFolder:
        monkeypatch.setattr(os, "supports_dir_fd", set())
    kind: type = request.param
    return kind
