"""One connection on a socket that does as it is told: what is sent in which pieces, and how long is waited for what."""

from __future__ import annotations

import contextlib
import http.client
import io
import select
import socket
import ssl
import tracemalloc
import types
from collections.abc import Iterable, Iterator

import pytest

from azext_acrartifact.transport import connection
from azext_acrartifact.transport.connection import (
    JOINED_BODY,
    READ_TIMEOUT,
    SEND_TIMEOUT,
    STALL_BYTES,
    STALL_WINDOW,
    Connection,
    StalledError,
    TimedReader,
)
from azext_acrartifact.transport.messages import BLOCK, Body, Request
from azext_acrartifact.transport.network import Network, Proxy
from tests.support.server import answer

URL = "http://registry.test:5000/v2/"
LATE = 7.0


class Told(socket.socket):
    """A socket without a network: gives *answers*, or raises them, and notes what is sent and every timeout."""

    def __init__(self, *answers: bytes | OSError, broken: OSError | None = None) -> None:
        super().__init__()
        self._answers = list(answers)
        self._broken = broken
        self.sent: list[bytes] = []
        self.timeouts: list[float | None] = []

    def sendall(self, data: bytes | memoryview, _flags: int = 0) -> None:  # type: ignore[override]
        if self._broken:
            raise self._broken
        self.sent.append(bytes(data))

    def settimeout(self, value: float | None) -> None:
        self.timeouts.append(value)

    def gettimeout(self) -> float | None:
        return self.timeouts[-1] if self.timeouts else None

    def recv_into(self, buffer: memoryview, _size: int = 0, _flags: int = 0) -> int:  # type: ignore[override]
        found = self._answers.pop(0) if self._answers else b""
        if isinstance(found, OSError):
            raise found
        buffer[: len(found)] = found
        return len(found)


def exchange(
    sock: Told, method: str = "PUT", body: bytes | Body | None = None, patience: float = 1.0
) -> http.client.HTTPResponse:
    """The answer to one request over *sock*."""
    with contextlib.closing(sock):
        request = Request(method, URL, body=body, answer_timeout=LATE)
        return Connection(sock, None).exchange(request, Network("unit/1", patience=patience))


@pytest.mark.parametrize("patience", [1.0, 3.0])
def test_each_part_of_an_exchange_has_its_own_patience(patience: float) -> None:
    sock = Told(answer(201).raw)
    assert exchange(sock, body=b"x" * (JOINED_BODY + 1), patience=patience).status == 201
    assert sock.timeouts == [seconds * patience for seconds in (SEND_TIMEOUT, LATE, READ_TIMEOUT)]


def test_what_leaves_at_once_has_the_patience_of_its_answer() -> None:
    sock = Told(answer(201).raw)
    assert exchange(sock, body=b"x" * JOINED_BODY).status == 201
    assert sock.timeouts == [LATE, READ_TIMEOUT]


def test_a_patience_that_is_the_same_is_not_said_again() -> None:
    sock = Told(answer(200).raw, answer(200).raw)
    with contextlib.closing(sock):
        connection = Connection(sock, None)
        for _ in range(2):
            connection.exchange(Request("GET", URL), Network("unit/1")).read()
    assert sock.timeouts == [READ_TIMEOUT]


BROKEN = (BrokenPipeError(32, "broken pipe"), ConnectionResetError(104, "reset"), ssl.SSLEOFError(8, "eof"))


@pytest.mark.parametrize("broken", BROKEN, ids=lambda error: type(error).__name__)
def test_an_answer_that_came_before_all_was_sent_is_read(broken: OSError) -> None:
    sock = Told(answer(413).raw, broken=broken)
    response = exchange(sock, body=b"x", patience=2.0)
    assert (response.status, response.will_close) == (413, True)
    assert sock.timeouts == [LATE * 2, READ_TIMEOUT * 2]


@pytest.mark.parametrize(
    "found", [ConnectionResetError(104, "reset again"), TimeoutError("silent"), b"no HTTP\r\n", b""]
)
@pytest.mark.parametrize("broken", BROKEN, ids=lambda error: type(error).__name__)
def test_without_such_an_answer_it_is_the_send_that_failed(found: bytes | OSError, broken: OSError) -> None:
    with pytest.raises(type(broken)) as raised:
        exchange(Told(found, broken=broken), body=b"x")
    assert raised.value is broken


def test_another_failure_to_send_comes_through_as_it_is() -> None:
    with pytest.raises(TimeoutError):
        exchange(Told(answer(200).raw, broken=TimeoutError("slow")), body=b"x")


@pytest.mark.parametrize(
    ("size", "pieces"), [(0, [0]), (1, [1]), (JOINED_BODY, [JOINED_BODY]), (JOINED_BODY + 1, [0, JOINED_BODY + 1])]
)
def test_a_small_body_goes_out_with_its_head(size: int, pieces: list[int]) -> None:
    sock = Told(answer(201).raw)
    exchange(sock, body=b"x" * size)
    head = len(sock.sent[0].partition(b"\r\n\r\n")[0]) + 4
    assert [len(sock.sent[0]) - head, *map(len, sock.sent[1:])] == pieces


