"""Credentials are never written: not with --debug, not in an error, not in Azure CLI's log files."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from acr_emulator.client import Emulator
from acr_emulator.front.log import LogEntry
from tests.functional.az import PYTHON, TOKEN, Az
from tests.functional.origin import Origin


def secrets_in(log: list[LogEntry]) -> set[str]:
    """Collect every credential in the headers and URLs of these requests."""
    found = set()
    for entry in log:
        lower = {name.lower(): value for name, value in entry.headers.items()}
        found |= {lower[name].partition(" ")[2] for name in ("authorization", "proxy-authorization") if name in lower}
        query = parse_qs(entry.query)
        found |= {value for name in ("sig", "_state") for value in query.get(name, [])}
    return found


def secrets_of(world: dict[str, object]) -> set[str]:
    """Collect every password that the local Azure knows."""
    found: set[str] = set()
    for principal in world["principals"]:  # type: ignore[attr-defined]
        found |= set(principal["secrets"])
    for registry in world["registries"]:  # type: ignore[attr-defined]
        found |= set(registry["admin_passwords"])
        found |= {password for token in registry["tokens"] for password in token["passwords"]}
    return found


def assert_no_secret(text: str, secrets: set[str]) -> None:
    """Assert that *text* has none of *secrets*, plain or as Basic credentials, and no token at all."""
    assert not [secret for secret in secrets if secret in text]
    assert not TOKEN.search(text)
    assert "sig=" not in text
    assert "Basic " not in text
    for word in text.split():
        if len(word) > 20 and word.isalnum():
            decoded = base64.b64decode(word + "=" * (-len(word) % 4))
            assert not [secret for secret in secrets if secret.encode() in decoded]


@pytest.fixture
def own(az: Az, sign_in: Callable[[str], Path], tmp_path: Path) -> Az:
    """Return `az` with the test's own configuration and log files."""
    config = tmp_path / "config"
    shutil.copytree(sign_in("pusher"), config, ignore=shutil.ignore_patterns("commands", "logs"))
    return az.using(config=config, AZURE_LOGGING_ENABLE_LOG_FILE="yes")


def written(az: Az) -> str:
    """Return the content of Azure CLI's log files."""
    config = Path(az.variables["AZURE_CONFIG_DIR"])
    logs = [*config.glob("commands/*"), *config.glob("logs/*")]
    assert logs
    return "\n".join(log.read_text(errors="replace") for log in logs)


def test_under_debug(own: Az, emulator: Emulator, artifact: str, work: Path) -> None:
    (work / "a.txt").write_text("content")
    runs = [
        own("acr", "artifact", "push", artifact, "--file", "a.txt", "--debug"),
        own("acr", "artifact", "pull", artifact, "-d", "out", "--debug"),
        own("acr", "artifact", "show", artifact, "--debug"),
        own("acr", "artifact", "delete", artifact, "--yes", "--debug"),
    ]
    log = [entry for run in runs for entry in run.log]
    known = secrets_in(log) | secrets_of(emulator.world())
    assert len(known) > 10
    for run in runs:
        assert run.code == 0
        assert run.stderr
        assert_no_secret(run.stdout + run.stderr, known)
    assert_no_secret(written(own), known)


def test_with_a_password(own: Az, emulator: Emulator, origin: Origin, artifact: str, repository: str) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    who = ("--username", "ci-token", "--password-stdin", "--debug")
    pulled = own("acr", "artifact", "pull", artifact, *who, stdin="ci-token-password\n")
    assert pulled.code == 0
    wrong = own("acr", "artifact", "pull", artifact, *who, stdin="read-token-password\n")
    assert wrong.code == 1
    known = secrets_in(pulled.log + wrong.log) | secrets_of(emulator.world())
    assert_no_secret(pulled.stderr + wrong.stderr + written(own), known)


def test_the_admin_user(own: Az, emulator: Emulator, origin: Origin, artifact: str, repository: str) -> None:
    """Azure Resource Manager's response has both passwords. Azure's SDK would log it."""
    origin.push_files(repository, {"a.txt": b"one"})
    emulator.set(registries={"myregistry": {"admin_user_enabled": True}})
    pulled = own("acr", "artifact", "pull", artifact, "--auth-mode", "admin", "--debug")
    assert pulled.code == 0
    assert len(pulled.to("management.azure.com", "/listCredentials$", "POST")) == 1
    assert "msrest" not in pulled.stderr
    assert "azure.core.pipeline" not in pulled.stderr
    known = secrets_in(pulled.log) | secrets_of(emulator.world())
    assert "admin-password-1" in known
    assert_no_secret(pulled.stdout + pulled.stderr + written(own), known)


def test_what_a_failing_helper_prints(own: Az, artifact: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"credsStore": "s"}')
    helper = tmp_path / "docker-credential-s"
    helper.write_text("""#!/bin/sh\necho '{"Username":"me","Secret":"of-the-keychain"}'; exit 1\n""")
    helper.chmod(0o755)
    az = own.using(DOCKER_CONFIG=str(tmp_path), PATH=f"{tmp_path}:{os.environ['PATH']}")
    for command in (["login", "--name", "myregistry"], ["logout", "--name", "myregistry"]):
        failed = az("acr", "artifact", *command, "--debug")
        assert failed.code == 1
        assert "docker-credential-s" in failed.stderr
        assert "of-the-keychain" not in failed.stdout + failed.stderr + written(az)


FAULTS = {
    "storage": {"host": "*.blob.core.windows.net", "action": "status", "status": 403},
    "upload": {"path": "/blobs/uploads/.", "method": "PUT|PATCH", "action": "status", "status": 400},
    "exchange": {"path": "/oauth2/exchange", "action": "status", "status": 400},
    "token": {"path": "/oauth2/token", "action": "raw", "raw": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"},
    "cut": {"host": "*.blob.core.windows.net", "action": "reset", "where": "before"},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_in_errors(
    own: Az, emulator: Emulator, origin: Origin, artifact: str, repository: str, work: Path, fault: str
) -> None:
    (work / "b.txt").write_text("content")
    origin.push_files(repository, {"a.txt": b"one"})
    emulator.fault(**FAULTS[fault])
    verb = ["push", artifact, "--file", "b.txt"] if fault == "upload" else ["pull", artifact]
    failed = own("acr", "artifact", *verb, "--debug")
    assert failed.code == 1
    assert_no_secret(failed.stderr + written(own), secrets_in(failed.log) | secrets_of(emulator.world()))


def test_in_the_process_table(own: Az, emulator: Emulator, artifact: str, work: Path) -> None:
    (work / "a.txt").write_bytes(bytes(600_000))
    emulator.fault(path="/blobs/uploads/", action="bandwidth", rate=300_000)
    command = [PYTHON, "-m", "azure.cli", "acr", "artifact", "push", artifact, "--file", "a.txt"]
    with subprocess.Popen(
        [*command, "--username", "ci-token", "--password-stdin"],
        cwd=own.folder, env=dict(own.variables), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as az:  # fmt: skip
        assert az.stdin is not None
        az.stdin.write("ci-token-password\n")
        az.stdin.close()
        seen = []
        while az.poll() is None:
            seen.append(subprocess.run(["ps", "-A", "-ww", "-o", "args"], capture_output=True, text=True).stdout)
            time.sleep(0.1)
    assert az.returncode == 0
    shown = "\n".join(line for text in seen for line in text.splitlines() if artifact in line)
    assert len(shown.splitlines()) > 1, "it was seen while it ran"
    assert_no_secret(shown, secrets_in(emulator.log()) | secrets_of(emulator.world()))
