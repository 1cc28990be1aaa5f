"""Fixtures for tests of requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.network import Network
from azext_acrartifact.transport.retry import Policy
from tests.support.server import ScriptedServer

UseProxy = Callable[..., None]


@pytest.fixture
def once() -> Iterator[HttpClient]:
    """Yield a client that tries once."""
    client = HttpClient(Network("unit/1"), policy=Policy(tries=1))
    yield client
    client.close()


@pytest.fixture
def trusted(authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the certificates of *authority*."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate_file))


@pytest.fixture
def use_proxy(monkeypatch: pytest.MonkeyPatch) -> UseProxy:
    """Return a function that makes a server the proxy, with or without a user."""

    def use(server: ScriptedServer, user: str = "", variable: str = "HTTPS_PROXY") -> None:
        monkeypatch.setenv(variable, f"http://{user}{server.server}")

    return use
