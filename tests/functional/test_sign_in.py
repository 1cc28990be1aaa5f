"""Every kind of sign-in, with and without `az login`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from acr_emulator.world import ACR_AUDIENCE, TENANT, Principal, default_world
from tests.functional.az import OLDEST, Az, exposed_token
from tests.functional.origin import SERVER, Origin

SIGN_IN = "login.microsoftonline.com"
OTHER = next(one.login_server for one in default_world().registries if one.tenant_id != TENANT)
REFUSED = json.dumps({"error": "invalid_resource", "error_description": "AADSTS500011: The resource was not found."})


@pytest.fixture
def blank(signed_out: Az, tmp_path: Path) -> Az:
    """Return `az` with the test's own configuration."""
    config = tmp_path / "config"
    shutil.copytree(signed_out.variables["AZURE_CONFIG_DIR"], config)
    return signed_out.using(config=config)


def test_managed_identity_of_app_service(blank: Az, emulator: Emulator, artifact: str, file: str) -> None:
    identity = blank.using(**emulator.app_service_environment())
    assert identity("login", "--identity").code == 0
    pushed = identity.artifact("push", artifact, "--file", file)
    assert not pushed.to("management.azure.com")


def test_managed_identity_of_a_virtual_machine(blank: Az, artifact: str, file: str) -> None:
    assert blank("login", "--identity").code == 0
    pushed = blank.artifact("push", artifact, "--file", file)
    asked = pushed.to("169.254.169.254", "/token")
    assert len(asked) == 1
    assert "containerregistry.azure.net" in asked[0].query


def test_federated_token(blank: Az, emulator: Emulator, artifact: str, file: str) -> None:
    pusher = _principal("pusher")
    emulator.set(principals={"pusher": {"federated_subjects": ["repo:contoso/app:ref:main"]}})
    token = emulator.federated_token("repo:contoso/app:ref:main")
    who = ("--username", pusher.client_id, "--tenant", pusher.tenant_id, "--federated-token", token)
    assert blank("login", "--service-principal", *who).code == 0
    blank.artifact("push", artifact, "--file", file)


def test_cloud_shell_which_refuses_the_registrys_audience(
    blank: Az, emulator: Emulator, artifact: str, file: str
) -> None:
    shell = blank.using(**emulator.cloud_shell_environment())
    assert shell("login", "--identity").code == 0
    pushed = shell.artifact("push", artifact, "--file", file)
    # The oldest Azure CLI asks Cloud Shell each time that it makes the credential, and keeps no response.
    asked = 2 if OLDEST else 1
    assert [entry.status for entry in pushed.to("localhost", "/oauth2/token")] == [200] * asked


def test_the_other_audience_is_tried_if_entra_refuses_the_registrys(
    az: Az, blank: Az, sign_in: Callable[[str], Path], emulator: Emulator, artifact: str, file: str, tmp_path: Path
) -> None:
    config = tmp_path / "fresh"
    shutil.copytree(sign_in("reader"), config, ignore=shutil.ignore_patterns("msal_token_cache*"))
    owner = {"object_id": _principal("reader").object_id, "role": "Owner"}
    emulator.set(principals={"reader": {"secrets": ["reader-secret"]}}, registries={"myregistry": {"roles": [owner]}})
    emulator.fault(host=SIGN_IN, path="/token$", method="POST", action="status", status=400, body=REFUSED, times=1)
    pushed = az.using(config=config).artifact("push", artifact, "--file", file)
    assert [entry.status for entry in pushed.to(SIGN_IN, "/token$")] == [400, 200]
    assert [entry.status for entry in pushed.to(SERVER, "/oauth2/exchange")] == [200]


def test_no_token_for_resource_manager_is_sent_to_a_registry_that_refuses_its_own(
    az: Az, emulator: Emulator, artifact: str, file: str
) -> None:
    emulator.fault(host=SERVER, path="/oauth2/exchange", action="status", status=401)
    refused = az.refused(1, "push", artifact, "--file", file)
    assert [entry.status for entry in refused.to(SERVER, "/oauth2/exchange")] == [401]
    assert ACR_AUDIENCE in refused.stderr
    assert "az login" in refused.stderr
    assert refused.writes == []


def test_a_registry_of_another_tenant(az: Az) -> None:
    refused = az.refused(1, "pull", f"{OTHER}/a:1", "-d", "out", "--auth-mode", "login")
    assert refused.stderr.startswith(f"ERROR: {OTHER} does not accept tokens of tenant {TENANT}: ")
    assert refused.stderr.splitlines()[1] == "Run: az login --tenant TENANT"