class Pieces(io.RawIOBase):
    """A reader of *content*, which notes how much it is asked for."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)
        self.asked: list[int] = []

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self.asked.append(len(buffer))
        return self._content.readinto(buffer)


class Content:
    """A body of *size* bytes, whose reader has *content*."""

    def __init__(self, content: bytes, size: int) -> None:
        self.size = size
        self.reader = Pieces(content)

    def open(self) -> Pieces:
        return self.reader


def test_of_a_body_that_is_longer_than_it_said_only_that_much_is_sent() -> None:
    sock = Told(answer(201).raw)
    exchange(sock, body=Content(b"0123456789", 4))
    assert b"".join(sock.sent[1:]) == b"0123"


def test_a_long_body_is_read_in_blocks() -> None:
    sock, body = Told(answer(201).raw), Content(bytes(2 * BLOCK + 5), 2 * BLOCK + 5)
    exchange(sock, body=body)
    assert body.reader.asked == [BLOCK, BLOCK, 5]
    assert list(map(len, sock.sent[1:])) == [BLOCK, BLOCK, 5]
    assert body.reader.closed


def test_a_short_body_takes_little_memory() -> None:
    tracemalloc.start()
    exchange(Told(answer(201).raw), body=Content(b"0123456789", 10))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < BLOCK // 2


@pytest.mark.parametrize("proxy", [None, Proxy("proxy.test", 3128), Proxy("proxy.test", 3128, "Basic x")])
def test_a_proxy_is_told_the_whole_address_and_its_own_credential(proxy: Proxy | None) -> None:
    with contextlib.closing(Told(answer(200).raw)) as sock:
        Connection(sock, proxy).exchange(Request("GET", URL, authorization="Bearer t"), Network("unit/1"))
    line, *fields = sock.sent[0].decode().split("\r\n")
    assert line == f"GET {URL if proxy else '/v2/'} HTTP/1.1"
    own = [field for field in fields if field.startswith("Proxy-")]
    assert own == (["Proxy-Authorization: Basic x"] if proxy and proxy.authorization else [])
    assert "Authorization: Bearer t" in fields


@pytest.mark.usefixtures("loopback")
def test_small_packets_are_not_held_back() -> None:
    """`http.client` sees to it: https://github.com/python/cpython/blob/3.10/Lib/http/client.py, `connect`."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        opened = Connection.open(("http", *server.getsockname()), Network("unit/1"), None)
        assert opened._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert opened._socket.gettimeout() == connection.CONNECT_TIMEOUT
        opened.close()


@pytest.fixture(params=["poll", "select"])
def pair(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Connection, socket.socket]]:
    """A connection and its other end, where the system has poll and where, as Windows, it has none."""
    if request.param == "select":
        monkeypatch.delattr(select, "poll")
    here, there = socket.socketpair()
    with contextlib.closing(here), contextlib.closing(there):
        yield Connection(here, None), there


def test_an_idle_connection_is_fresh_until_something_comes(pair: tuple[Connection, socket.socket]) -> None:
    kept, server = pair
    assert not kept.is_stale
    server.send(b"nobody asked")
    assert kept.is_stale


def test_an_idle_connection_that_ends_is_stale(pair: tuple[Connection, socket.socket]) -> None:
    kept, server = pair
    server.close()
    assert kept.is_stale
    kept.close()
    assert kept.is_stale, "a closed one too"


def test_a_connection_that_the_system_says_nothing_about_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(9, "bad file descriptor")

    monkeypatch.delattr(select, "poll")
    monkeypatch.setattr(select, "select", fails)
    with contextlib.closing(Told()) as sock:
        assert Connection(sock, None).is_stale


def test_an_abort_wakes_who_waits_and_may_come_late() -> None:
    here, there = socket.socketpair()
    with contextlib.closing(there):
        there.settimeout(60)
        aborted = Connection(here, None)
        aborted.abort()
        assert (here.recv(1), there.recv(1)) == (b"", b"")
        aborted.close()
        aborted.abort()


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\n", "\n", "\u0100", "\x00", "\x7f"])
def test_a_value_that_is_more_than_one_field_is_not_sent(value: str) -> None:
    sock = Told(answer(200).raw)
    with contextlib.closing(sock), pytest.raises(http.client.HTTPException, match="the value of X-Name cannot be sent"):
        Connection(sock, None).exchange(Request("GET", URL, headers={"X-Name": value}), Network("unit/1"))
    assert sock.sent == []


def reading(monkeypatch: pytest.MonkeyPatch, packets: Iterable[tuple[float, int]], patience: float = 1.0) -> list[int]:
    """Read *packets*, each of which takes some seconds to come and has some bytes; how many came of each."""
    now = 0.0
    arriving = iter(packets)

    class Slow(Told):
        def recv_into(self, _buffer: memoryview, _size: int = 0, _flags: int = 0) -> int:  # type: ignore[override]
            nonlocal now
            seconds, count = next(arriving, (0.0, 0))
            now += seconds
            return count

    monkeypatch.setattr(connection, "time", types.SimpleNamespace(monotonic=lambda: now))
    found = []
    with contextlib.closing(Slow()) as sock:
        reader = TimedReader(sock, patience)
        while count := reader.readinto(memoryview(b"")):
            found.append(count)
    return found


FIRST = (1000.0, 1)
"""The first byte may take as long as the socket's own timeout allows."""


@pytest.mark.parametrize("patience", [1.0, 2.0])
def test_a_window_of_waiting_must_bring_its_bytes(monkeypatch: pytest.MonkeyPatch, patience: float) -> None:
    window, least = STALL_WINDOW * patience, int(STALL_BYTES * patience)
    enough = [FIRST, *[(window / 2, 1), (window / 2, least - 1)] * 3]
    assert reading(monkeypatch, enough, patience) == [count for _, count in enough]
    with pytest.raises(StalledError, match=f"only {least - 1} bytes in {window:.0f} s"):
        reading(monkeypatch, [FIRST, (window / 2, 1), (window / 2, least - 2)], patience)
    before = [FIRST, (window / 2, 1), (window / 2 - 1, 1)]
    assert reading(monkeypatch, before, patience) == [1, 1, 1], "the window is not over"
