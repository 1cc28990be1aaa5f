"""The registry behind the real front, over sockets."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from acr_emulator.client import Emulator
from acr_emulator.world import default_world
from tests.emulator.exchange import connect
from tests.emulator.registry.peer import FORM, SERVER, basic, sha256

CONTENT = b"0123456789" * 1000


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator.start(tmp_path_factory.mktemp("state")) as started:
        yield started


class Client:
    """A connection to the login server through the proxy, with Basic credentials."""

    def __init__(self, emulator: Emulator) -> None:
        pusher = default_world().principal("pusher")
        assert pusher is not None
        self.emulator = emulator
        self.login = basic(pusher.client_id, "pusher-secret")

    def send(
        self, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Send a request, with credentials for the login server only."""
        parts = urlsplit(url)
        connection = connect(self.emulator, parts.hostname or SERVER)
        login = {} if parts.hostname or (headers or {}).get("Authorization") else self.login
        connection.request(method, f"{parts.path}?{parts.query}", body, {**login, **(headers or {})})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, response.headers, content

    def start(self) -> str:
        """Start an upload and return its URL."""
        return str(self.send("POST", "/v2/a/blobs/uploads/")[1]["Location"])


@pytest.fixture
def client(emulator: Emulator) -> Client:
    emulator.reset()
    return Client(emulator)


def test_a_blob_is_read_through_its_redirect_whole_and_by_range(client: Client) -> None:
    status, _, _ = client.send("PUT", f"{client.start()}&digest={sha256(CONTENT)}", CONTENT)
    assert status == 201
    status, headers, body = client.send("GET", f"/v2/a/blobs/{sha256(CONTENT)}")
    assert (status, headers["Docker-Content-Digest"]) == (307, sha256(CONTENT))
    assert headers.keys() == [
        "Server", "Date", "Content-Type", "Content-Length", "Connection", "Docker-Content-Digest", "Location",
        *["Access-Control-Expose-Headers"] * 4, "Docker-Distribution-Api-Version", "Strict-Transport-Security",
        "X-Content-Type-Options", "X-Ms-Correlation-Request-Id", "Strict-Transport-Security",
    ]  # fmt: skip
    assert (headers["Connection"], int(headers["Content-Length"])) == ("keep-alive", len(body))
    assert re.fullmatch(rb'<a href="https://.+">Temporary Redirect</a>\.\n\n', body)
    assert client.send("GET", headers["Location"])[2] == CONTENT
    status, part, body = client.send("GET", headers["Location"], headers={"Range": "bytes=5-14"})
    assert (status, part["Content-Range"], body) == (206, f"bytes 5-14/{len(CONTENT)}", b"5678901234")
    assert client.send("GET", headers["Location"], headers={"Authorization": "Bearer x"})[0] == 400
    status, head, body = client.send("HEAD", f"/v2/a/blobs/{sha256(CONTENT)}")
    assert (status, head["Content-Length"], body) == (200, str(len(CONTENT)), b"")


def interrupted(client: Client) -> str:
    """Start an upload, disconnect in its first chunk, and return its URL once the emulator has seen that."""
    url = client.start()
    connection = connect(client.emulator, SERVER)
    connection.putrequest("PATCH", url)
    for name, value in {**client.login, "Content-Length": str(len(CONTENT))}.items():
        connection.putheader(name, value)
    connection.endheaders(CONTENT[:5000])
    connection.close()
    for _ in range(600):
        if any(entry.method == "PATCH" and entry.error for entry in client.emulator.log()):
            break
        time.sleep(0.05)
    return url


def test_the_token_endpoint_sends_chunked(client: Client) -> None:
    form = urlencode({"grant_type": "password", "service": SERVER, "username": "x", "password": "y"})
    assert "Content-Length" in client.send("POST", "/oauth2/token", form.encode(), FORM)[1]
    form = form.replace("=x", "=ci-token").replace("=y", "=ci-token-password")
    status, headers, body = client.send("POST", "/oauth2/token", form.encode(), FORM)
    assert (status, list(json.loads(body))) == (200, ["access_token"])
    assert headers.keys() == [
        "Server", "Date", "Content-Type", "Transfer-Encoding", "Connection",
        "x-ms-ratelimit-remaining-calls-per-second", "X-Ms-Correlation-Request-Id", "Strict-Transport-Security",
    ]  # fmt: skip
    assert headers["x-ms-ratelimit-remaining-calls-per-second"] == "166.65"


def test_a_connection_that_closes_says_so_once(client: Client) -> None:
    _, headers, _ = client.send("GET", "/v2/", headers={"Connection": "close"})
    assert headers.get_all("Connection") == ["close"]


def test_an_interrupted_request_leaves_its_url_outdated(client: Client) -> None:
    status, _, body = client.send("GET", interrupted(client))
    assert (status, json.loads(body)["errors"][0]["code"]) == (404, "BLOB_UPLOAD_INVALID")


def test_an_interrupted_request_can_be_repeated_if_its_half_is_dropped(client: Client) -> None:
    client.emulator.set(registries={"myregistry": {"half_chunk": "dropped"}})
    url = interrupted(client)
    assert client.send("GET", url)[1]["Range"] == "0-0"
    headers = {"Content-Range": f"0-{len(CONTENT) - 1}"}
    status, response, _ = client.send("PATCH", url, CONTENT, headers)
    assert (status, response["Range"]) == (202, f"0-{len(CONTENT) - 1}")
    assert client.send("PUT", f"{response['Location']}&digest={sha256(CONTENT)}")[0] == 201


def test_faults_that_the_registry_applies(client: Client) -> None:
    url = client.start()
    client.emulator.fault(action="drop_session", method="PATCH", times=1)
    status, _, body = client.send("PATCH", url, b"x")
    assert (status, json.loads(body)["errors"][0]["code"]) == (404, "BLOB_UPLOAD_UNKNOWN")
    fields = {"grant_type": "password", "service": SERVER, "username": "ci-token", "password": "ci-token-password"}
    form = urlencode({**fields, "scope": "repository:samples/a:pull"}).encode()
    token = json.loads(client.send("POST", "/oauth2/token", form, FORM)[2])["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    path = "/v2/samples/a/manifests/1"
    client.emulator.fault(action="expire_token", path="/manifests/", times=1)
    status, headers, _ = client.send("GET", path, headers=bearer)
    assert (status, "insufficient_scope" in headers["WWW-Authenticate"]) == (401, False)
    assert client.send("GET", path, headers=bearer)[0] == 404


def test_content_survives_a_restart(tmp_path: Path) -> None:
    with Emulator.start(tmp_path) as first:
        client = Client(first)
        assert client.send("PUT", f"{client.start()}&digest={sha256(CONTENT)}", CONTENT)[0] == 201
    with Emulator.start(tmp_path) as second:
        assert Client(second).send("HEAD", f"/v2/a/blobs/{sha256(CONTENT)}")[0] == 200