def test_a_subscription_that_is_not_in_the_login(az: Az, artifact: str, digest: str) -> None:
    refused = az("acr", "artifact", "pull", artifact, "--subscription", "nope")
    assert refused.code == 1
    # The line before is Azure CLI's own.
    assert refused.stderr.splitlines()[1:] == [
        "ERROR: The subscription nope is not in this login.", "To list them: az account list -o table"
    ]  # fmt: skip
    assert refused.registry() == []


def test_without_any_sign_in(signed_out: Az, artifact: str, file: str) -> None:
    pulled = signed_out.refused(1, "pull", artifact)
    assert pulled.stderr.startswith(f"ERROR: You are not signed in, and {SERVER} does not allow anonymous pull")
    assert pulled.stderr.splitlines()[1] == "Run: az login"
    pushed = signed_out.refused(1, "push", artifact, "--file", file)
    assert pushed.stderr.startswith("ERROR: You are not signed in, and only reading works without a sign-in")
    assert pushed.registry() == []
    by_name = signed_out.refused(1, "pull", "--name", "myregistry", "--image", "a:1")
    assert by_name.stderr.startswith("ERROR: You are not signed in: ")


def _principal(name: str) -> Principal:
    principal = default_world().principal(name)
    assert principal is not None
    return principal


USERS = {
    "a service principal": (_principal("pusher").client_id, _principal("pusher").secrets[0]),
    "a repository token": ("ci-token", "ci-token-password"),
    "the admin user": ("myregistry", "admin-password-1"),
}


@pytest.mark.parametrize("user", USERS)
def test_user_and_password_without_any_login(
    signed_out: Az, emulator: Emulator, artifact: str, file: str, user: str, work: Path
) -> None:
    emulator.set(registries={"myregistry": {"admin_user_enabled": True}})
    username, password = USERS[user]
    who = ("--username", username, "--password-stdin")
    pushed = signed_out.artifact("push", artifact, "--file", file, *who, stdin=f"{password}\n")
    assert not pushed.to(SIGN_IN)
    signed_out.artifact("pull", artifact, "-d", "out", *who, stdin=password)
    assert (work / "out" / "a.txt").read_text() == "content"


def test_the_refresh_token_that_azure_cli_exposes(az: Az, signed_out: Az, artifact: str, file: str) -> None:
    user, token = exposed_token(az)
    who = ("--username", user, "--password-stdin")
    pushed = signed_out.artifact("push", artifact, "--file", file, *who, stdin=token)
    assert not pushed.to(SERVER, "/oauth2/exchange")


def test_a_password_on_the_command_line(signed_out: Az, origin: Origin, artifact: str, repository: str) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    signed_out.artifact("pull", artifact, "-u", "read-token", "-p", "read-token-password")


@pytest.mark.parametrize("step", ["/manifests/1.0", "/blobs/uploads/."])
def test_an_access_token_that_expires_during_a_command_is_renewed(
    az: Az, emulator: Emulator, artifact: str, file: str, step: str
) -> None:
    emulator.fault(host=SERVER, path=step, action="expire_token", times=1)
    pushed = az.artifact("push", artifact, "--file", file)
    assert len(pushed.to(SERVER, "/oauth2/token")) == 2
    assert len(pushed.to(SERVER, "/oauth2/exchange")) == 1
    assert [entry.status for entry in pushed.log].count(401) == 1


def test_a_refresh_token_that_expires_as_well_is_replaced(
    az: Az, emulator: Emulator, origin: Origin, artifact: str, repository: str
) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    emulator.fault(host=SERVER, path="/manifests/", action="expire_token", times=1)
    emulator.fault(host=SERVER, path="/oauth2/token", action="expire_token", nth=2)
    pulled = az.artifact("pull", artifact)
    assert [entry.status for entry in pulled.to(SERVER, "/oauth2/token")] == [200, 401, 200]
    assert len(pulled.to(SERVER, "/oauth2/exchange")) == 2


def test_a_short_token_is_outlived(az: Az, emulator: Emulator, origin: Origin, artifact: str, repository: str) -> None:
    origin.push_files(repository, {f"{number}.bin": bytes([number]) * 400_000 for number in range(8)})
    emulator.set(lifetimes={"acr_access": 2})
    emulator.fault(host="*.blob.core.windows.net", action="bandwidth", rate=400_000)
    pulled = az.artifact("pull", artifact, "--concurrency", "2")
    assert len(pulled.to(SERVER, "/oauth2/token")) > 1
    assert len(pulled.json["files"]) == 8
