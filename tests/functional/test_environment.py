"""Identities from environment variables, without `az login`."""

from __future__ import annotations

import http.server
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from acr_emulator.world import TENANT
from tests.functional.az import Az
from tests.functional.origin import SERVER
from tests.functional.test_auth_mode import PUSHER, SERVICE_PRINCIPAL

SUBJECT = "sc://contoso/project/connection"
MODE = ("--auth-mode", "environment")
IDENTITY = "azure-identity~=1.17.1"


@pytest.fixture
def lone(signed_out: Az, tmp_path: Path, work: Path) -> Az:
    """Return `az` without a sign-in, in a folder with a file to push."""
    (work / "a.txt").write_text("content")
    return signed_out.using(DOCKER_CONFIG=str(tmp_path / "none"))


@pytest.fixture
def token(emulator: Emulator) -> str:
    """Return a federated token for the pusher."""
    emulator.set(principals={"pusher": {"federated_subjects": [SUBJECT]}})
    return emulator.federated_token(SUBJECT)


@pytest.fixture
def issuer(token: str) -> Iterator[str]:
    """Yield Azure Pipelines' URL for a job's tokens (learn.microsoft.com/rest/api/azure/devops, Oidctoken - Create)."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            allowed = self.headers["Authorization"] == "Bearer job-token" and "serviceConnectionId=sc-1" in self.path
            body = json.dumps({"oidcToken": token}).encode() if allowed else b"{}"
            self.send_response(200 if allowed else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/oidctoken"
    server.shutdown()
    thread.join()
    server.server_close()


def pipeline(issuer: str) -> dict[str, str]:
    """Return the variables of an AzureCLI@2 task into which the job's token is mapped."""
    return {
        "AZURESUBSCRIPTION_CLIENT_ID": PUSHER.client_id,
        "AZURESUBSCRIPTION_TENANT_ID": TENANT,
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "sc-1",
        "SYSTEM_OIDCREQUESTURI": issuer,
        "SYSTEM_ACCESSTOKEN": "job-token",
    }


def test_a_service_principal(lone: Az, artifact: str) -> None:
    lone.using(**SERVICE_PRINCIPAL).artifact("push", artifact, "--file", "a.txt", *MODE)


def test_a_workload_identity(lone: Az, artifact: str, token: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(token)
    pusher = {name: SERVICE_PRINCIPAL[name] for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID")}
    lone.using(**pusher, AZURE_FEDERATED_TOKEN_FILE=str(file)).artifact("push", artifact, "--file", "a.txt", *MODE)


def test_a_service_connection(lone: Az, artifact: str, issuer: str) -> None:
    lone.using(**pipeline(issuer)).artifact("push", artifact, "--file", "a.txt")


def test_a_service_connection_when_the_logins_token_has_expired(
    az: Az,
    emulator: Emulator,
    artifact: str,
    issuer: str,
    work: Path,
    tmp_path: Path,
    sign_in: Callable[[str], Path],
) -> None:
    (work / "a.txt").write_text("content")
    expired = json.dumps({"error": "invalid_client", "error_description": "AADSTS700024: Client assertion is expired."})
    emulator.fault(host="login.microsoftonline.com", path="/token", action="status", status=401, body=expired, times=2)
    config = tmp_path / "aged"
    shutil.copytree(sign_in("pusher"), config)
    (config / "msal_token_cache.json").unlink()
    job = az.using(config=config, **pipeline(issuer))
    pushed = job("acr", "artifact", "push", artifact, "--file", "a.txt", "--verbose")
    assert pushed.code == 0, pushed.stderr
    assert "Azure Pipelines service connection" in pushed.stderr


def test_a_service_connection_without_the_jobs_token(lone: Az, artifact: str, issuer: str) -> None:
    job = {name: value for name, value in pipeline(issuer).items() if name != "SYSTEM_ACCESSTOKEN"}
    refused = lone.using(**job)("acr", "artifact", "push", artifact, "--file", "a.txt", "--verbose")
    assert "SYSTEM_ACCESSTOKEN: $(System.AccessToken)" in refused.stderr


def test_a_managed_identity_of_app_service(lone: Az, emulator: Emulator, artifact: str) -> None:
    lone.using(**emulator.app_service_environment()).artifact("push", artifact, "--file", "a.txt")


def test_a_machines_managed_identity_is_used_only_if_the_environment_is_chosen(lone: Az, artifact: str) -> None:
    pushed = lone.artifact("push", artifact, "--file", "a.txt", *MODE)
    assert pushed.to("169.254.169.254")
    assert not lone.refused(1, "push", artifact, "--file", "a.txt").to("169.254.169.254")


def test_an_identity_that_entra_refuses(lone: Az, artifact: str) -> None:
    wrong = {**SERVICE_PRINCIPAL, "AZURE_CLIENT_SECRET": "wrong-secret-value"}
    refused = lone.using(**wrong).refused(1, "push", artifact, "--file", "a.txt", *MODE)
    assert "environment's service principal" in refused.stderr
    assert "wrong-secret-value" not in refused.stderr


def test_no_identity_is_sent_to_another_host(lone: Az, repository: str) -> None:
    refused = lone.using(**SERVICE_PRINCIPAL).refused(
        1, "push", f"evil.example/{repository}:1", "--file", "a.txt", *MODE
    )
    assert not refused.log


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("raise ModuleNotFoundError('No module named azure.identity')", "not installed"),
        ("raise AttributeError('module msal has no attribute X')", "clashes"),
    ],
)
def test_azure_identity_that_cannot_be_used(lone: Az, artifact: str, tmp_path: Path, body: str, why: str) -> None:
    (tmp_path / "azure" / "identity").mkdir(parents=True)
    (tmp_path / "azure" / "identity" / "__init__.py").write_text(body)
    broken = lone.using(**SERVICE_PRINCIPAL, PYTHONPATH=str(tmp_path))
    refused = broken.refused(1, "push", artifact, "--file", "a.txt", *MODE)
    assert why in refused.stderr
    assert "-m pip install --no-deps" in refused.stderr
    assert IDENTITY in refused.stderr
    assert not refused.to(SERVER)
