"""The unmodified Azure CLI against the local Azure: Resource Manager, import and build."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from acr_emulator.client import Emulator
from acr_emulator.world import SUBSCRIPTION, TENANT, default_world

Az = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.start() as running:
        running.set(operation_retry_after=0)
        yield running


@pytest.fixture(scope="module")
def az(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Az:
    """Return a function that runs `az` in the emulator's environment, signed in as the pusher."""
    folder = tmp_path_factory.mktemp("az")
    environment = {**os.environ, **emulator.environment()}

    def run(command: str, *more: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        arguments = [sys.executable, "-m", "azure.cli", *command.split(), *more]
        done = subprocess.run(arguments, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == status, done.stdout + done.stderr
        return done

    pusher = default_world().principal("pusher")
    assert pusher is not None
    run(f"login --service-principal -u {pusher.client_id} -p {pusher.secrets[0]} --tenant {TENANT}")
    return run


@pytest.fixture(scope="module")
def built(az: Az, tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """Run `az acr build` with a local folder: upload, run, streamed log, pushed image."""
    context = tmp_path_factory.mktemp("context")
    (context / "Dockerfile").write_text("FROM scratch\nCOPY hello.txt /\n")
    (context / "hello.txt").write_text("hello\n")
    return az("acr build -r myregistry -t builds/hello:v1", str(context))


def _json(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def test_the_subscription_and_the_registries_are_listed(az: Az) -> None:
    assert [account["id"] for account in _json(az("account list"))] == [SUBSCRIPTION]
    names = {registry["name"] for registry in _json(az("acr list"))}
    assert names == {"myregistry", "targetregistry", "abacregistry"}
    shown = _json(az("acr show -n abacregistry"))
    assert (shown["loginServer"], shown["roleAssignmentMode"]) == (
        "abacregistry-d7fqc4e3.azurecr.io",
        "AbacRepositoryPermissions",
    )


def test_admin_credentials_need_the_admin_user(az: Az) -> None:
    assert "--admin-enabled true" in az("acr credential show -n targetregistry", status=1).stderr
    az("acr update -n targetregistry --admin-enabled true")
    assert _json(az("acr credential show -n targetregistry"))["username"] == "targetregistry"


def test_a_folder_is_built_and_pushed(az: Az, built: subprocess.CompletedProcess[str]) -> None:
    assert "Queued a build with ID: ca1" in built.stderr
    assert "Successfully pushed image: myregistry.azurecr.io/builds/hello:v1" in built.stdout
    digest = _json(az("acr repository show -n myregistry --image builds/hello:v1"))["digest"]
    assert f"v1: digest: {digest}" in built.stdout


def test_a_missing_context_fails_the_build(az: Az) -> None:
    done = az("acr build -r myregistry -t builds/x:1 oci://myregistry.azurecr.io/samples/none:1", status=1)
    assert "myregistry.azurecr.io/samples/none:1: not found" in done.stdout
    assert "Error: failed to download context." in done.stdout
    assert done.stderr.rstrip().endswith("Run failed")


@pytest.mark.usefixtures("built")
def test_an_image_is_imported_once(az: Az) -> None:
    command = "acr import -n targetregistry --source myregistry.azurecr.io/builds/hello:v1 -t copied:v1"
    az(command)
    source = _json(az("acr repository show -n myregistry --image builds/hello:v1"))
    copied = _json(az("acr repository show -n targetregistry --image copied:v1"))
    assert copied["digest"] == source["digest"]
    assert "already exists" in az(command, status=1).stderr
    az(command, "--force")
