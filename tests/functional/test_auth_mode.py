"""The sources of a sign-in: `--auth-mode`, and what `auto` uses and skips."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from acr_emulator.world import TENANT, default_world
from tests.functional.az import Az, Result, exposed_token
from tests.functional.origin import SERVER, Origin
from tests.functional.terminal import at_terminal

WORLD = default_world()
SIGN_IN = "login.microsoftonline.com"
PUSHER = WORLD.principal("pusher")
assert PUSHER is not None
SERVICE_PRINCIPAL = {
    "AZURE_CLIENT_ID": PUSHER.client_id,
    "AZURE_TENANT_ID": TENANT,
    "AZURE_CLIENT_SECRET": PUSHER.secrets[0],
}
PULL_USER, PULL_PASSWORD = "read-token", "read-token-password"


@pytest.fixture
def stored(origin: Origin, artifact: str, repository: str) -> str:
    """Push an artifact."""
    origin.push_files(repository, {"a.txt": b"content"})
    return artifact


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """Create a folder for `DOCKER_CONFIG` with the credential of a repository token."""
    folder = tmp_path / "docker"
    folder.mkdir()
    pair = base64.b64encode(f"{PULL_USER}:{PULL_PASSWORD}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {f"https://{SERVER}/v1/": {"auth": pair}}}))
    return folder


@pytest.fixture
def lone(signed_out: Az, tmp_path: Path) -> Az:
    """Return `az` without any sign-in, not even one in the home folder of the user who runs the tests."""
    return signed_out.using(DOCKER_CONFIG=str(tmp_path / "none"))


def sign_ins(result: Result) -> list[str]:
    """Return the lines of --verbose about the sign-in."""
    assert result.code == 0, result.stderr
    lines = [line.removeprefix("INFO: ") for line in result.stderr.splitlines()]
    return [line for line in lines if line.startswith(("Signed in with", "Skipped"))]


def pull(az: Az, artifact: str, *arguments: str) -> Result:
    """Pull with --verbose."""
    return az("acr", "artifact", "pull", artifact, "--verbose", *arguments)


def test_auto_uses_the_login_and_reports_it(az: Az, stored: str) -> None:
    with_others = az.using(**SERVICE_PRINCIPAL)
    assert sign_ins(pull(with_others, stored)) == [f"Signed in with the Azure CLI's login ({PUSHER.client_id})"]


def test_auto_reports_what_it_skips(lone: Az, stored: str, docker: Path) -> None:
    lines = sign_ins(pull(lone.using(DOCKER_CONFIG=str(docker)), stored))
    assert [line.partition(":")[0] for line in lines] == [
        "Skipped the Azure CLI's login",
        "Skipped the environment",
        f"Signed in with docker's credentials, as user '{PULL_USER}'",
    ]
    assert "az login" in lines[0]


def test_auto_uses_the_environment_before_docker(lone: Az, stored: str, docker: Path) -> None:
    lines = sign_ins(pull(lone.using(DOCKER_CONFIG=str(docker), **SERVICE_PRINCIPAL), stored))
    assert lines[-1] == "Signed in with the environment's service principal"


def test_auto_tries_docker_if_the_login_is_refused(az: Az, stored: str, docker: Path, emulator: Emulator) -> None:
    emulator.fault(host=SERVER, path="/oauth2/exchange", action="status", status=401)
    pulled = pull(az.using(DOCKER_CONFIG=str(docker)), stored)
    assert f"Signed in with docker's credentials, as user '{PULL_USER}'" in sign_ins(pulled)


def test_auto_reads_from_an_open_registry_without_a_login(lone: Az, stored: str, emulator: Emulator) -> None:
    emulator.set(registries={"myregistry": {"anonymous_pull_enabled": True}})
    pulled = pull(lone, stored)
    assert sign_ins(pulled)[-1] == "Signed in with anonymous access, as an anonymous user"
    assert not pulled.to(SIGN_IN)


def test_auto_never_writes_without_a_login(lone: Az, artifact: str, emulator: Emulator, work: Path) -> None:
    emulator.set(registries={"myregistry": {"anonymous_pull_enabled": True, "admin_user_enabled": True}})
    (work / "a.txt").write_text("content")
    refused = lone.refused(1, "push", artifact, "--file", "a.txt")
    assert "az login" in refused.stderr
    assert not refused.registry()


def test_auto_never_uses_the_admin_user(
    lone: Az, sign_in: Callable[[str], Path], artifact: str, emulator: Emulator, work: Path
) -> None:
    emulator.set(registries={"myregistry": {"admin_user_enabled": True}})
    emulator.fault(host=SERVER, path="/oauth2/exchange", action="status", status=401)
    (work / "a.txt").write_text("content")
    refused = lone.using(config=sign_in("pusher")).refused(1, "push", artifact, "--file", "a.txt")
    assert not refused.to("management.azure.com")
    assert refused.writes == []


def test_without_any_login_a_closed_registry_is_not_read(lone: Az, stored: str) -> None:
    refused = lone.refused(1, "pull", stored)
    assert "az login" in refused.stderr
    assert "does not allow anonymous pull" in refused.stderr
    assert [entry.path for entry in refused.registry()] == ["/oauth2/token"]


def test_the_admin_user_if_it_is_chosen(az: Az, stored: str, emulator: Emulator) -> None:
    emulator.set(registries={"myregistry": {"admin_user_enabled": True}})
    assert sign_ins(pull(az, stored, "--auth-mode", "admin")) == ["Signed in with the admin user, as user 'myregistry'"]


def test_a_disabled_admin_user(az: Az, stored: str) -> None:
    refused = az.refused(1, "pull", stored, "--auth-mode", "admin")
    assert "az acr update --name myregistry --admin-enabled true" in refused.stderr


def test_a_mode_uses_nothing_else(az: Az, stored: str, tmp_path: Path, emulator: Emulator) -> None:
    emulator.set(registries={"myregistry": {"anonymous_pull_enabled": True}})
    refused = az.using(DOCKER_CONFIG=str(tmp_path)).refused(1, "pull", stored, "--auth-mode", "docker")
    assert f"az acr artifact login --name {SERVER}" in refused.stderr
    assert not refused.registry()
    assert not sign_ins(pull(az, stored, "--auth-mode", "anonymous"))[0].startswith("Skipped")


def test_the_mode_may_be_configured(az: Az, stored: str) -> None:
    refused = az.using(AZURE_ACRARTIFACT_AUTH_MODE="anonymous").refused(1, "pull", stored)
    assert not refused.to(SERVER, "/oauth2/exchange")
    wrong = az.using(AZURE_ACRARTIFACT_AUTH_MODE="magic").refused(1, "pull", stored)
    assert "AZURE_ACRARTIFACT_AUTH_MODE=magic" in wrong.stderr


def test_a_password_and_a_mode_are_refused(az: Az, stored: str) -> None:
    az.refused(1, "pull", stored, "--username", "a", "--password", "b", "--auth-mode", "login")


@pytest.mark.parametrize("form", ["auth", "identitytoken", "helper", "store"])
def test_every_format_of_dockers_credential(lone: Az, az: Az, stored: str, tmp_path: Path, form: str) -> None:
    user, token = exposed_token(az)
    config = {
        "auth": {"auths": {SERVER: {"auth": base64.b64encode(f"{user}:{token}".encode()).decode()}}},
        "identitytoken": {"auths": {SERVER: {"auth": "MDA6", "identitytoken": token}}},
        "helper": {"credHelpers": {SERVER: "test"}, "credsStore": "absent"},
        "store": {"credsStore": "test"},
    }[form]
    (tmp_path / "config.json").write_text(json.dumps(config))
    helper = tmp_path / "docker-credential-test"
    output = json.dumps({"ServerURL": SERVER, "Username": "<token>", "Secret": token})
    helper.write_text(f"#!/bin/sh\nread server\n[ \"$1 $server\" = 'get {SERVER}' ] && cat <<'EOF'\n{output}\nEOF\n")
    helper.chmod(0o755)
    path = f"{tmp_path}:{lone.variables['PATH']}"
    pulled = lone.using(DOCKER_CONFIG=str(tmp_path), PATH=path).artifact("pull", stored, "--auth-mode", "docker")
    assert not pulled.to(SERVER, "/oauth2/exchange")


def test_a_missing_helper_is_named(lone: Az, stored: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"credsStore": "desktop"}))
    refused = lone.using(DOCKER_CONFIG=str(tmp_path)).refused(1, "pull", stored, "--auth-mode", "docker")
    assert "docker-credential-desktop" in refused.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("delete", "{}", "--yes"),
        ("untag", "{}"),
        ("update", "{}", "--write-enabled", "false"),
        ("purge", SERVER, "--filter", ".*:.*", "--ago", "0d", "--yes"),
    ],
)
def test_docker_is_not_used_to_remove_unless_asked_for(
    lone: Az, stored: str, docker: Path, command: tuple[str, ...]
) -> None:
    verb, *arguments = (text.format(stored) for text in command)
    asked = lone.using(DOCKER_CONFIG=str(docker))
    refused = asked.refused(1, verb, *arguments)
    assert f"docker stores user '{PULL_USER}'" in refused.stderr
    assert "--auth-mode docker" in refused.stderr
    assert refused.registry() == []
    assert "No permission" in asked.refused(1, verb, *arguments, "--auth-mode", "docker").stderr


def test_docker_is_said_where_it_was_not_asked_for(lone: Az, stored: str, docker: Path) -> None:
    asked = lone.using(DOCKER_CONFIG=str(docker))
    assert asked.artifact("pull", stored).json["signIn"] == "docker"
    assert "signIn" not in asked.artifact("pull", stored, "--auth-mode", "docker").json
    shown = at_terminal(asked, "acr", "artifact", "pull", stored)
    assert f"Signed in to {SERVER} with docker's credential, as user '{PULL_USER}'" in shown.stdout
