"""One connection: what is sent in which blocks, with which timeouts, and what is read of early responses."""

from __future__ import annotations

import contextlib
import http.client
import io
import select
import socket
import ssl
import tracemalloc
from collections.abc import Callable

import pytest

from azext_acrartifact.errors import ConnectionFailedError
from azext_acrartifact.oci.content import Chunk, Memory
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.connection import CONNECT_TIMEOUT, SEND_BLOCK, Connection, has_input
from azext_acrartifact.transport.messages import BLOCK, Body, Request
from azext_acrartifact.transport.network import Network, Proxy
from tests.support.server import RawResponse, respond
from tests.unit.transport.doubles import FakeSocket, get

URL = "http://registry.test:5000/v2/"
LARGE = Chunk(Memory(bytes(60_000_000)), 0, 60_000_000)


def exchange(
    sock: FakeSocket, method: str = "PUT", body: bytes | Body | None = None, stall_timeout: float = 30.0
) -> http.client.HTTPResponse:
    """Return the response to one request over *sock*, for which the server may work 7 s."""
    with contextlib.closing(sock):
        request = Request(method, URL, body=body, work_time=7.0)
        return Connection(sock, None).exchange(request, Network("unit/1", stall_timeout=stall_timeout))


@pytest.mark.parametrize("stall", [1.0, 30.0, 90.0])
def test_the_time_that_the_server_works_is_added_to_the_timeout(stall: float) -> None:
    sock = FakeSocket(respond(201).raw)
    assert exchange(sock, body=b"x", stall_timeout=stall).status == 201
    assert sock.timeouts == [stall, stall + 7.0, stall]


def test_a_timeout_that_does_not_change_is_not_set_again() -> None:
    sock = FakeSocket(respond(200).raw, respond(200).raw)
    with contextlib.closing(sock):
        connection = Connection(sock, None)
        for _ in range(2):
            connection.exchange(Request("GET", URL), Network("unit/1")).read()
    assert sock.timeouts == [30.0]


BROKEN = (BrokenPipeError(32, "broken pipe"), ConnectionResetError(104, "reset"), ssl.SSLEOFError(8, "eof"))


@pytest.mark.parametrize("broken", BROKEN, ids=lambda error: type(error).__name__)
def test_a_response_that_came_before_all_was_sent_is_read(broken: OSError) -> None:
    sock = FakeSocket(respond(413).raw, broken=broken)
    response = exchange(sock, body=b"x", stall_timeout=2.0)
    assert (response.status, response.will_close) == (413, True)
    assert sock.timeouts == [2.0]


@pytest.mark.parametrize(
    "found", [ConnectionResetError(104, "reset again"), TimeoutError("silent"), b"no HTTP\r\n", b""]
)
@pytest.mark.parametrize("broken", BROKEN, ids=lambda error: type(error).__name__)
def test_without_such_a_response_the_send_has_failed(found: bytes | OSError, broken: OSError) -> None:
    with pytest.raises(type(broken)) as raised:
        exchange(FakeSocket(found, broken=broken), body=b"x")
    assert raised.value is broken


def test_another_failure_to_send_is_raised() -> None:
    with pytest.raises(TimeoutError):
        exchange(FakeSocket(respond(200).raw, broken=TimeoutError("slow")), body=b"x")


