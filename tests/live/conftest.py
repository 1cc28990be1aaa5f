"""A registry in Azure, with the user's own login: `az login`, then `python3 dev.py live REGISTRY.azurecr.io`.

Everything is written below one repository name of this run, and deleted at the end.
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
"""The user's own environment, with the sign-in, which other tests do not see."""
LIMIT = 900
"""Seconds that one command may take over a slow network."""


@dataclass(frozen=True)
class Live:
    """The registry *server*, a repository prefix *root* of this run, and `az` with the extension under test."""

    server: str
    root: str
    environment: dict[str, str]

    def repository(self, name: str) -> str:
        """Return a repository of this run, with its server."""
        return f"{self.server}/{self.root}/{name}"

    def az(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `az ARGUMENTS`."""
        return subprocess.run(
            [sys.executable, "-m", "azure.cli", *arguments],
            env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=LIMIT,
        )  # fmt: skip

    def __call__(self, *arguments: str) -> Any:
        """Run `az acr artifact ARGUMENTS`; return its output. It must succeed and print nothing else."""
        done = self.az("acr", "artifact", *arguments)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout) if done.stdout else None

    def refused(self, *arguments: str) -> str:
        """Run `az acr artifact ARGUMENTS`, which must fail; return its error."""
        done = self.az("acr", "artifact", *arguments)
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture(scope="session")
def live(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Yield the registry that `ACRARTIFACT_LIVE` names."""
    extensions = tmp_path_factory.mktemp("extensions")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(extensions / "acrartifact")
    environment = {**GIVEN, "AZURE_EXTENSION_DIR": str(extensions), "PYTHONUTF8": "1"}
    found = Live(GIVEN["ACRARTIFACT_LIVE"], f"acrartifact-live/{secrets.token_hex(4)}", environment)
    yield found
    name = found.server.partition(".")[0]
    listed = found("list", found.server)
    for repository in (one for one in listed if one.startswith(f"{found.root}/")):
        found.az("acr", "repository", "delete", "--name", name, "--repository", repository, "--yes")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Enter a folder with a file, a large one and a folder; return it."""
    folder = tmp_path / "files"
    (folder / "docs" / "deep").mkdir(parents=True)
    (folder / "artifact.txt").write_text("hello\n")
    (folder / "docs" / "deep" / "page.md").write_text("# A page\n")
    with (folder / "large.bin").open("wb") as file:
        for _ in range(40):
            file.write(secrets.token_bytes(1024 * 1024))
    monkeypatch.chdir(folder)
    return folder
