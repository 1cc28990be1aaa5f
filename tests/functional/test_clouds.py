"""Registries in every cloud, at every kind of login server."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from acr_emulator.world import default_world
from tests.functional.az import Az

CLOUD = (
    "--endpoint-resource-manager", "https://management.azure.com/",
    "--endpoint-active-directory", "https://login.microsoftonline.com",
    "--endpoint-active-directory-resource-id", "https://management.core.windows.net/",
    "--endpoint-management", "https://management.core.windows.net/",
    "--skip-endpoint-discovery",
)  # fmt: skip
PUSHER = default_world().principal("pusher")
assert PUSHER is not None


@pytest.fixture
def in_cloud(signed_out: Az, tmp_path: Path, work: Path) -> Callable[..., Az]:
    """Return a function that registers a cloud with its arguments, and returns `az` signed in to that cloud."""
    (work / "a.txt").write_text("one")

    def register(*arguments: str) -> Az:
        config = tmp_path / "config"
        shutil.copytree(signed_out.variables["AZURE_CONFIG_DIR"], config)
        az = signed_out.using(config=config)
        who = ("-u", PUSHER.client_id, "-p", PUSHER.secrets[0], "--tenant", PUSHER.tenant_id)
        for command in (
            ("cloud", "register", "--name", "Contoso", *CLOUD, *arguments),
            ("cloud", "set", "--name", "Contoso"),
            ("login", "--service-principal", *who),
        ):
            done = az(*command)
            assert done.code == 0, done.stderr
        return az

    return register


def move(emulator: Emulator, server: str) -> str:
    """Give `targetregistry` this login server."""
    emulator.set(registries={"targetregistry": {"login_server": server}})
    return server


def test_a_cloud_with_its_own_suffix(in_cloud: Callable[..., Az], emulator: Emulator, repository: str) -> None:
    az = in_cloud("--suffix-acr-login-server-endpoint", ".azurecr.cn")
    server = move(emulator, "targetregistry.azurecr.cn")
    named = ("--name", "targetregistry", "--image", f"{repository}:1.0")
    pushed = az.artifact("push", *named, "--file", "a.txt")
    assert pushed.json["reference"] == f"{server}/{repository}:1.0"
    assert len(pushed.to("management.azure.com")) == 1
    refused = az.refused(1, "push", f"myregistry.azurecr.io/{repository}:1.0", "--file", "a.txt")
    assert "*.azurecr.cn" in refused.stderr
    assert refused.log == []


def test_a_cloud_without_a_suffix(in_cloud: Callable[..., Az], emulator: Emulator, repository: str) -> None:
    az = in_cloud()
    server = move(emulator, "targetregistry.edge.contoso.example")
    refused = az.refused(1, "push", "--name", "targetregistry", "--image", f"{repository}:1.0", "--file", "a.txt")
    assert "login server" in refused.stderr
    pushed = az.artifact("push", f"{server}/{repository}:1.0", "--file", "a.txt")
    assert pushed.to("management.azure.com")
    unknown = az.refused(1, "push", f"evil.contoso.example/{repository}:1.0", "--file", "a.txt")
    assert {entry.host for entry in unknown.log} == {"management.azure.com"}


def test_a_regional_endpoint(az: Az, emulator: Emulator, repository: str, work: Path) -> None:
    (work / "a.txt").write_text("one")
    server = move(emulator, "targetregistry.westeurope.geo.azurecr.io")
    pushed = az.artifact("push", f"{server}/{repository}:1.0", "--file", "a.txt")
    assert {entry.host for entry in pushed.log if "azurecr" in entry.host} == {server}


def test_a_dedicated_data_endpoint(az: Az, emulator: Emulator, repository: str, work: Path) -> None:
    (work / "a.txt").write_text("one")
    emulator.set(registries={"myregistry": {"data_endpoint_enabled": True}})
    reference = f"myregistry.azurecr.io/{repository}:1.0"
    az.artifact("push", reference, "--file", "a.txt")
    pulled = az.artifact("pull", reference, "-d", "out")
    (data,) = pulled.to("myregistry.westeurope.data.azurecr.io")
    assert "authorization" not in {name.lower() for name in data.headers}
    refused = az.refused(1, "pull", reference.replace("azurecr", "westeurope.data.azurecr"))
    assert "myregistry.azurecr.io" in refused.stderr
    assert refused.log == []


def test_a_connected_registry_accepts_only_its_own_tokens(
    az: Az, emulator: Emulator, repository: str, work: Path
) -> None:
    (work / "a.txt").write_text("one")
    server = "registry.factory.example"
    tokens = [{"name": "edge", "passwords": ["edge-password"], "actions": ["*/content/read", "*/content/write"]}]
    emulator.set(registries={"targetregistry": {"login_server": server, "tokens": tokens}})
    reference = f"{server}/{repository}:1.0"
    assert az.refused(1, "push", reference, "--file", "a.txt").log == []
    who = ("--username", "edge", "--password-stdin")
    pushed = az.artifact("push", reference, "--file", "a.txt", *who, stdin="edge-password\n")
    assert {entry.host for entry in pushed.log} == {server}
