"""`login`, `logout` and `check-access`: credentials for other programs, and the permissions of an identity."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from tests.functional.az import TOKEN, ZERO, Az
from tests.functional.origin import SERVER, Origin

ABAC = "abacregistry-d7fqc4e3.azurecr.io"


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """Return the path of the test's own docker configuration."""
    return tmp_path / "docker" / "config.json"


@pytest.fixture
def own(az: Az, docker: Path) -> Az:
    """Return `az`, signed in, with that configuration."""
    return az.using(DOCKER_CONFIG=str(docker.parent))


def test_a_login_is_stored_for_others(own: Az, signed_out: Az, docker: Path, origin: Origin, artifact: str) -> None:
    login = own.artifact("login", "--name", "myregistry").json
    assert (login["loginServer"], login["username"], login["keptIn"]) == (SERVER, ZERO, str(docker))
    assert login["expiresOn"].endswith("+00:00")
    entry = json.loads(docker.read_text())["auths"][SERVER]
    assert base64.b64decode(entry["auth"]).decode() == f"{ZERO}:"
    assert TOKEN.match(entry["identitytoken"])
    assert stat.S_IMODE(docker.stat().st_mode) == 0o600
    origin.push_files(artifact.partition("/")[2].partition(":")[0], {"a.txt": b"content"})
    other = signed_out.using(DOCKER_CONFIG=str(docker.parent))
    assert not other.artifact("pull", artifact, "--auth-mode", "docker").to(SERVER, "/oauth2/exchange")


def test_a_logout_leaves_the_rest(own: Az, docker: Path) -> None:
    docker.parent.mkdir()
    rest = {"auths": {"other.example": {"auth": "bWU6eA=="}}, "detachKeys": "ctrl-e"}
    docker.write_text(json.dumps(rest))
    own.artifact("login", "--name", SERVER)
    assert own.artifact("logout", "--name", SERVER).json["removed"]
    assert json.loads(docker.read_text()) == rest
    again = own.artifact("logout", "--name", SERVER)
    assert not again.json["removed"]
    assert again.log == []


def test_a_password_is_verified_first(own: Az, docker: Path) -> None:
    who = ("--name", SERVER, "--username", "ci-token", "--password-stdin")
    refused = own.refused(1, "login", *who, stdin="wrong")
    assert "user name and password" in refused.stderr
    assert not docker.exists()
    assert own.artifact("login", *who, stdin="ci-token-password\n").json["expiresOn"] is None
    auth = json.loads(docker.read_text())["auths"][SERVER]["auth"]
    assert base64.b64decode(auth).decode() == "ci-token:ci-token-password"


def test_a_helper_stores_the_login(own: Az, docker: Path, tmp_path: Path) -> None:
    docker.parent.mkdir()
    docker.write_text(json.dumps({"credsStore": "test"}))
    failed = own.refused(1, "login", "--name", SERVER)
    assert "docker-credential-test" in failed.stderr
    helper = tmp_path / "docker-credential-test"
    helper.write_text(f"#!/bin/sh\n[ $1 = store ] && cat >'{tmp_path}/secret'\n")
    helper.chmod(0o755)
    with_helper = own.using(PATH=f"{tmp_path}:{own.variables['PATH']}")
    assert with_helper.artifact("login", "--name", SERVER).json["keptIn"] == "docker-credential-test"
    assert json.loads((tmp_path / "secret").read_text())["Username"] == "<token>"
    assert not TOKEN.search(docker.read_text())


def test_anonymous_access_has_no_login_to_store(signed_out: Az, docker: Path, emulator: Emulator) -> None:
    emulator.set(registries={"myregistry": {"anonymous_pull_enabled": True}})
    alone = signed_out.using(DOCKER_CONFIG=str(docker.parent))
    refused = alone.refused(1, "login", "--name", SERVER).stderr
    assert "az login" in refused
    assert "anonymous" not in refused
    alone.refused(1, "login", "--name", SERVER, "--auth-mode", "anonymous")
    assert not docker.exists()


def access(az: Az, *arguments: str) -> dict[tuple[str, str], tuple[bool, str]]:
    """Run check-access, and return its results by repository and action."""
    result = az.artifact("check-access", *arguments)
    assert {entry.path for entry in result.registry()} <= {"/oauth2/exchange", "/oauth2/token"}
    return {(one["repository"], one["action"]): (one["allowed"], one["role"]) for one in result.json["access"]}


def test_the_permissions_of_an_owner(own: Az) -> None:
    found = access(own, "--name", "myregistry", "--repository", "samples/a")
    assert len(found) == 5
    assert all(allowed for allowed, _ in found.values())


def test_the_permissions_of_a_reader(own: Az, sign_in: Callable[[str], Path]) -> None:
    reader = own.using(config=sign_in("reader"))
    found = access(reader, "--name", "myregistry", "--repository", "samples/a")
    roles = {"push": "AcrPush", "delete": "AcrDelete", "metadata_write": "AcrPush"}
    assert {action: role for (_, action), (allowed, role) in found.items() if not allowed} == roles
    table = reader("acr", "artifact", "check-access", "--name", "myregistry", "--repository", "a", "-o", "table")
    assert "AcrPush" in table.stdout
    by_abac = access(reader, "--name", ABAC, "--repository", "samples/a")
    assert by_abac["samples/a", "push"] == (False, "Container Registry Repository Writer")


def test_a_required_action_that_is_denied(own: Az, sign_in: Callable[[str], Path]) -> None:
    reader = own.using(config=sign_in("reader"))
    what = ("acr", "artifact", "check-access", f"{SERVER}/samples/a", "--action")
    assert reader.ok(*what, "pull").json["access"][0]["allowed"]
    denied = reader(*what, "pull", "push", "delete")
    assert denied.code == 1
    assert [one["allowed"] for one in denied.json["access"]] == [True, False, False]
    assert "may not push or delete manifests here" in denied.stderr
    assert "the role AcrPush and AcrDelete." in denied.stderr
    assert denied.stderr == reader("acr", "artifact", "delete", f"{SERVER}/samples/a:1", "--yes").stderr.replace(
        "may not delete", "may not push or delete"
    ).replace("role AcrDelete", "role AcrPush and AcrDelete")
    assert own.refused(1, "check-access", "--name", SERVER).log == []


def test_several_repositories_with_conditions(own: Az, sign_in: Callable[[str], Path]) -> None:
    reader = own.using(config=sign_in("reader"))
    names = [f"samples/{number}" for number in range(12)]
    found = access(reader, "--name", ABAC, "--repository", *names, "other/a")
    assert {name for (name, action), (allowed, _) in found.items() if allowed and action == "pull"} == set(names)


@pytest.mark.parametrize("wrong", ["a:1.0", "A", "../a"])
def test_an_invalid_repository(own: Az, wrong: str) -> None:
    assert own.refused(1, "check-access", "--name", SERVER, "--repository", wrong).log == []
