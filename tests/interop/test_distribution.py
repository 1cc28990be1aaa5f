"""CNCF distribution 2 and 3, by HTTP and TLS, with every sign-in that they know: both ways with oras."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.interop.certificates import Certificate
from tests.interop.conftest import Variables
from tests.interop.distribution import PROGRAMS, Distribution, htpasswd, token
from tests.interop.place import Place, User
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
    """A registry that is up, and the front that gives its tokens, if they are what it asks for."""

    place: Place
    front: TokenFront | None


@pytest.fixture(scope="module", params=KINDS, ids=_name)
def started(
    request: pytest.FixtureRequest,
    variables: Variables,
    certificate: Certificate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Started]:
    """Each kind of registry in turn."""
    program, scheme, auth = request.param
    ours, folder = variables(), tmp_path_factory.mktemp("registry")
    tls = certificate if scheme == "tls" else None
    front = TokenFront(USER, certificate, tls) if auth == "token" else None
    sections = {
        "htpasswd": lambda: htpasswd(folder),
        "token": lambda: token(_origin(scheme, front.port) + "/token" if front else "", certificate),
    }
    section = sections[auth]() if auth in sections else None
    registry = Distribution.start(PROGRAMS[program], folder, ours, tls=None if front else tls, auth=section)
    if front:
        front.behind = registry.port
    if tls:
        ours |= {"REQUESTS_CA_BUNDLE": str(tls.file), "SSL_CERT_FILE": str(tls.file)}
    server = _origin(scheme, front.port if front else registry.port).partition("//")[2]
    place = Place(server, ours, plain=tls is None, az_user=None if auth == "none" else USER)
    if auth != "none":
        place.oras(folder, "login", server, "-u", USER.name, "--password-stdin", stdin=USER.password)
    yield Started(place, front)
    registry.stop()
    if front:
        front.stop()


def test_files_and_folders_go_both_ways(started: Started, repository: str, work: Path, out: Path) -> None:
    place = started.place
    make_tree(work / "d")
    (work / "file.txt").write_bytes(b"file\n" * 1_000_000)
    before = snapshot(work)
    pushed = place.push(work, place.at(repository, "ours"), "--file", "d", "file.txt")
    place.oras(work, "push", place.at(repository, "theirs"), "d", "file.txt")
    place.oras(out, "pull", place.at(repository, "ours"), "-o", "theirs")
    place.pull(out, place.at(repository, "theirs"), "--destination", "ours")
    assert snapshot(out / "theirs") == snapshot(out / "ours") == before
    assert place.oras(work, "resolve", place.at(repository, "ours")).text == pushed["digest"]


@pytest.mark.parametrize("started", [(program, "http", "none") for program in PROGRAMS], ids=_name, indirect=True)
def test_what_only_azure_knows_is_one_clear_error(started: Started, repository: str, work: Path) -> None:
    place = started.place
    (work / "file.txt").write_bytes(b"file\n")
    place.push(work, place.at(repository), "--file", "file.txt")
    raw = place.oras(work, "manifest", "fetch", place.at(repository)).stdout
    assert place.az(work, "show", place.at(repository), "--raw").stdout == raw
    assert "is not an Azure Container Registry" in _one_error(place, work, "show", place.at(repository))
    assert "is not an Azure Container Registry" in _one_error(place, work, "delete", place.at(repository), "--yes")
    place.oras(work, "resolve", place.at(repository))


@pytest.mark.parametrize("started", [kind for kind in KINDS if kind[2] != "none"], ids=_name, indirect=True)
def test_without_the_password_there_is_one_clear_error(started: Started, repository: str, work: Path) -> None:
    place = started.place
    (work / "file.txt").write_bytes(b"file\n")
    stranger = Place(place.server, {**place.variables, "DOCKER_CONFIG": str(work)}, place.plain)
    assert "--username" in _one_error(stranger, work, "push", place.at(repository), "--file", "file.txt")
    wrong = Place(place.server, place.variables, place.plain, User(USER.name, "wrong"))
    _one_error(wrong, work, "push", place.at(repository), "--file", "file.txt")
    place.oras(work, "resolve", place.at(repository), code=1)


def _one_error(place: Place, folder: Path, *arguments: str) -> str:
    ended = place.az(folder, *arguments, code=1)
    assert ended.stdout == b""
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("ERROR:") == 1, ended.stderr
    return ended.stderr


def _origin(scheme: str, port: int) -> str:
    """oras speaks HTTP to `localhost` whatever it is told, and TLS to any other name."""
    return f"https://127.0.0.1:{port}" if scheme == "tls" else f"http://localhost:{port}"
