"""Tokens that expire before the command ends, and token endpoints that ask to wait."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from tests.functional.az import Az
from tests.functional.origin import SERVER, Origin

EXCHANGE = "/oauth2/exchange"
SIGN_IN = "login.microsoftonline.com"
EXPIRED = json.dumps({"error": "invalid_client", "error_description": "AADSTS700024: Client assertion is expired."})
FILES = {f"{number}.bin": bytes([number]) * 400_000 for number in range(7)}
SECONDS = float(os.environ.get("ACRARTIFACT_RENEWAL_SECONDS", "11"))
"""Duration of a transfer; tokens last for a fraction of it."""
SLOW = int(sum(map(len, FILES.values())) / SECONDS)
"""Bytes per second on each connection, so that the files take that long one after the other."""
ONE_BY_ONE = ("--concurrency", "1")


@pytest.fixture
def fresh(az: Az, sign_in: Callable[[str], Path], tmp_path: Path) -> Az:
    """Return `az` as just after `az login`: its only Entra token is that for Azure Resource Manager."""
    config = tmp_path / "config"
    shutil.copytree(sign_in("pusher"), config)
    cache = config / "msal_token_cache.json"
    content = json.loads(cache.read_text())
    tokens = content["AccessToken"]
    content["AccessToken"] = {key: token for key, token in tokens.items() if "containerregistry" not in token["target"]}
    cache.write_text(json.dumps(content))
    return az.using(config=config)


@pytest.fixture
def short(emulator: Emulator) -> None:
    """Let access tokens last 2 seconds and refresh tokens 5, or 5 and 15 for a transfer of a minute."""
    access, refresh = (5, 15) if SECONDS >= 60 else (2, 5)
    emulator.set(lifetimes={"acr_access": access, "acr_refresh": refresh})


def write(folder: Path) -> None:
    """Write the files to push."""
    for name, content in FILES.items():
        (folder / name).write_bytes(content)


def test_a_push_outlives_its_tokens(fresh: Az, emulator: Emulator, short: None, artifact: str, work: Path) -> None:
    write(work)
    emulator.fault(host=SERVER, path="/blobs/uploads/", action="bandwidth", rate=SLOW)
    pushed = fresh.artifact("push", artifact, "--file", *FILES, *ONE_BY_ONE)
    assert len(pushed.to(SERVER, EXCHANGE)) > 1
    assert len(pushed.to(SERVER, "/oauth2/token")) > 3
    assert pushed.json["bytesUploaded"] > sum(map(len, FILES.values()))


def test_a_pull_outlives_its_tokens_and_the_logins_assertion(
    fresh: Az, emulator: Emulator, origin: Origin, short: None, artifact: str, repository: str, work: Path
) -> None:
    origin.push_files(repository, FILES)
    emulator.fault(host="*.blob.core.windows.net", action="bandwidth", rate=SLOW)
    emulator.fault(host=SIGN_IN, path="/token", action="status", status=401, body=EXPIRED)
    pulled = fresh.artifact("pull", artifact, *ONE_BY_ONE)
    assert {entry.status for entry in pulled.to(SERVER, EXCHANGE)} == {200}
    assert len(pulled.to(SERVER, EXCHANGE)) > 1
    assert {path.name: path.read_bytes() for path in work.iterdir()} == FILES


def test_a_login_that_ends_during_a_pull_is_one_error_and_the_pull_resumes_later(
    fresh: Az, emulator: Emulator, origin: Origin, short: None, artifact: str, repository: str, work: Path
) -> None:
    origin.push_files(repository, FILES)
    emulator.fault(host="*.blob.core.windows.net", action="bandwidth", rate=SLOW)
    for number in (2, 3, 4, 5, 6, 7):
        emulator.fault(host=SERVER, path=EXCHANGE, action="status", status=401, nth=number)
    failed = fresh.refused(1, "pull", artifact, *ONE_BY_ONE)
    assert "az login" in failed.stderr
    done = len([path for path in work.iterdir() if path.suffix == ".bin"])
    emulator.clear_faults()
    again = fresh.artifact("pull", artifact)
    assert len(again.blob_gets) <= len(FILES) - done
    assert {path.name: path.read_bytes() for path in work.iterdir()} == FILES


@pytest.mark.parametrize("step", [EXCHANGE, "/oauth2/token"])
def test_a_token_endpoints_retry_after_is_obeyed(
    fresh: Az, emulator: Emulator, origin: Origin, artifact: str, repository: str, step: str
) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    emulator.fault(host=SERVER, path=step, action="status", status=429, headers={"Retry-After": "10"}, times=1)
    busy, served = fresh.artifact("show", artifact).to(SERVER, step)
    assert (busy.status, served.status) == (429, 200)
    assert 10 <= served.time - busy.time < 40


def test_a_retry_after_beyond_the_limit_is_reported(fresh: Az, emulator: Emulator, artifact: str) -> None:
    emulator.fault(host=SERVER, path=EXCHANGE, action="status", status=429, headers={"Retry-After": "600"})
    refused = fresh.refused(1, "show", artifact)
    assert "600 s" in refused.stderr
    assert len(refused.to(SERVER, EXCHANGE)) == 1
