"""A registry in Azure, and who is signed in to it: `az login`, then `python3 dev.py live REGISTRY.azurecr.io`.

Everything is written below one repository name of the run's own, which is deleted at the end.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

GIVEN = dict(os.environ)
"""The user's own environment, with the sign-in in it: other tests are kept from it."""
LIMIT = 900
"""Seconds that one command may take over a slow line."""


@dataclass(frozen=True)
class Live:
    """The registry *server*, a *place* in it that is the run's own, and `az` with the extension under test."""

    server: str
    place: str
    environment: dict[str, str]

    def repository(self, name: str) -> str:
        """A repository of the run, with its server."""
        return f"{self.server}/{self.place}/{name}"

    def az(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `az ARGUMENTS`."""
        return subprocess.run(
            [sys.executable, "-m", "azure.cli", *arguments],
            env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=LIMIT,
        )  # fmt: skip

    def __call__(self, *arguments: str) -> Any:
        """What `az acr artifact ARGUMENTS` prints; it must succeed, and say nothing else."""
        done = self.az("acr", "artifact", *arguments)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout) if done.stdout else None

    def refused(self, *arguments: str) -> str:
        """What `az acr artifact ARGUMENTS`, which must fail, says."""
        done = self.az("acr", "artifact", *arguments)
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture(scope="session")
def live(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The registry that `ACRARTIFACT_LIVE` names."""
    extensions = tmp_path_factory.mktemp("extensions")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(extensions / "acrartifact")
    environment = {**GIVEN, "AZURE_EXTENSION_DIR": str(extensions), "PYTHONUTF8": "1"}
    found = Live(GIVEN["ACRARTIFACT_LIVE"], f"acrartifact-live/{secrets.token_hex(4)}", environment)
    yield found
    name = found.server.partition(".")[0]
    listed = found("list", found.server)
    for repository in (one for one in listed if one.startswith(f"{found.place}/")):
        found.az("acr", "repository", "delete", "--name", name, "--repository", repository, "--yes")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a file, a large one and a folder."""
    folder = tmp_path / "files"
    (folder / "docs" / "deep").mkdir(parents=True)
    (folder / "artifact.txt").write_text("hello\n")
    (folder / "docs" / "deep" / "page.md").write_text("# A page\n")
    with (folder / "large.bin").open("wb") as file:
        for _ in range(40):
            file.write(secrets.token_bytes(1024 * 1024))
    monkeypatch.chdir(folder)
    return folder
