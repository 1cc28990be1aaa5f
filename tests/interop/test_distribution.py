"""CNCF distribution 2 and 3, with HTTP and TLS and every sign-in that they know: both ways with oras."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.interop.certificates import Certificate
from tests.interop.conftest import Variables
from tests.interop.distribution import PROGRAMS, Distribution, htpasswd, token
from tests.interop.registry import Registry, User
from tests.interop.token_front import TokenFront
from tests.interop.trees import make_tree, snapshot

USER = User("interop-user", "interop-password")

Kind = tuple[str, str, str]
"""Program, scheme, sign-in."""
KINDS: list[Kind] = [
    (program, scheme, auth)
    for program in PROGRAMS
    for scheme in ("http", "tls")
    for auth in ("none", "htpasswd", "token")
]


def _name(kind: Kind) -> str:
    return "-".join(kind)


class Started(NamedTuple):
    """A running registry, and the front that issues its tokens, if it needs tokens."""

    registry: Registry
    front: TokenFront | None


@pytest.fixture(scope="module", params=KINDS, ids=_name)
def started(
    request: pytest.FixtureRequest,
    variables: Variables,
    certificate: Certificate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Started]:
    """Yield each kind of registry in turn."""
    program, scheme, auth = request.param
    ours, folder = variables(), tmp_path_factory.mktemp("registry")
    tls = certificate if scheme == "tls" else None
    front = TokenFront(USER, certificate, tls) if auth == "token" else None
    sections = {
        "htpasswd": lambda: htpasswd(folder),
        "token": lambda: token(_origin(scheme, front.port) + "/token" if front else "", certificate),
    }
    section = sections[auth]() if auth in sections else None
    daemon = Distribution.start(PROGRAMS[program], folder, ours, tls=None if front else tls, auth=section)
    if front:
        front.behind = daemon.port
    if tls:
        ours |= {"REQUESTS_CA_BUNDLE": str(tls.file), "SSL_CERT_FILE": str(tls.file)}
    server = _origin(scheme, front.port if front else daemon.port).partition("//")[2]
    registry = Registry(server, ours, plain=tls is None, az_user=None if auth == "none" else USER)
    if auth != "none":
        registry.oras(folder, "login", server, "-u", USER.name, "--password-stdin", stdin=USER.password)
    yield Started(registry, front)
    daemon.stop()
    if front:
        front.stop()


def test_files_and_folders_go_both_ways(started: Started, repository: str, work: Path, out: Path) -> None:
    registry = started.registry
    make_tree(work / "d")
    (work / "file.txt").write_bytes(b"file\n" * 1_000_000)
    before = snapshot(work)
    pushed = registry.push(work, registry.at(repository, "ours"), "--file", "d", "file.txt")
    registry.oras(work, "push", registry.at(repository, "theirs"), "d", "file.txt")
    registry.oras(out, "pull", registry.at(repository, "ours"), "-o", "theirs")
    registry.pull(out, registry.at(repository, "theirs"), "--destination", "ours")
    assert snapshot(out / "theirs") == snapshot(out / "ours") == before
    assert registry.oras(work, "resolve", registry.at(repository, "ours")).text == pushed["digest"]


@pytest.mark.parametrize("started", [(program, "http", "none") for program in PROGRAMS], ids=_name, indirect=True)
def test_what_only_azure_supports_is_one_clear_error(started: Started, repository: str, work: Path) -> None:
    registry = started.registry
    (work / "file.txt").write_bytes(b"file\n")
    registry.push(work, registry.at(repository), "--file", "file.txt")
    raw = registry.oras(work, "manifest", "fetch", registry.at(repository)).stdout
    assert registry.az(work, "show", registry.at(repository), "--raw").stdout == raw
    for command in (["show"], ["delete", "--yes"]):
        error = _one_error(registry, work, *command, registry.at(repository))
        assert "is not an Azure Container Registry" in error
    registry.oras(work, "resolve", registry.at(repository))


@pytest.mark.parametrize("started", [kind for kind in KINDS if kind[2] != "none"], ids=_name, indirect=True)
def test_without_the_password_there_is_one_clear_error(started: Started, repository: str, work: Path) -> None:
    registry = started.registry
    (work / "file.txt").write_bytes(b"file\n")
    stranger = Registry(registry.server, {**registry.variables, "DOCKER_CONFIG": str(work)}, registry.plain)
    assert "--username" in _one_error(stranger, work, "push", registry.at(repository), "--file", "file.txt")
    wrong = Registry(registry.server, registry.variables, registry.plain, User(USER.name, "wrong"))
    _one_error(wrong, work, "push", registry.at(repository), "--file", "file.txt")
    registry.oras(work, "resolve", registry.at(repository), code=1)


def _one_error(registry: Registry, folder: Path, *arguments: str) -> str:
    ended = registry.az(folder, *arguments, code=1)
    assert ended.stdout == b""
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("ERROR:") == 1, ended.stderr
    return ended.stderr


def _origin(scheme: str, port: int) -> str:
    """Return the registry's origin. oras always uses HTTP for `localhost`, and TLS for any other name."""
    return f"https://127.0.0.1:{port}" if scheme == "tls" else f"http://localhost:{port}"
