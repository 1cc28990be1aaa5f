"""Credentials are sent only to the registry's own token endpoint, over TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from tests.functional.az import Az
from tests.functional.origin import SERVER, Origin

HOSTS = (SERVER, "myregistrystore.blob.core.windows.net", "login.microsoftonline.com")
REALMS = (
    "https://evil.example/oauth2/token",
    "http://myregistry.azurecr.io/oauth2/token",
    "https://myregistry.azurecr.io@evil.example/oauth2/token",
    "https://me:secret@myregistry.azurecr.io/oauth2/token",
)


@pytest.mark.parametrize("realm", REALMS)
def test_nothing_is_sent_to_a_realm_on_another_host(
    az: Az, emulator: Emulator, origin: Origin, artifact: str, repository: str, realm: str
) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    challenge = f'Bearer realm="{realm}",service="evil.example",scope="repository:{repository}:pull,push,delete"'
    emulator.fault(
        host=SERVER, path="/manifests/", action="status", status=401, headers={"WWW-Authenticate": challenge}, times=1
    )
    pulled = az.artifact("pull", artifact)
    assert {entry.host for entry in pulled.log} <= {*HOSTS}
    assert {entry.scheme for entry in pulled.log} == {"https"}
    assert len(pulled.to(SERVER, "/oauth2/token")) == 2


def test_a_redirect_has_no_authorization(az: Az, origin: Origin, artifact: str, repository: str) -> None:
    origin.push_files(repository, {"a.txt": b"one" * 10_000})
    pulled = az.artifact("pull", artifact)
    stored = pulled.to(HOSTS[1])
    assert stored
    for entry in stored:
        assert not {"authorization", "cookie"} & {name.lower() for name in entry.headers}


def test_a_token_request_follows_no_redirect(az: Az, emulator: Emulator, artifact: str) -> None:
    emulator.fault(
        host=SERVER, path="/oauth2/", action="status", status=307, headers={"Location": "https://evil.example/oauth2/"}
    )
    refused = az.refused(1, "show", artifact)
    assert "evil.example" not in {entry.host for entry in refused.log}


@pytest.mark.parametrize("signed_in", [True, False])
def test_a_netrc_changes_nothing(
    az: Az, signed_out: Az, origin: Origin, artifact: str, repository: str, tmp_path: Path, signed_in: bool
) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    file = tmp_path / ".netrc"
    file.write_text("".join(f"machine {host} login me password netrc-secret\n" for host in HOSTS))
    file.chmod(0o600)
    who = () if signed_in else ("--username", "read-token", "--password-stdin")
    client = (az if signed_in else signed_out).using(HOME=str(tmp_path), NETRC=str(file))
    pulled = client.artifact("pull", artifact, *who, stdin="read-token-password\n")
    for entry in [entry for host in HOSTS[:2] for entry in pulled.to(host)]:
        assert not [value for value in entry.headers.values() if value.startswith("Basic ")]
