"""Microsoft Entra ID as an attacker: whatever it responds, the registry gets no wrong token, and the command ends.

Azure CLI's own libraries send these requests: msal and requests. `tests/hostile/cases_azure.py` has raw responses that
are slow, endless or huge.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from acr_emulator.world import ARM_AUDIENCE
from tests.functional.az import Az, hosts
from tests.functional.origin import SERVER, Origin
from tests.unit.auth.tokens import jwt

SIGN_IN = "login.microsoftonline.com"


@pytest.fixture
def without_tokens(az: Az, sign_in: Callable[[str], Path], tmp_path: Path) -> Az:
    """Return `az` signed in as the pusher, without any token so far."""
    config = tmp_path / "fresh"
    shutil.copytree(sign_in("pusher"), config, ignore=shutil.ignore_patterns("msal_token_cache*", "acrartifact"))
    return az.using(config=config, DOCKER_CONFIG=str(tmp_path / "docker"))


def issued(token: object) -> str:
    """Return Entra's response with *token*."""
    return json.dumps({"token_type": "Bearer", "expires_in": 3600, "ext_expires_in": 3600, "access_token": token})


RESPONSES = {
    "a token for another audience": {"status": 200, "body": issued(jwt(aud=ARM_AUDIENCE, tid="x"))},
    "a token with a line break": {"status": 200, "body": issued("a\r\nX-Evil: y")},
    "a token of other letters": {"status": 200, "body": issued("t\u00f6k")},
    "a token of 900,000 letters": {"status": 200, "body": issued("A" * 900_000)},
    "an empty token": {"status": 200, "body": issued("")},
    "20,000 blanks": {"status": 400, "body": json.dumps({"error": "x", "error_description": "A" + " " * 20_000 + "B"})},
    "ids without end": {"status": 400, "body": json.dumps({"error": "x", "error_description": "Trace ID: a" * 20_000})},
    "a terminal's command": {
        "status": 400,
        "body": json.dumps({"error": "x", "error_description": "\x1b[2J##vso[a]b"}),
    },
    "no JSON": {"status": 200, "body": "<html>"},
    "brackets": {"status": 200, "body": "[" * 100_000},
    "a failure": {"status": 503},
}


@pytest.mark.parametrize("kind", RESPONSES)
def test_no_wrong_token_reaches_the_registry(
    without_tokens: Az, emulator: Emulator, origin: Origin, artifact: str, repository: str, kind: str
) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    emulator.fault(host=SIGN_IN, path="/token$", method="POST", action="status", **RESPONSES[kind])
    started = time.monotonic()
    refused = without_tokens.refused(1, "pull", artifact, "--auth-mode", "login")
    assert time.monotonic() - started < 20
    assert hosts(refused.log) <= {SIGN_IN}
    assert len(refused.stderr) < 2000
    assert "\x1b" not in refused.stderr
    assert "##vso[" not in refused.stderr


@pytest.mark.parametrize("mode", ["login", "auto"])
def test_an_entra_that_never_responds_ends_the_command(
    without_tokens: Az, emulator: Emulator, artifact: str, mode: str
) -> None:
    emulator.fault(host=SIGN_IN, path="/token$", method="POST", action="stall", seconds=60)
    az = without_tokens.using(AZURE_ACRARTIFACT_STALL_TIMEOUT="1")
    started = time.monotonic()
    refused = az.refused(1, "pull", artifact, "--auth-mode", mode)
    assert time.monotonic() - started < 20
    assert "Could not get a token from Microsoft Entra ID: no response within 2 s." in refused.stderr
    assert hosts(refused.log) <= {SIGN_IN}


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_no_token(without_tokens: Az, emulator: Emulator, artifact: str, status: int) -> None:
    # msal follows it, even with the client's secret, which no extension can prevent.
    away = {"Location": "https://evil.example/token"}
    emulator.fault(host=SIGN_IN, path="/token$", method="POST", action="status", status=status, headers=away)
    refused = without_tokens.refused(1, "pull", artifact, "--auth-mode", "login")
    assert SERVER not in hosts(refused.log)
