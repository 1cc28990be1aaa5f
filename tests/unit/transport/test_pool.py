"""Which connections are used again."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from typing import ClassVar

import pytest

from azext_acrartifact.errors import ConnectionFailedError, UnresolvedHostError
from azext_acrartifact.known_secrets import KNOWN
from azext_acrartifact.transport.addresses import HostAddresses
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.connection import has_input
from azext_acrartifact.transport.messages import FORM, Request
from azext_acrartifact.transport.network import Network, Proxy
from azext_acrartifact.transport.pool import Pool
from tests.support.server import RawResponse, respond
from tests.support.threads import run_all
from tests.unit.transport.doubles import get

CHUNKED = b"HTTP/1.1 307 Reason\r\nLocation: /next\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        respond(200, b"hello"),
        RawResponse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;ext=1\r\nllo\r\n0\r\n\r\n"),
        RawResponse(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + respond(200, b"hello").raw
        ),
        RawResponse(b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello"),
    ],
    ids=["sized", "chunked", "interim", "keep-alive"],
)
def test_a_connection_is_reused_for_the_next_request(serve, http, raw: RawResponse) -> None:
    server = serve(raw, raw, raw)
    assert [get(http, server), get(http, server), get(http, server)] == [b"hello"] * 3
    assert server.connections == 1


@pytest.mark.parametrize("method", ["HEAD", "GET", "DELETE", "PUT"])
def test_a_connection_is_reused_after_a_response_without_a_body(serve, http, method: str) -> None:
    empty = (
        RawResponse(b"HTTP/1.1 204 No Content\r\n\r\n")
        if method != "HEAD"
        else RawResponse(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n")
    )
    server = serve(empty, empty, respond(200, b"hello"))
    for _ in range(2):
        with http.send(Request(method, server.url + "/")):
            pass
    assert get(http, server) == b"hello"
    assert server.connections == 1


@pytest.mark.parametrize(
    "raw",
    [
        RawResponse(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"),
        RawResponse(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        RawResponse(b"HTTP/1.1 200 OK\r\n\r\nhello", "close"),
    ],
    ids=["close", "http-1.0", "until-close"],
)
def test_a_connection_that_ends_is_not_used_again(serve, http, raw: RawResponse) -> None:
    server = serve(raw, respond(200, b"again"))
    assert get(http, server) == b"hello"
    assert not any(http._pool._idle.values())
    assert get(http, server) == b"again"
    assert server.connections == 2


@pytest.mark.parametrize(
    "body",
    [
        [b"Content-Length: 600\r\n\r\n" + b"x" * 600],
        [b"Content-Length: 600\r\n\r\n", b"x" * 300, b"x" * 300],
        [b"Content-Length: 16384\r\n\r\n" + b"x" * 16384],
        [b"Transfer-Encoding: chunked\r\n\r\n258\r\n" + b"x" * 600 + b"\r\n0\r\n\r\n"],
    ],
    ids=["with the headers", "after the headers", "longest", "chunked"],
)
@pytest.mark.parametrize("status", [200, 307, 404, 503])
def test_a_short_body_that_is_not_read_leaves_the_connection_usable(serve, http, status: int, body) -> None:
    start = f"HTTP/1.1 {status} Reason\r\nLocation: /next\r\n".encode()
    server = serve(RawResponse(lambda: [start + body[0], *body[1:]]), respond(200, b"next"))
    http.send(Request("PATCH", server.url + "/"), follow=False).close()
    assert get(http, server) == b"next"
    assert server.connections == 1


@pytest.mark.parametrize(
    "raw",
    [
        respond(307, b"x" * 16385, Location="/next"),
        RawResponse(b"HTTP/1.1 307 R\r\nLocation: /next\r\n\r\nuntil the end", "close"),
        RawResponse(b"HTTP/1.1 307 R\r\nLocation: /next\r\nContent-Length: 10\r\n\r\nshort", "hang"),
        RawResponse(CHUNKED + b"no size\r\n", "hang"),
        RawResponse(lambda: itertools.chain([CHUNKED], itertools.repeat(b"1\r\nx\r\n" * 100))),
        RawResponse(lambda: itertools.chain([CHUNKED, b"1"], itertools.repeat(b";" * 100))),
        RawResponse(lambda: itertools.chain([CHUNKED], itertools.repeat(b"1\r\nx\r\n")), pause=0.01),
    ],
    ids=["long", "unlimited", "never sent", "malformed", "endless", "endless extension", "slow"],
)
def test_a_body_that_is_long_or_late_is_not_waited_for(serve, http, raw: RawResponse) -> None:
    server = serve(raw, respond(200, b"next"), respond(200, b"last"))
    began = time.monotonic()
    assert get(http, server) == b"next"
    assert time.monotonic() - began < 2
    assert get(http, server) == b"last"
    assert server.connections == 2


def test_the_connection_of_a_long_body_that_is_discarded_is_closed(serve, http) -> None:
    server = serve(respond(200, b"x" * 1_000_000), respond(200, b"next"))
    http.send(Request("GET", server.url + "/")).close()
    assert get(http, server) == b"next"
    assert server.connections == 2


def test_the_environment_is_read_once_for_each_origin(serve) -> None:
    """Looking for proxies reads every variable, which for each redirect costs as much as the request."""

    class Counting(Network):
        asked: ClassVar[list[str]] = []

        def proxy_for(self, url: str) -> Proxy | None:
            self.asked.append(url)
            return super().proxy_for(url)

    looked: list[tuple[object, ...]] = []

    def look_up(*wanted, **options):
        looked.append(wanted)
        return socket.getaddrinfo(*wanted, **options)

    storage = serve(lambda _: respond(200, b"blob"), forever=True)
    server = serve(lambda _: respond(307, b"moved", Location=storage.url + "/blob"), forever=True)
    network = Counting("unit/1", addresses=HostAddresses(look_up))
    http = HttpClient(network)
    assert [get(http, server) for _ in range(5)] == [b"blob"] * 5
    http.close()
    assert network.asked == [server.url + "/", storage.url + "/blob"]
    assert looked == [("127.0.0.1", server.port), ("127.0.0.1", storage.port)]
    assert (server.connections, storage.connections) == (1, 1)


@pytest.mark.parametrize(("method", "repeated"), [("GET", True), ("PUT", True), ("POST", False), ("PATCH", False)])
@pytest.mark.parametrize("end", ["close", "reset"])
def test_only_a_safe_request_is_repeated_if_an_idle_connection_has_failed(
    serve, once, method: str, repeated: bool, end: str
) -> None:
    server = serve(respond(200, b"one"), RawResponse(b"", end), respond(200, b"two"))
    assert get(once, server) == b"one"
    request = Request(method, server.url + "/", body=b"body" if method != "GET" else None)
    if repeated:
        assert once.send(request).content(10) == b"two"
        assert len(server.requests) == 3
    else:
        with pytest.raises(ConnectionFailedError):
            once.send(request)
        assert len(server.requests) == 2


@pytest.mark.parametrize(("end", "tls"), [("close", False), ("close", True), ("reset", False)])
def test_an_idle_connection_that_the_server_closed_is_not_used(
    serve, once, authority, trusted, end: str, tls: bool
) -> None:
    context = authority.context("127.0.0.1") if tls else None
    server = serve(RawResponse(respond(200, b"one").raw, end), respond(200, b"two"), tls=context)
    assert get(once, server) == b"one"
    (idle_one,) = [connection for idle in once._pool._idle.values() for connection in idle]
    limit = time.monotonic() + 10
    while not idle_one.is_stale and time.monotonic() < limit:
        time.sleep(0.01)
    assert once.send(Request("PATCH", server.url + "/", body=b"x")).content(10) == b"two"
    assert len(server.requests) == 2


@pytest.mark.usefixtures("loopback")
def test_a_host_is_looked_up_unless_a_proxy_is_to_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(Network("unit/1"))
    assert set(pool.addresses_of("https://localhost/")) <= {"127.0.0.1", "::1"}
    assert list(pool.addresses_of("https://127.1/")) == ["127.0.0.1"]
    with pytest.raises(UnresolvedHostError):
        pool.addresses_of("https://no-such-host.invalid/")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert list(Pool(Network("unit/1")).addresses_of("https://127.0.0.2/")) == []
    monkeypatch.setenv("NO_PROXY", "127.0.0.2")
    assert list(Pool(Network("unit/1")).addresses_of("https://127.0.0.2/")) == ["127.0.0.2"]


def test_what_is_sent_is_registered_as_a_secret(serve, http) -> None:
    server = serve(respond(200), respond(200), respond(200))
    get(http, server, "/blob?sv=1&sig=abc%2Bdef%3D&se=2", authorization="Bearer of-one-user")
    form = {"Content-Type": FORM}
    http.send(Request("POST", server.url + "/token", form, b"username=me&password=p%26ssword")).close()
    assert KNOWN.hide("of-one-user, sig=abc+def=, abc%2Bdef%3D and p&ssword of me") == "…, sig=…, … and … of me"


def test_threads_have_connections_of_their_own(serve, http) -> None:
    barrier = threading.Barrier(4, timeout=60)

    def meet(sent) -> RawResponse:
        barrier.wait()
        return respond(200, sent.path.encode())

    server = serve(meet, forever=True)
    found: list[bytes] = []
    run_all(lambda n=n: found.append(get(http, server, f"/{n}")) for n in range(4))
    assert sorted(found) == [b"/0", b"/1", b"/2", b"/3"]
    assert server.connections == 4


def test_a_connection_that_was_opened_beforehand_is_used(serve, http, authority, trusted) -> None:
    """Session tickets, which a TLS 1.3 server sends after the handshake, do not make it stale."""
    server = serve(respond(200, b"one"), tls=authority.context("127.0.0.1"))
    http.connect(server.url)
    (idle,) = (connection for opened in http._pool._idle.values() for connection in opened)
    limit = time.monotonic() + 10
    while not has_input(idle._socket) and time.monotonic() < limit:
        time.sleep(0.01)
    assert get(http, server) == b"one"
    assert server.connections == 1
