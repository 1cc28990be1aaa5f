"""Which failure of a connection is which error."""

from __future__ import annotations

import http.client
import socket
import threading
from contextlib import closing

import pytest

from azext_acrartifact.errors import (
    ConnectionFailedError,
    NotListeningError,
    ProtocolError,
    ProxyError,
    StalledError,
    TlsError,
    UnresolvedHostError,
)
from azext_acrartifact.transport.connection import NoProgressError
from azext_acrartifact.transport.connection_errors import failure
from azext_acrartifact.transport.messages import Request
from azext_acrartifact.transport.network import Proxy
from tests.support.server import RawResponse, respond
from tests.unit.transport.doubles import get

HOST = "myregistry.azurecr.io"
URL = f"https://{HOST}/v2/"
LATER = socket.gaierror(socket.EAI_AGAIN, "later")
UNKNOWN = socket.gaierror(socket.EAI_NONAME, "unknown name")


@pytest.mark.parametrize(
    ("raised", "kind", "message"),
    [
        (UNKNOWN, UnresolvedHostError, f"The host does not exist ({HOST}): unknown name"),
        (LATER, ConnectionFailedError, f"The name server did not respond ({HOST}): later"),
        (TimeoutError("timed out"), StalledError, f"The connection failed (GET {URL}): no connection within 10 s"),
        (TimeoutError(110, "timed out"), StalledError, f"The connection failed (GET {URL}): timed out"),
        (NoProgressError("only 5 bytes"), StalledError, f"The connection stalled (GET {URL}): only 5 bytes"),
        (ConnectionRefusedError(), NotListeningError, f"The connection failed (GET {URL}): it was refused"),
        (BrokenPipeError(), ConnectionFailedError, f"The connection failed (GET {URL}): it was reset"),
        (ConnectionAbortedError(), ConnectionFailedError, f"The connection failed (GET {URL}): it was reset"),
        (http.client.HTTPException("x"), ProtocolError, f"The response is not valid HTTP (GET {URL}): x"),
        (http.client.LineTooLong("x"), ProtocolError, f"The response is not valid HTTP (GET {URL}): LineTooLong"),
    ],
)
def test_each_failure_has_its_error(raised: BaseException, kind: type, message: str) -> None:
    error = failure(raised, Request("GET", URL), None)
    assert (type(error), error.message) == (kind, message)


def test_a_proxy_that_does_not_exist_is_named() -> None:
    error = failure(UNKNOWN, Request("GET", URL), Proxy("proxy.example", 3128))
    assert (type(error), error.where) == (ProxyError, "proxy.example")
    assert "HTTPS_PROXY" in error.hint


def test_a_stall_names_the_setting() -> None:
    error = failure(NoProgressError("nothing"), Request("GET", URL), None)
    assert "az config set acrartifact.stall_timeout=SECONDS" in error.hint


def test_a_refused_connection_names_its_host(serve, once) -> None:
    closed = serve()
    closed.close()
    with pytest.raises(ConnectionFailedError, match="refused") as caught:
        get(once, closed)
    assert "127.0.0.1 can be reached" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (407, ProxyError, "requires a user name and password"),
        (403, ProxyError, "responded 403"),
        (502, UnresolvedHostError, "cannot reach the host"),
        (503, UnresolvedHostError, "responded 503"),
        (504, UnresolvedHostError, "responded 504"),
    ],
)
def test_a_tunnel_that_the_proxy_refuses_is_not_tried_again(serve, http, use_proxy, status, error, words) -> None:
    server = serve(RawResponse(respond(status).raw, "close"), respond(200))
    use_proxy(server, "user:secret@")
    with pytest.raises(error, match=words) as caught:
        http.send(Request("GET", URL))
    assert server.left == 1
    assert "secret" not in caught.value.message + caught.value.hint


def test_a_proxy_that_is_down_is_named(http, serve, use_proxy, notices) -> None:
    server = serve()
    server.close()
    use_proxy(server)
    with pytest.raises(ConnectionFailedError, match="refused") as caught:
        http.send(Request("GET", URL))
    assert f"the proxy {server.server} (HTTPS_PROXY) is running" in caught.value.hint
    assert len(notices) == 5


def test_an_untrusted_certificate_is_refused_at_once(serve, http, authority, notices) -> None:
    server = serve(respond(200), tls=authority.context("127.0.0.1"))
    with pytest.raises(TlsError, match="not trusted") as caught:
        http.send(Request("GET", server.url + "/", authorization="Bearer secret"))
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint
    assert (server.requests, notices) == ([], [])


def test_a_certificate_of_another_host_is_refused(serve, http, authority, trusted) -> None:
    server = serve(respond(200), tls=authority.context("other.example"))
    with pytest.raises(TlsError, match=r"127\.0\.0\.1"):
        http.send(Request("GET", server.url + "/"))
    assert server.requests == []


def test_a_server_without_tls_is_not_tried_again(serve, http) -> None:
    server = serve()
    with pytest.raises(TlsError, match="does not speak TLS"):
        http.send(Request("GET", f"https://{server.server}/"))
    assert server.connections == 1


def test_a_handshake_that_ends_early_is_a_failed_connection(loopback, http) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        closer = threading.Thread(target=lambda: server.accept()[0].close())
        closer.start()
        with pytest.raises(ConnectionFailedError) as caught:
            http.send(Request("GET", f"https://127.0.0.1:{server.getsockname()[1]}/", repeatable=False))
        closer.join(10)
    assert type(caught.value) is ConnectionFailedError
