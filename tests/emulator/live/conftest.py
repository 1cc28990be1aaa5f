"""A local Azure of its own, with an identity that has one repository role and no other right, and a refused deletion.

The chores start together, since each of them mostly waits for processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from acr_emulator.client import Emulator
from acr_emulator.world import default_world
from tests.emulator.exchange import connect

HASHED = "abacregistry-d7fqc4e3.azurecr.io"
RECORDED = "targetregistry-a1b2c3d4.azurecr.io"
REFUSING = "myregistry.azurecr.io"
LIMIT = 500
"""Seconds that one chore may take on a busy machine."""
LATE = ("metadata", "referrers", "manifests", "tags")
"""The parts of a replica that do not show a change to the first read of it."""


@dataclass(frozen=True)
class Chores:
    """Runs `dev.py live` in the local Azure of *emulator*."""

    emulator: Emulator
    homes: Path

    def environment(self, who: str) -> dict[str, str]:
        """Return the environment in which `az` is signed in as *who*."""
        return {**os.environ, **self.emulator.environment(self.homes / who), "PYTHONUTF8": "1"}

    def sign_in(self, who: str) -> None:
        """Sign `az` in as the service principal *who*."""
        principal = default_world().principal(who)
        assert principal is not None
        login = ("login", "--service-principal", "-u", principal.client_id, "-p", principal.secrets[0])
        az = [sys.executable, "-m", "azure.cli", *login, "--tenant", principal.tenant_id, "--output", "none"]
        subprocess.run(az, env=self.environment(who), check=True, capture_output=True, timeout=LIMIT)

    def start(self, who: str, *arguments: str) -> subprocess.Popen[str]:
        """Start `dev.py live ARGUMENTS` as *who*."""
        return subprocess.Popen(
            [sys.executable, "-m", "devtools.live", *arguments],
            env=self.environment(who), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        )  # fmt: skip

    def admin(self, server: str, method: str, path: str, body: Any = None) -> Any:
        """Send a request as the admin user, who has every right."""
        name = server.split("-")[0].split(".")[0]
        self.emulator.set(registries={name: {"adminUserEnabled": True}})
        connection = connect(self.emulator, server)
        basic = b64encode(f"{name}:admin-password-1".encode()).decode()
        connection.request(method, path, body and json.dumps(body), {"Authorization": f"Basic {basic}"})
        response = connection.getresponse()
        received = json.loads(response.read())
        connection.close()
        return received

    def repositories(self, server: str) -> list[str]:
        """Return the repositories of *server*."""
        return list(self.admin(server, "GET", "/v2/_catalog")["repositories"])


@pytest.fixture(scope="module")
def chores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chores]:
    """Yield a local Azure whose `nobody` may write and delete below `acrartifact-live/` in two registries, one of them
    with a replica that is late, and where a third registry refuses deletions."""
    nobody = default_world().principal("nobody")
    assert nobody is not None
    role = {"role": "Container Registry Repository Contributor", "repositories": ["acrartifact-live/*"]}
    with Emulator.start() as emulator:
        abac = {"roles": [{"objectId": nobody.object_id, **role}], "roleAssignmentMode": "AbacRepositoryPermissions"}
        late = {"lags": [{"part": part, "reads": 1} for part in LATE]}
        emulator.set(registries={"abacregistry": {**abac, **late}})
        emulator.set(registries={"targetregistry": {**abac, "loginServer": RECORDED}})
        emulator.fault(action="status", status=403, host="management.azure.com", path="ContainerRegistry")
        emulator.fault(action="status", status=403, host=REFUSING, method="DELETE")
        found = Chores(emulator, tmp_path_factory.mktemp("homes"))
        for who in ("nobody", "pusher"):
            found.sign_in(who)
        yield found


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of the recording."""
    return tmp_path_factory.mktemp("recording") / "recording.json"


@pytest.fixture(scope="module")
def running(chores: Chores, file: Path) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Start the live tests in both registries, and a recording; yield the processes."""
    small = ("--mebibytes", "1", "-p", "no:cacheprovider")
    started = {
        "record": chores.start("nobody", RECORDED, "--record", str(file), "--quick"),
        "refused": chores.start("pusher", REFUSING, *small, "-k", "files_and_folders"),
        "awkward": chores.start("nobody", HASHED, *small),
    }
    yield started
    for process in started.values():
        process.kill()
        process.communicate()


@pytest.fixture
def ended(running: dict[str, subprocess.Popen[str]]) -> Callable[[str], tuple[int, str]]:
    """Return a function that waits for a process, and returns its exit code and output."""

    def wait(name: str) -> tuple[int, str]:
        output, _ = running[name].communicate(timeout=LIMIT)
        return running[name].returncode, output

    return wait
