"""Run the scripts of docs/pipelines.md and docs/cloud-shell.md as their services run them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from acr_emulator.client import Emulator
from acr_emulator.world import TENANT
from tests.functional.az import PYTHON, Az
from tests.functional.origin import Origin
from tests.functional.test_auth_mode import PUSHER
from tests.functional.test_environment import issuer as issuer  # the fixture
from tests.functional.test_environment import pipeline
from tests.functional.test_environment import token as token  # the fixture

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXPIRED = json.dumps({"error": "invalid_client", "error_description": "AADSTS700024: Client assertion is expired."})


def scripts(document: str) -> list[str]:
    """Return every script of *document* in order, including those inside a pipeline's YAML."""
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
def machine(installed: Az, wheel: Path, tmp_path: Path, work: Path) -> Az:
    """Return a new machine: Azure CLI with an empty configuration folder and no extension."""
    (work / "app.bin").write_bytes(os.urandom(100_000))
    (work / "notes.txt").write_text("notes\n")
    (work / "build.sh").write_text("#!/bin/sh\necho built >app.bin\n")
    (work / "build.sh").chmod(0o755)
    program = tmp_path / "bin" / "az"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{PYTHON}" -m azure.cli "$@"\n')
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


def run(machine: Az, script: str) -> str:
    """Run *script* without a terminal and without input; return its output."""
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=machine.folder, env=dict(machine.variables), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=150,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def federated_login(machine: Az, token: str) -> None:
    """Sign in as AzureCLI@2 and azure/login do."""
    who = ("--service-principal", "-u", PUSHER.client_id, "--tenant", TENANT, "--allow-no-subscriptions")
    done = machine("login", *who, "--federated-token", token)
    assert done.code == 0, done.stderr


@pytest.fixture
def models(origin: Origin) -> bytes:
    """Push the file that the containers pull; return it."""
    origin.push_files("models/small", {"model.bin": b"weights"})
    return b"weights"


def test_a_service_connection(machine: Az, token: str, issuer: str) -> None:
    job = machine.using(TF_BUILD="True", BUILD_BUILDID="41", **pipeline(issuer))
    federated_login(job, token)
    run(job, CONNECTION)
    assert job("account", "clear").code == 0


def test_a_long_job(machine: Az, token: str, issuer: str, emulator: Emulator) -> None:
    job = machine.using(TF_BUILD="True", BUILD_BUILDID="42", **pipeline(issuer))
    federated_login(job, token)
    emulator.fault(host="login.microsoftonline.com", path="/token", action="status", status=401, body=EXPIRED)
    run(job, LONG)


def test_github_actions(machine: Az, token: str) -> None:
    job = machine.using(GITHUB_ACTIONS="true", CI="true", GITHUB_RUN_ID="43", GITHUB_SHA="abc")
    federated_login(job, token)
    assert json.loads(run(job, GITHUB))["tags"] == ["43"]


def test_a_container(machine: Az, emulator: Emulator, models: bytes) -> None:
    run(machine.using(**emulator.app_service_environment()), CONTAINER)
    assert (machine.folder / "models" / "model.bin").read_bytes() == models


def test_a_virtual_machine(machine: Az, models: bytes) -> None:
    run(machine, MACHINE)
    assert (machine.folder / "models" / "model.bin").read_bytes() == models


def test_a_password(machine: Az, models: bytes) -> None:
    run(machine.using(SP_APP_ID=PUSHER.client_id, SP_PASSWORD=PUSHER.secrets[0]), PASSWORD)
    assert (machine.folder / "models" / "model.bin").read_bytes() == models


def test_cloud_shell(machine: Az, emulator: Emulator) -> None:
    shell = machine.using(**emulator.cloud_shell_environment())
    assert shell("login", "--identity").code == 0
    assert run(shell, SHELL).endswith("Here is an artifact\n")
