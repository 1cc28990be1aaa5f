"""A registry in Azure, with the user's own login: `az login`, then `python3 dev.py live REGISTRY.azurecr.io`.

Everything is written below `acrartifact-live/RANDOM`, and deleted at the end. No right is needed but those of a
repository role that may delete there: no list of repositories, and no Resource Manager.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devtools.live.leftovers import Leftovers
from tests.live.eventually import NotYet, eventually

GIVEN = dict(os.environ)
"""The user's own environment, with the sign-in, which other tests do not see."""
LIMIT = 900
"""Seconds that one command may take over a slow network."""
NOT_FOUND = 3
"""The exit code for an artifact or repository that does not exist."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--mebibytes N`: the size of the large file."""
    parser.addoption("--mebibytes", type=int, default=40, help="the size of the large file, in MiB")


@dataclass(frozen=True)
class Live:
    """The repositories of this *run*, and `az` with the extension under test."""

    run: Leftovers
    environment: dict[str, str]

    def repository(self, name: str) -> str:
        """Return a repository of this run, with its server."""
        return f"{self.run.server}/{self.run.repository(name)}"

    def az(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `az acr artifact ARGUMENTS`."""
        return subprocess.run(
            [sys.executable, "-m", "azure.cli", "acr", "artifact", *arguments],
            env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=LIMIT,
        )  # fmt: skip

    def __call__(self, *arguments: str) -> Any:
        """Run `az acr artifact ARGUMENTS`, once it finds what it needs; return its output. It must succeed and print
        nothing else."""
        return self.sees(lambda output: True, *arguments)

    def sees(self, expected: Callable[[Any], bool], *arguments: str) -> Any:
        """Return the output of a command that reads a change, once it is as *expected*."""

        def read() -> Any:
            done = self._found(*arguments)
            assert done.returncode == 0, done.stderr
            assert done.stderr == ""
            output = json.loads(done.stdout) if done.stdout else None
            if not expected(output):
                raise NotYet(done.stdout)
            return output

        return eventually(read)

    def refused(self, *arguments: str) -> str:
        """Run `az acr artifact ARGUMENTS`, which must fail, and not for what it does not find; return its error."""
        done = eventually(lambda: self._found(*arguments))
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr

    def gone(self, *arguments: str) -> None:
        """Require that *arguments*, once a deletion is seen, fail because nothing is there."""

        def read() -> str:
            done = self.az(*arguments)
            if done.returncode == 0:
                raise NotYet(f"{arguments} still succeeds")
            return done.stderr

        assert "does not exist" in eventually(read)

    def delete(self) -> dict[str, str]:
        """Delete the repositories of this run by our own `purge`, until that finds nothing in them. Return those that
        are left, with the reason."""
        names = list(self.run.repositories)
        try:
            problems = eventually(lambda: self._purge(names)) if names else {}
        except NotYet as error:
            problems = dict.fromkeys(names, str(error))
        for name in names:
            if name not in problems:
                self.run.deleted(name)
        return problems

    def _found(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = self.az(*arguments)
        if done.returncode == NOT_FOUND:
            raise NotYet(done.stderr)
        return done

    def _purge(self, names: list[str]) -> dict[str, str]:
        filters = [f"{name}:.*" for name in names]
        every = ("--ago", "0d", "--untagged", "--include-referrers", "--yes")
        done = self.az("purge", self.run.server, "--filter", *filters, *every)
        if done.returncode == NOT_FOUND:  # for a single repository; of several, each that does not exist is in the JSON
            return {}
        if not done.stdout:
            return dict.fromkeys(names, done.stderr)
        result = json.loads(done.stdout)
        for locked in result["kept"]:
            unlock = ("--write-enabled", "true", "--delete-enabled", "true")
            self.az("update", f"{self.run.server}/{locked['reference']}", *unlock)
        refused = [one for one in result["failed"] if "does not exist" not in one["error"]]
        if not refused and (result["deletedTags"] or result["deletedManifests"] or result["kept"]):
            raise NotYet(f"purge still finds artifacts there: {done.stdout}")
        return {re.split("[:@]", one["reference"])[0]: one["error"] for one in refused}


@pytest.fixture(scope="session")
def live(wheel: Path, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Live]:
    """Yield the registry that `ACRARTIFACT_LIVE` names; fail if what the tests wrote could not be deleted."""
    extensions = tmp_path_factory.mktemp("extensions")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(extensions / "acrartifact")
    run = Leftovers(GIVEN["ACRARTIFACT_LIVE"])
    _print(pytestconfig, run.announce())
    found = Live(run, {**GIVEN, "AZURE_EXTENSION_DIR": str(extensions), "PYTHONUTF8": "1"})
    yield found
    if problems := found.delete():
        pytest.fail(run.report(problems), pytrace=False)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> Path:
    """Enter a folder with a file, a large one and a folder; return it."""
    folder = tmp_path / "files"
    (folder / "docs" / "deep").mkdir(parents=True)
    (folder / "artifact.txt").write_text("hello\n")
    (folder / "docs" / "deep" / "page.md").write_text("# A page\n")
    with (folder / "large.bin").open("wb") as file:
        for _ in range(pytestconfig.getoption("mebibytes")):
            file.write(secrets.token_bytes(1024 * 1024))
    monkeypatch.chdir(folder)
    return folder


def _print(config: pytest.Config, text: str) -> None:
    """Print *text* although output is captured, so that it is seen before the run is killed."""
    with config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        print(f"\n{text}", flush=True)
