"""A new registry for every test; the signing key is shared, because making one is slow."""

from __future__ import annotations

from pathlib import Path

import pytest

from acr_emulator.jwt import Signer
from tests.emulator.registry.peer import Cloud, Peer


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer(tmp_path_factory.mktemp("key") / "keys.pem")


@pytest.fixture
def cloud(tmp_path: Path, signer: Signer) -> Cloud:
    return Cloud(tmp_path, signer)


@pytest.fixture
def peer(cloud: Cloud) -> Peer:
    """Return a client of the pusher, with all rights on the repository `a`."""
    return cloud.peer()