@pytest.mark.parametrize("size", [0, 1, SEND_BLOCK // 2, SEND_BLOCK, 2 * SEND_BLOCK + 1])
def test_a_small_body_is_sent_with_its_headers(size: int) -> None:
    sock = FakeSocket(respond(201).raw)
    exchange(sock, body=b"x" * size)
    headers, _, body = b"".join(sock.sent).partition(b"\r\n\r\n")
    assert len(body) == size
    assert (len(sock.sent) == 1) is (len(headers) + 4 + size <= SEND_BLOCK)
    assert max(map(len, sock.sent)) <= SEND_BLOCK


class RecordingReader(io.RawIOBase):
    """A reader of *content*, which records the sizes of its reads."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)
        self.sizes: list[int] = []

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self.sizes.append(len(buffer))
        return self._content.readinto(buffer)


class Content:
    """A body of *size* bytes, whose reader has *content*."""

    def __init__(self, content: bytes, size: int) -> None:
        self.size = size
        self.reader = RecordingReader(content)

    def open(self) -> RecordingReader:
        return self.reader


def test_no_more_of_a_body_is_sent_than_its_size() -> None:
    sock = FakeSocket(respond(201).raw)
    exchange(sock, body=Content(b"0123456789", 4))
    assert b"".join(sock.sent[1:]) == b"0123"


def test_a_long_body_is_read_in_blocks() -> None:
    sock, body = FakeSocket(respond(201).raw), Content(bytes(2 * BLOCK + 5), 2 * BLOCK + 5)
    exchange(sock, body=body)
    assert body.reader.sizes == [BLOCK, BLOCK, 5]
    assert b"".join(sock.sent[1:]) == bytes(body.size)
    assert body.reader.closed


def test_a_short_body_takes_little_memory() -> None:
    tracemalloc.start()
    exchange(FakeSocket(respond(201).raw), body=Content(b"0123456789", 10))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < BLOCK // 2


@pytest.mark.parametrize("proxy", [None, Proxy("proxy.test", 3128), Proxy("proxy.test", 3128, ("a", "b"))])
def test_a_proxy_gets_the_whole_url_and_its_own_credential(proxy: Proxy | None) -> None:
    with contextlib.closing(FakeSocket(respond(200).raw)) as sock:
        Connection(sock, proxy).exchange(Request("GET", URL, authorization="Bearer t"), Network("unit/1"))
    line, *headers = sock.sent[0].decode().split("\r\n")
    assert line == f"GET {URL if proxy else '/v2/'} HTTP/1.1"
    own = [header for header in headers if header.startswith("Proxy-")]
    assert own == (["Proxy-Authorization: Basic YTpi"] if proxy and proxy.authorization else [])
    assert "Authorization: Bearer t" in headers


@pytest.mark.usefixtures("loopback")
def test_small_packets_are_sent_at_once() -> None:
    """`http.client` sets it: https://github.com/python/cpython/blob/3.10/Lib/http/client.py, `connect`."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        opened = Connection.open(("http", *server.getsockname()), Network("unit/1"), None)
        assert opened._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert opened._socket.gettimeout() == CONNECT_TIMEOUT
        opened.close()


@pytest.mark.usefixtures("loopback")
def test_an_abort_wakes_a_waiting_thread_and_may_come_late() -> None:
    ours, theirs = socket.socketpair()
    with contextlib.closing(theirs):
        theirs.settimeout(60)
        aborted = Connection(ours, None)
        aborted.abort()
        with contextlib.suppress(ConnectionError):  # on Windows
            assert ours.recv(1) == b""
        assert theirs.recv(1) == b""
        aborted.close()
        aborted.abort()


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\n", "\n", "\u0100", "\x00", "\x7f"])
def test_a_value_that_is_more_than_one_header_is_not_sent(value: str) -> None:
    sock = FakeSocket(respond(200).raw)
    with contextlib.closing(sock), pytest.raises(http.client.HTTPException, match="the value of X-Name cannot be sent"):
        Connection(sock, None).exchange(Request("GET", URL, headers={"X-Name": value}), Network("unit/1"))
    assert sock.sent == []


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize("poll", [getattr(select, "poll", None), None], ids=["poll", "select"])
def test_an_idle_connection_is_stale_once_it_has_input(poll: Callable[[], object] | None) -> None:
    ours, theirs = socket.socketpair()
    with contextlib.closing(theirs):
        assert not has_input(ours, poll)
        assert not Connection(ours, None).is_stale
        theirs.send(b"unasked")
        assert has_input(ours, poll)
        assert Connection(ours, None).is_stale
        ours.recv(100)
    assert has_input(ours, poll), "the end"
    socket.close(ours.detach())
    assert has_input(ours, poll), "a closed one too"


@pytest.mark.parametrize("poll", [getattr(select, "poll", None), None], ids=["poll", "select"])
def test_a_connection_that_the_system_does_not_know_has_input(poll: Callable[[], object] | None) -> None:
    with contextlib.closing(FakeSocket()) as sock:
        socket.close(sock.fileno())
        assert has_input(sock, poll)
        sock.detach()


def test_the_headers_of_a_request(serve, http) -> None:
    server = serve(respond(200, b"hello"))
    http = HttpClient(Network("unit/1", headers={"X-Client": "us"}))
    assert (
        get(http, server, "/a%20b?n=1&last=x", headers={"Accept": "text/plain"}, authorization="Bearer t") == b"hello"
    )
    (sent,) = server.requests
    assert (sent.method, sent.target, sent.body) == ("GET", "/a%20b?n=1&last=x", b"")
    assert sent.headers == {
        "host": server.server, "user-agent": "unit/1", "accept-encoding": "identity", "x-client": "us",
        "accept": "text/plain", "authorization": "Bearer t",
    }  # fmt: skip
    http.close()


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("POST", None, "0"), ("PUT", b"", "0"), ("PATCH", b"abc", "3"), ("PUT", b"x" * 200_000, "200000"),
        ("GET", None, None), ("HEAD", None, None), ("DELETE", None, None), ("DELETE", b"abc", "3"),
        ("PATCH", Chunk(Memory(b"0123456789"), 2, 5), "5"), ("PUT", Chunk(Memory(b""), 0, 0), "0"),
    ],
)  # fmt: skip
def test_a_body_has_its_length(serve, http, method: str, body, length: str | None) -> None:
    server = serve(respond(201))
    http.send(Request(method, server.url + "/", body=body)).close()
    (sent,) = server.requests
    assert sent.headers.get("content-length") == length
    assert len(sent.body) == int(length or 0)
    assert "transfer-encoding" not in sent.headers


