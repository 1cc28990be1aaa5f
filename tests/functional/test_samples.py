"""The scripts of docs/pipelines.md and docs/cloud-shell.md, run as their places run them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from acr_emulator.client import Emulator
from acr_emulator.world import TENANT
from tests.functional.az import Az
from tests.functional.origin import Origin
from tests.functional.test_auth_mode import PUSHER
from tests.functional.test_environment import issuer as issuer  # the fixture
from tests.functional.test_environment import pipeline
from tests.functional.test_environment import token as token  # the fixture

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXPIRED = json.dumps({"error": "invalid_client", "error_description": "AADSTS700024: Client assertion is expired."})


def scripts(document: str) -> list[str]:
    """Every script of *document*, those inside a pipeline's YAML too, in their order."""
    found = []
    for kind, text in re.findall(r"```(yaml|sh)\n(.*?)```", (DOCS / document).read_text(), re.DOTALL):
        found += [text] if kind == "sh" else list(_in_yaml(yaml.safe_load(text)))
    return found


def _in_yaml(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _in_yaml(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("inlineScript", "run"):
                yield value
            else:
                yield from _in_yaml(value)


CONNECTION, LONG, GITHUB, CONTAINER, MACHINE, PASSWORD = scripts("pipelines.md")
(SHELL,) = scripts("cloud-shell.md")


@pytest.fixture
def place(installed: Az, wheel: Path, tmp_path: Path, work: Path) -> Az:
    """A new machine: Azure CLI with an empty configuration folder and no extension."""
    (work / "app.bin").write_bytes(os.urandom(100_000))
    (work / "notes.txt").write_text("notes\n")
    (work / "build.sh").write_text("#!/bin/sh\necho built >app.bin\n")
    (work / "build.sh").chmod(0o755)
    program = tmp_path / "bin" / "az"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m azure.cli "$@"\n')
    program.chmod(0o755)
    return installed.using(
        work,
        config=tmp_path / "azure",
        AZURE_EXTENSION_DIR=str(tmp_path / "azure" / "cliextensions"),
        PATH=f"{program.parent}:{installed.variables['PATH']}",
        HOME=str(tmp_path),
        DOCKER_CONFIG=str(tmp_path / "none"),
        WHEEL=str(wheel),
        REGISTRY="myregistry",
    )


def run(place: Az, script: str) -> str:
    """Run *script* without a terminal, with nothing on its standard input; what it printed."""
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=place.folder, env=dict(place.variables), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=150,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def federated_login(place: Az, token: str) -> None:
    """What AzureCLI@2 and azure/login do first."""
    who = ("--service-principal", "-u", PUSHER.client_id, "--tenant", TENANT, "--allow-no-subscriptions")
    done = place("login", *who, "--federated-token", token)
    assert done.code == 0, done.stderr


@pytest.fixture
def models(origin: Origin) -> bytes:
    """What the containers pull."""
    origin.push_files("models/small", {"model.bin": b"weights"})
    return b"weights"


def test_a_service_connection(place: Az, token: str, issuer: str) -> None:
    job = place.using(TF_BUILD="True", BUILD_BUILDID="41", **pipeline(issuer))
    federated_login(job, token)
    run(job, CONNECTION)
    assert job("account", "clear").code == 0


def test_a_long_job(place: Az, token: str, issuer: str, emulator: Emulator) -> None:
    job = place.using(TF_BUILD="True", BUILD_BUILDID="42", **pipeline(issuer))
    federated_login(job, token)
    emulator.fault(host="login.microsoftonline.com", path="/token", action="status", status=401, body=EXPIRED)
    run(job, LONG)


def test_github_actions(place: Az, token: str) -> None:
    job = place.using(GITHUB_ACTIONS="true", CI="true", GITHUB_RUN_ID="43", GITHUB_SHA="abc")
    federated_login(job, token)
    assert json.loads(run(job, GITHUB))["tags"] == ["43"]


def test_a_container(place: Az, emulator: Emulator, models: bytes) -> None:
    run(place.using(**emulator.app_service_environment()), CONTAINER)
    assert (place.folder / "models" / "model.bin").read_bytes() == models


def test_a_virtual_machine(place: Az, models: bytes) -> None:
    run(place, MACHINE)
    assert (place.folder / "models" / "model.bin").read_bytes() == models


def test_a_password(place: Az, models: bytes) -> None:
    run(place.using(SP_APP_ID=PUSHER.client_id, SP_PASSWORD=PUSHER.secrets[0]), PASSWORD)
    assert (place.folder / "models" / "model.bin").read_bytes() == models


def test_cloud_shell(place: Az, emulator: Emulator) -> None:
    shell = place.using(**emulator.cloud_shell_environment())
    assert shell("login", "--identity").code == 0
    assert run(shell, SHELL).endswith("Here is an artifact\n")
