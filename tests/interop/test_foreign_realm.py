"""A realm on another origin than the registry's gets no credentials (GHSA-28r5-37g7-p6mp)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.certificates import Certificate
from tests.interop.conftest import Variables
from tests.interop.distribution import PROGRAMS, Distribution, token
from tests.interop.registry import Registry, User
from tests.interop.token_front import TokenFront

USER = User("interop-user", "interop-password")


@pytest.fixture
def elsewhere(certificate: Certificate) -> Iterator[TokenFront]:
    """Yield a server that issues tokens, on another port than the registry's."""
    front = TokenFront(USER, certificate, None)
    yield front
    front.stop()


@pytest.fixture
def misled(elsewhere: TokenFront, variables: Variables, certificate: Certificate, tmp_path: Path) -> Iterator[Registry]:
    """Yield a registry that sends its clients to *elsewhere*."""
    ours = variables()
    auth = token(f"http://localhost:{elsewhere.port}/token", certificate)
    daemon = Distribution.start(PROGRAMS["distribution-3"], tmp_path / "registry", ours, auth=auth)
    yield Registry(f"localhost:{daemon.port}", ours, plain=True, az_user=USER)
    daemon.stop()


def test_another_server_gets_no_password(misled: Registry, elsewhere: TokenFront, repository: str, work: Path) -> None:
    (work / "file.txt").write_bytes(b"file\n")
    for arguments in (["push", misled.at(repository), "--file", "file.txt"], ["pull", misled.at(repository)]):
        ended = misled.az(work, *arguments, code=1)
        assert ended.stdout == b""
        assert ended.stderr.count("ERROR:") == 1
        assert "asks to sign in at another host" in ended.stderr
        assert f"localhost:{elsewhere.port}" in ended.stderr
        assert "Traceback" not in ended.stderr
    assert elsewhere.seen == []


def test_oras_asks_there_for_a_token(misled: Registry, elsewhere: TokenFront, repository: str, work: Path) -> None:
    (work / "file.txt").write_bytes(b"file\n")
    sign_in = ["-u", USER.name, "--password-stdin"]
    misled.oras(work, "push", *sign_in, misled.at(repository), "file.txt", stdin=USER.password)
    assert elsewhere.seen