def test_a_range_of_some_content_is_sent(serve, http) -> None:
    data = bytes(range(256)) * 20_000
    server = serve(respond(202))
    http.send(Request("PATCH", server.url + "/", body=Chunk(Memory(data), 17, 3_000_000))).close()
    assert server.requests[0].body == data[17:3_000_017]


def test_a_body_that_ends_early_fails(serve, once) -> None:
    class Short:
        size = 10

        def open(self) -> io.BytesIO:
            return io.BytesIO(b"12345")

    server = serve(respond(201))
    with pytest.raises(ConnectionFailedError, match="ended early"):
        once.send(Request("PATCH", server.url + "/", body=Short()))


@pytest.mark.parametrize("status", [401, 413, 429])
@pytest.mark.parametrize("encrypted", [False, True])
def test_an_early_response_is_read_and_ends_the_connection(serve, authority, status: int, encrypted: bool) -> None:
    refusal = RawResponse(respond(status, b"not this").raw, "close", body_read=1000)
    server = serve(refusal, respond(200, b"next"), tls=authority.context("127.0.0.1") if encrypted else None)
    with contextlib.closing(HttpClient(Network("unit/1", verify=False))) as http:
        with http.send(Request("PATCH", server.url + "/", body=LARGE)) as response:
            assert (response.status, response.content(100)) == (status, b"not this")
        # A PATCH is not repeated, so it must not meet the dead connection.
        assert http.send(Request("PATCH", server.url + "/", body=b"x")).content(10) == b"next"


def test_a_reset_without_a_response_is_a_failed_connection(serve, once) -> None:
    server = serve(RawResponse(b"", "reset", body_read=1000))
    with pytest.raises(ConnectionFailedError, match="reset"):
        once.send(Request("PATCH", server.url + "/", body=LARGE))


def test_an_aborted_connection_stays_encrypted(serve, authority) -> None:
    server = serve(respond(200), tls=authority.context("127.0.0.1"))
    host, port = server.server.split(":")
    with contextlib.closing(
        Connection.open(("https", host, int(port)), Network("unit/1", verify=False), None)
    ) as connection:
        connection.abort()
        with pytest.raises(OSError):
            connection._socket.send(b"in clear")
