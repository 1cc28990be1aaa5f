"""The whole emulator in its own process, controlled by `acr_emulator.client`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from acr_emulator.client import Emulator, EmulatorError
from acr_emulator.world import ACR_AUDIENCE, TENANT, default_world
from tests.emulator.exchange import connect

REGISTRY = "myregistry.azurecr.io"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator.start(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture(autouse=True)
def _clean(emulator: Emulator) -> None:
    emulator.reset()


def ask(emulator: Emulator, host: str, method: str, path: str, form: dict | None = None, **headers: str):
    fields = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
    with contextlib.closing(connect(emulator, host)) as connection:
        connection.request(method, path, urlencode(form) if form else None, {**fields, **headers})
        response = connection.getresponse()
        body = response.read()
    return response, body


def entra_token(emulator: Emulator) -> str:
    client_id = default_world().principal("pusher").client_id
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": "pusher-secret"}
    form["scope"] = f"{ACR_AUDIENCE}/.default"
    response, body = ask(emulator, "login.microsoftonline.com", "POST", f"/{TENANT}/oauth2/v2.0/token", form)
    assert response.status == 200
    return json.loads(body)["access_token"]


def access_token(emulator: Emulator, scope: str) -> str:
    exchange = {"grant_type": "access_token", "service": REGISTRY, "access_token": entra_token(emulator)}
    refresh = json.loads(ask(emulator, REGISTRY, "POST", "/oauth2/exchange", exchange)[1])["refresh_token"]
    form = {"grant_type": "refresh_token", "service": REGISTRY, "scope": scope, "refresh_token": refresh}
    return json.loads(ask(emulator, REGISTRY, "POST", "/oauth2/token", form)[1])["access_token"]


def test_a_token_of_entra_is_accepted_by_the_registry(emulator):
    token = access_token(emulator, "registry:catalog:*")
    response, body = ask(emulator, REGISTRY, "GET", "/v2/_catalog", Authorization=f"Bearer {token}")
    assert (response.status, "repositories" in json.loads(body)) == (200, True)
    hosts = [(entry.host, entry.path, entry.status) for entry in emulator.log()]
    assert hosts == [
        ("login.microsoftonline.com", f"/{TENANT}/oauth2/v2.0/token", 200),
        (REGISTRY, "/oauth2/exchange", 200),
        (REGISTRY, "/oauth2/token", 200),
        (REGISTRY, "/v2/_catalog", 200),
    ]


@pytest.mark.parametrize("path", ["/oauth2/exchange", "/oauth2/token", "/v2/_catalog"])
def test_expired_tokens_are_refused_by_every_endpoint(emulator, path):
    token = access_token(emulator, "registry:catalog:*")
    exchange = {"grant_type": "access_token", "service": REGISTRY, "access_token": entra_token(emulator)}
    refresh = json.loads(ask(emulator, REGISTRY, "POST", "/oauth2/exchange", exchange)[1])["refresh_token"]
    renewal = {"grant_type": "refresh_token", "service": REGISTRY, "scope": "", "refresh_token": refresh}
    emulator.fault(action="expire_token", path=f"{path}$", times=1)
    form = {"/oauth2/exchange": exchange, "/oauth2/token": renewal}.get(path)
    method, headers = ("POST", {}) if form else ("GET", {"Authorization": f"Bearer {token}"})
    assert ask(emulator, REGISTRY, method, path, form, **headers)[0].status == 401
    assert ask(emulator, REGISTRY, method, path, form, **headers)[0].status == 200


@pytest.mark.parametrize(
    ("host", "status", "text"),
    [
        ("login.microsoftonline.com", 429, "AADSTS90055"),
        ("management.azure.com", 429, '"code":"TooManyRequests"'),
        (REGISTRY, 429, '"code":"TOOMANYREQUESTS"'),
        (REGISTRY, 500, '"code":"INTERNAL_SERVER_ERROR"'),
        ("myregistrystore.blob.core.windows.net", 503, "<Code>ServerBusy</Code>"),
    ],
)
def test_each_service_fails_with_its_own_text(emulator, host, status, text):
    emulator.fault(action="status", status=status, headers={"Retry-After": "3"})
    response, body = ask(emulator, host, "GET", "/v2/")
    assert (response.status, response.headers["Retry-After"]) == (status, "3")
    assert text in body.decode()


def test_the_client_uses_the_control_api(emulator):
    emulator.set(lifetimes={"entra": 5})
    assert emulator.world()["lifetimes"]["entra"] == 5
    rule = emulator.fault(action="raw", raw=b"\x00\xff")
    assert [(given["id"], given["raw"]) for given in emulator.faults()] == [(rule, "\x00\xff")]
    emulator.clear_faults()
    assert emulator.faults() == []
    assert emulator.federated_token("someone").count(".") == 2
    with pytest.raises(EmulatorError, match="no such setting"):
        emulator.set(nothing=1)


def test_the_environment_sends_curl_and_go_to_it(emulator, tmp_path):
    environment = emulator.environment(tmp_path)
    assert environment["HTTPS_PROXY"] == environment["https_proxy"] == emulator.proxy_url
    assert environment["REQUESTS_CA_BUNDLE"] == environment["SSL_CERT_FILE"] == str(emulator.ca_file)
    assert list(Path(environment["SSL_CERT_DIR"]).iterdir()) == []
    assert environment["AZURE_CONFIG_DIR"] == str(tmp_path)


def test_the_authority_is_part_of_the_state(tmp_path):
    with Emulator.start(tmp_path) as first:
        before = first.ca_file.read_bytes()
    with Emulator.start(tmp_path, lifetimes={"entra": 7}, limits={"page_size": 3}) as second:
        assert second.ca_file.read_bytes() == before
        world = second.world()
    assert (world["lifetimes"]["entra"], world["limits"]["page_size"]) == (7, 3)


def test_a_temporary_state_is_removed_with_the_emulator():
    with Emulator.start() as running:
        state = running.state
        assert state.is_dir()
    assert not state.exists()


def test_an_unknown_setting_fails_the_start(tmp_path):
    with pytest.raises(EmulatorError, match="no such setting: nothing"):
        Emulator.start(tmp_path, lifetimes={"nothing": 1})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(tmp_path, number):
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "acr_emulator", "--state", str(tmp_path), "--ready-file", str(ready)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    for _ in range(6000):
        if ready.exists():
            break
        time.sleep(0.01)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "export HTTPS_PROXY=http://127.0.0.1:" in output


def test_it_ends_when_its_standard_input_closes(tmp_path):
    running = Emulator.start(tmp_path)
    running._process.stdin.close()
    assert running._process.wait(60) == 0
