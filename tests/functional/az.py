"""The real `az`, with the installed wheel, as a process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from coverage import Coverage

from acr_emulator.client import Emulator
from acr_emulator.front.log import LogEntry

PYTHON = os.environ.get("AZ_PYTHON", sys.executable)
"""The Python whose Azure CLI runs: this one, or that of `dev.py oldest`."""

OLDEST = "AZ_PYTHON" in os.environ
"""Whether the Azure CLI that runs is the oldest promised one."""

OF_OLDEST = {"app.aladdin.microsoft.com", "raw.githubusercontent.com"}
"""Hosts that only the oldest Azure CLI asks by itself: for examples after an error of its parser, and now and then for
the newest version."""

LIMIT = 90
"""Seconds that one command may take."""

ZERO = "00000000-0000-0000-0000-000000000000"
"""The user name that goes with a refresh token of a registry."""

TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{20,}")
"""The start of a signed token, whatever its claims."""


@dataclass(frozen=True)
class Result:
    """The result of a command, and the requests that it made, oldest first."""

    arguments: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    log: list[LogEntry] = field(repr=False)

    @cached_property
    def json(self) -> Any:
        """The JSON that it printed."""
        return json.loads(self.stdout)

    def to(self, host: str, path: str = "", method: str = "") -> list[LogEntry]:
        """Return the requests to *host* whose path matches the expression *path*, by *method* (`PUT|PATCH`) or any."""
        return [
            entry
            for entry in self.log
            if entry.host == host and re.search(path, entry.path) and (not method or entry.method in method.split("|"))
        ]

    def registry(self, path: str = "", method: str = "") -> list[LogEntry]:
        """Return the same for all login servers."""
        servers = {entry.host for entry in self.log if entry.host.endswith("azurecr.io")}
        return [entry for server in servers for entry in self.to(server, path, method)]

    @property
    def blob_gets(self) -> list[LogEntry]:
        """Requests for blobs, at login servers."""
        return self.registry("/blobs/sha256:", "GET")

    @property
    def writes(self) -> list[LogEntry]:
        """Requests that change the content of a registry."""
        return self.registry("^/(v2|acr)/", "POST|PUT|PATCH|DELETE")


@dataclass(frozen=True)
class Az:
    """Runs `az` in *folder* with *variables*; copies with other settings are made by `using`."""

    emulator: Emulator
    folder: Path
    variables: Mapping[str, str]

    def using(self, folder: Path | None = None, *, config: Path | None = None, **variables: str) -> Az:
        """Return one for another folder or `AZURE_CONFIG_DIR`, or with more variables."""
        more = {**({"AZURE_CONFIG_DIR": str(config)} if config else {}), **variables}
        return replace(self, folder=folder or self.folder, variables={**self.variables, **more})

    def __call__(self, *arguments: str, stdin: str | None = None, prepare: Callable[[], None] | None = None) -> Result:
        """Run `az ARGUMENTS` without a terminal; *prepare* runs in the new process before az."""
        since = self.emulator.last_id()
        done = subprocess.run(
            [PYTHON, "-m", "azure.cli", *arguments], cwd=self.folder, env=dict(self.variables),
            input=(stdin or "").encode(), capture_output=True, timeout=LIMIT, preexec_fn=prepare,
        )  # fmt: skip
        shown = [output.decode().replace("\r\n", "\n").replace("\r", "\n") for output in (done.stdout, done.stderr)]
        return Result(arguments, done.returncode, *shown, log_since(self.emulator, since))

    def ok(self, *arguments: str, stdin: str | None = None) -> Result:
        """Run a command that succeeds, and prints one JSON value or nothing on stdout, and nothing on stderr."""
        result = self(*arguments, stdin=stdin)
        assert result.code == 0, result.stderr
        assert result.stderr == ""
        if result.stdout:
            assert isinstance(result.json, dict | list)
        return result

    def artifact(self, verb: str, *arguments: str, stdin: str | None = None) -> Result:
        """Run `az acr artifact VERB …`, which succeeds."""
        return self.ok("acr", "artifact", verb, *arguments, stdin=stdin)

    def refused(
        self, code: int, verb: str, *arguments: str, stdin: str | None = None, prepare: Callable[[], None] | None = None
    ) -> Result:
        """Run `az acr artifact VERB …`, which ends with *code* and one clear error that says what to do next."""
        result = self("acr", "artifact", verb, *arguments, stdin=stdin, prepare=prepare)
        assert_refused(result, code)
        return result


def log_since(emulator: Emulator, since: int) -> list[LogEntry]:
    """Return the requests with an id above *since*, without those that only the oldest Azure CLI makes."""
    return [entry for entry in emulator.log(since) if not OLDEST or entry.host not in OF_OLDEST]


def exposed_token(az: Az) -> tuple[str, str]:
    """Return the user and the refresh token that `az acr login --expose-token` gives."""
    exposed = az("acr", "login", "--name", "myregistry", "--expose-token").json
    if OLDEST:
        return ZERO, exposed["accessToken"]
    return exposed["username"], exposed["refreshToken"]


def assert_refused(result: Result, code: int) -> None:
    """Require that a command ended with *code* and one clear error that says what to do next."""
    assert result.code == code, result
    assert result.stdout == ""
    assert_one_error(result.stderr, of_the_parser=code == 2)


def assert_one_error(stderr: str, of_the_parser: bool = False) -> None:
    """Require one line that says what is wrong, then what to do. Azure CLI's own parser leaves an empty line, and shows
    examples instead."""
    lines = stderr.splitlines()
    assert [line for line in lines if line.startswith("ERROR:")] == lines[:1], stderr
    assert len(lines) > 1, f"it does not say what to do: {stderr}"
    assert of_the_parser or (lines[1].strip() and len(lines) < 8), stderr
    assert_no_internals(stderr)


def assert_no_internals(text: str) -> None:
    """Require a text without tracebacks, Python and tokens."""
    for word in ("Traceback", 'File "', "Exception", "urllib3", "errno", "Errno", "object at 0x", "<class"):
        assert word not in text, text
    assert not TOKEN.search(text), text


def files_in(folder: Path) -> set[str]:
    """Return every path below *folder*, folders with a slash at the end."""
    return {
        f"{p.relative_to(folder).as_posix()}{'/' if p.is_dir() and not p.is_symlink() else ''}"
        for p in folder.rglob("*")
    }


def hosts(log: Iterable[LogEntry]) -> set[str]:
    """Return the hosts of the requests."""
    return {entry.host for entry in log}


def environment_for(emulator: Emulator, extensions: Path, config: Path) -> dict[str, str]:
    """Return the variables of a process with *emulator* and *extensions*; it is measured if this one is."""
    docker = str(config.parent / "docker")
    ours = {"AZURE_EXTENSION_DIR": str(extensions), "DOCKER_CONFIG": docker, "PYTHONUTF8": "1", "COLUMNS": "100"}
    if measured := Coverage.current():
        ours |= {"PYTHONPATH": str(Path(__file__).parent / "measured"), "FACE_COVERAGE": measured.config.data_file}
    return {**os.environ, **emulator.environment(config), **ours}
