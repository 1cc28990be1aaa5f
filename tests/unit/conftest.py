"""What unit tests of the core share: scripted servers, and clients that do not wait between tries."""

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
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.network import Network
from azext_acrartifact.transport.retry import Policy, Waiter
from tests.support.server import Answer, Script, ScriptedServer, Sent

# Too slow is what a machine is, not a property of the code.
SLOW = [HealthCheck.too_slow]
settings.register_profile("unit", derandomize=True, deadline=None, max_examples=60, suppress_health_check=SLOW)
settings.load_profile("unit")

AT_ONCE = Policy(first_wait=0.0, longest_wait=0.0, headway=1)
"""The usual number of tries, without waits."""

Serve = Callable[..., ScriptedServer]


@pytest.fixture
def loopback() -> None:
    """A test that asks for this may open sockets to this machine."""


@pytest.fixture
def serve(loopback: None) -> Iterator[Serve]:
    """Starts scripted servers: of answers, one for each request, or of one function for all."""
    with contextlib.ExitStack() as stack:

        def start(*script: Script | Callable[[Sent], Answer], forever: bool = False, **options: object):
            playing = script[0] if forever else script
            server = ScriptedServer(playing, **options)  # type: ignore[arg-type]
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def notices() -> list[str]:
    """What the client said while it waited."""
    return []


@pytest.fixture
def http(notices: list[str]) -> Iterator[HttpClient]:
    """A client that tries again at once."""
    client = HttpClient(Network("unit/1"), Waiter(notices.append), AT_ONCE)
    yield client
    client.close()


@pytest.fixture
def registry(http: HttpClient) -> Callable[[ScriptedServer], Registry]:
    """Opens the registry that a scripted server plays, without a sign-in."""
    return lambda server: Registry(server.server, server.url, http, ChallengeAuthorizer(server.url, http, None))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that nobody trusts unless told so."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=[DescriptorFolder, PathFolder])
def folder_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type:
    """Runs a test on the POSIX way and on the Windows way; the latter works here too."""
    if request.param is PathFolder:
        monkeypatch.setattr(os, "supports_dir_fd", set())
    kind: type = request.param
    return kind
