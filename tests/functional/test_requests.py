"""The number of requests of each command, by the log of the local Azure."""

from __future__ import annotations

import re
from pathlib import Path

from acr_emulator.front.log import LogEntry
from tests.functional.az import Az, Result, hosts
from tests.functional.origin import SERVER, Origin

STORE = "myregistrystore.blob.core.windows.net"
SIGN_IN = "login.microsoftonline.com"


def before_blobs(log: list[LogEntry]) -> list[tuple[str, str]]:
    """Return method and path of the requests to the registry before the first one for a blob."""
    return [(entry.method, re.sub(".*/manifests/", "/manifests/", entry.path)) for entry in early(log)]


IN_FLIGHT = 32
"""Requests for small files near a registry that may be in flight at once."""


def early(log: list[LogEntry]) -> list[LogEntry]:
    """Return those requests by their times: the log has them in the order in which they ended."""
    began = min(entry.time for entry in log if "/blobs/" in entry.path)
    return [entry for entry in log if entry.host == SERVER and entry.time < began]


def is_one_connection(log: list[LogEntry]) -> bool:
    """Return whether all of them, and a request for a blob, used one TLS connection."""
    (number,) = {entry.connection for entry in early(log)}
    return any(entry.connection == number and "/blobs/" in entry.path for entry in log)


def most_connections(run: Result) -> int:
    """Return the number of connections to the host that had most."""
    return max(len({entry.connection for entry in run.to(host)}) for host in (SERVER, STORE))


def test_only_the_registry_is_asked_if_its_login_server_is_given(az: Az, artifact: str, file: str) -> None:
    runs = [
        az.artifact("push", artifact, "--file", file),
        az.artifact("show", artifact),
        az.artifact("pull", artifact, "--destination", "out"),
        az.artifact("delete", artifact, "--yes"),
    ]
    for run in runs:
        assert hosts(run.log) <= {SERVER, STORE, SIGN_IN}
        assert len(run.to(SERVER, "/oauth2/token")) == 1
    assert [len(run.to(SERVER, "/oauth2/exchange")) for run in runs] == [1, 0, 0, 0]
    assert [len(run.to(SERVER)) for run in runs[1:]] == [4, 3, 6]


def test_at_most_three_requests_on_one_connection_before_the_first_blob(az: Az, artifact: str, file: str) -> None:
    signing_in = [("POST", "/oauth2/exchange"), ("POST", "/oauth2/token")]
    pushed = az.artifact("push", artifact, "--file", file)
    assert before_blobs(pushed.log) == [*signing_in, ("GET", "/manifests/1.0")]
    assert is_one_connection(pushed.log)
    pulled = az.artifact("pull", artifact, "--destination", "out")
    assert before_blobs(pulled.log) == [signing_in[1], ("GET", "/manifests/1.0")]
    assert is_one_connection(pulled.log)


def test_a_password_saves_the_exchange(signed_out: Az, artifact: str, file: str) -> None:
    pushed = signed_out.artifact(
        "push", artifact, "--file", file, "--username", "ci-token", "--password-stdin", stdin="ci-token-password\n"
    )
    assert before_blobs(pushed.log) == [("POST", "/oauth2/token"), ("GET", "/manifests/1.0")]
    assert hosts(pushed.log) == {SERVER}


def test_many_files_need_few_connections(az: Az, artifact: str, work: Path) -> None:
    """ACR's redirects have bodies. A connection serves the next request after one, too."""
    names = [f"{number:02}.txt" for number in range(60)]
    for name in names:
        (work / name).write_text(name)
    pushed = az.artifact("push", artifact, "--file", *names)
    assert len(pushed.registry("/blobs/uploads/", "POST")) == len(names) + 1
    assert most_connections(pushed) <= IN_FLIGHT + 2
    pulled = az.artifact("pull", artifact, "--destination", "out", "--concurrency", "2")
    assert len(pulled.blob_gets) == len(names)
    assert most_connections(pulled) <= 2
    adapted = az.artifact("pull", artifact, "--destination", "more")
    assert most_connections(adapted) <= IN_FLIGHT + 2


def test_the_storage_gets_no_token(az: Az, origin: Origin, artifact: str, repository: str) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    pulled = az.artifact("pull", artifact)
    [fetched] = pulled.to(STORE)
    assert fetched.status == 200
    assert "authorization" not in {name.lower() for name in fetched.headers}


def test_the_user_agent_and_the_request_id(az: Az, artifact: str, file: str) -> None:
    pushed = az.artifact("push", artifact, "--file", file)
    for entry in pushed.to(SERVER):
        assert re.match(r"AZURECLI/\S+ .*acrartifact/\d+\.\d+", entry.headers["User-Agent"])
    assert len({entry.headers["x-ms-client-request-id"] for entry in pushed.to(SERVER)}) == 1


def test_debug_shows_each_request_and_its_status_and_no_secret(az: Az, artifact: str, file: str) -> None:
    pushed = az("acr", "artifact", "push", artifact, "--file", file, "--debug")
    assert pushed.code == 0
    for entry in pushed.to(SERVER):
        assert f"{entry.method} https://{SERVER}{entry.path}: {entry.status} after" in pushed.stderr
    pulled = az("acr", "artifact", "pull", artifact, "-d", "out", "--debug")
    assert f"GET https://{STORE}/" in pulled.stderr
    for run in (pushed, pulled):
        assert not re.search(r"eyJ[A-Za-z0-9_-]{20}|[?&](sig|_state)=", run.stderr)
