"""Connections through proxies over TLS and by SOCKS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPException

import pytest

from azext_acrartifact.errors import ProxyError
from azext_acrartifact.transport.messages import Request
from azext_acrartifact.transport.network import Proxy
from azext_acrartifact.transport.proxied import connect_through
from tests.support.relay import Greet, Relay, over_tls, socks5
from tests.support.server import RawResponse, ScriptedServer, respond

HOST = "myregistry.azurecr.io"
URL = f"https://{HOST}/v2/"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@pytest.fixture
def relay() -> Iterator[Callable[[Greet], Relay]]:
    """Yield a function that starts a relay."""
    with ExitStack() as stack:
        yield lambda greet: stack.enter_context(closing(Relay(greet)))


def to(server: ScriptedServer, asked: list[tuple[str, int]]) -> Callable[[str, int], socket.socket]:
    """Return a function that connects to *server*, whatever host is *asked* for."""

    def connect(host: str, port: int) -> socket.socket:
        asked.append((host, port))
        return socket.create_connection(("127.0.0.1", server.port))

    return connect


def test_by_socks(serve, http, authority, trusted, relay, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(respond(200, b"one"), respond(200, b"two"), tls=authority.context(HOST))
    asked: list[tuple[str, int]] = []
    proxy = relay(socks5(to(server, asked), b"me:a:b"))
    monkeypatch.setenv("ALL_PROXY", f"socks5h://me:a%3Ab@127.0.0.1:{proxy.port}")
    assert [http.send(Request("GET", URL)).content(10) for _ in range(2)] == [b"one", b"two"]
    assert asked == [(HOST, 443)]
    assert server.requests[0].target == "/v2/"


@pytest.mark.parametrize("login", ["", "me:wrong@"])
def test_a_socks_proxy_that_refuses(serve, http, relay, login: str, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = relay(socks5(to(serve(), []), b"me:right"))
    monkeypatch.setenv("HTTPS_PROXY", f"socks5h://{login}127.0.0.1:{proxy.port}")
    with pytest.raises(ProxyError, match=f"The proxy refused the connection .socks5h://127.0.0.1:{proxy.port}"):
        http.send(Request("GET", URL))


def test_over_tls(serve, http, authority, trusted, relay, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(
        RawResponse(ESTABLISHED, "tls", tls=authority.context(HOST)),
        respond(200, b"one"),
        respond(200, b"two" * 30_000),
    )
    proxy = relay(over_tls(authority.context("127.0.0.1"), server.port))
    monkeypatch.setenv("HTTPS_PROXY", f"https://me:secret@127.0.0.1:{proxy.port}")
    assert http.send(Request("GET", URL)).content(10) == b"one"
    assert http.send(Request("GET", URL, body=b"x" * 100_000)).content(100_000) == b"two" * 30_000
    tunnel, first, second = server.requests
    assert (tunnel.method, tunnel.target) == ("CONNECT", f"{HOST}:443")
    assert (first.target, len(second.body), second.connection) == ("/v2/", 100_000, first.connection)
    assert "proxy-authorization" in tunnel.headers
    assert "proxy-authorization" not in first.headers


def test_the_certificate_of_the_proxy_is_verified(serve, http, authority, trusted, relay, monkeypatch) -> None:
    server = serve()
    proxy = relay(over_tls(authority.context("other.example"), server.port))
    monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{proxy.port}")
    with pytest.raises(Exception, match="certificate is not trusted"):
        http.send(Request("GET", URL))
    assert server.requests == []


def test_a_tunnel_to_an_ipv6_address(serve, http, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(respond(403))
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    with pytest.raises(ProxyError):
        http.send(Request("GET", "https://[2001:db8::1]:5000/v2/"))
    assert server.requests[0].target == "[2001:db8::1]:5000"


@pytest.mark.parametrize("response", [b"HTTP/1.1 403 Forbidden\r\n\r\n", b"no HTTP\r\n"])
def test_a_proxy_that_refuses_is_hung_up_on(loopback, response: bytes) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server, ThreadPoolExecutor(1) as other_side:

        def rest() -> bytes:
            with closing(server.accept()[0]) as connection:
                connection.settimeout(10)
                connection.recv(65536)
                connection.sendall(response)
                return connection.recv(65536)

        after = other_side.submit(rest)
        proxy = Proxy("127.0.0.1", server.getsockname()[1])
        # The error keeps alive, and so open, what its attempt did not close.
        with pytest.raises((OSError, HTTPException)) as caught:
            connect_through(proxy, ("https", HOST, 443), ssl.create_default_context(), 10)
        assert after.result(20) == b""
        assert caught.value.__traceback__
