"""How long a server may be silent, measured and with a clock of its own."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterable, Iterator

import pytest

from azext_acrartifact.auth.distribution import ChallengeAuthorizer
from azext_acrartifact.errors import StalledError
from azext_acrartifact.oci.content import Chunk, Memory
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.manifest import Manifest
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.connection import LEAST_RATE, Connection, NoProgressError, TimedReader
from azext_acrartifact.transport.messages import Request
from azext_acrartifact.transport.network import Network
from azext_acrartifact.transport.retry import Policy
from tests.support.server import RawResponse, respond
from tests.unit.transport.doubles import FakeSocket, drain, get

STALL = 0.4
MARGIN = 2.0
"""Seconds that a busy machine may take in addition."""
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\n"
MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
LARGE = Chunk(Memory(bytes(60_000_000)), 0, 60_000_000)
"""A body that no buffers of the system can hold."""


@pytest.fixture
def impatient() -> Iterator[HttpClient]:
    """Yield a client with a short timeout that tries once."""
    client = HttpClient(Network("unit/1", verify=False, stall_timeout=STALL), policy=Policy(tries=1))
    yield client
    client.close()


def slowly(headers: bytes, body: bytes, size: int, pause: float) -> RawResponse:
    """Return a response whose *body* comes in blocks of *size* bytes."""
    blocks = [body[at : at + size] for at in range(0, len(body), size)]
    return RawResponse(lambda: itertools.chain([headers], blocks), pause=pause)


@contextlib.contextmanager
def stalls(words: str, longest: float = STALL) -> Iterator[None]:
    """Expect a stall after `STALL` to *longest* seconds."""
    began = time.monotonic()
    with pytest.raises(StalledError, match=words):
        yield
    assert STALL <= time.monotonic() - began <= longest + MARGIN


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"HTTP/1.1", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 100 Continue\r\n\r\n",
        HEADERS, HEADERS + b"hello", CHUNKED, CHUNKED + b"hello", UNTIL_CLOSE + b"hello",
    ],
)  # fmt: skip
def test_a_silent_server_is_given_up_after_the_timeout(serve, impatient, raw: bytes) -> None:
    server = serve(RawResponse(raw, "hang"))
    with stalls(f"The connection stalled .*: the server sent nothing for {STALL} s"):
        get(impatient, server)


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_server_that_reads_nothing_is_given_up_after_the_timeout(
    serve, impatient, authority, encrypted: bool
) -> None:
    tls = authority.context("127.0.0.1") if encrypted else None
    server = serve(RawResponse(b"", "hang", body_read=0), tls=tls)
    with stalls(f"the server read nothing for {STALL} s"):
        impatient.send(Request("PATCH", server.url + "/", body=LARGE, work_time=60))


def test_a_manifest_is_given_up_after_the_timeout(serve, impatient) -> None:
    server = serve(RawResponse(b"", "hang"))
    registry = Registry(server.server, server.url, impatient, ChallengeAuthorizer(server.url, impatient, None))
    with stalls("sent nothing"):
        registry.manifests.put("a", Manifest(MEDIA_TYPE, b"{}", digest_of(b"{}")), "1")


@pytest.mark.parametrize("headers", [HEADERS, CHUNKED, UNTIL_CLOSE, b"HTTP/1.1 200 OK\r\nX: "])
@pytest.mark.parametrize("buffer_size", [1, 1_000_000])
def test_a_response_that_trickles_is_given_up(serve, impatient, headers: bytes, buffer_size: int) -> None:
    """Since every byte resets the timeout of a socket, that alone would wait for ever."""
    server = serve(slowly(headers, b"x" * 5000, 1, 0.02))
    with stalls("only [0-9]+ bytes in", 2 * STALL):
        drain(impatient.send(Request("GET", server.url + "/")), buffer_size)


@pytest.mark.parametrize("headers", [HEADERS, CHUNKED, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: "])
def test_a_response_above_the_least_rate_is_read(serve, impatient, headers: bytes) -> None:
    end = b"\r\n0\r\n\r\n" if headers == CHUNKED else b"\r\n\r\n"
    server = serve(slowly(headers, b"x" * 5000 + end, 200, STALL / 8))
    assert get(impatient, server) == (b"" if b"X: " in headers else b"x" * 5000)


def test_a_request_that_is_taken_slowly_is_sent() -> None:
    ours, theirs = socket.socketpair()
    began, body = time.monotonic(), Chunk(Memory(bytes(3_000_000)), 0, 3_000_000)

    def take() -> None:
        while size := len(theirs.recv(100_000)):
            taken.append(size)
            time.sleep(STALL / 10)
            if sum(taken) > body.size:
                theirs.sendall(respond(201).raw)

    taken: list[int] = []
    taker = threading.Thread(target=take)
    taker.start()
    with contextlib.closing(theirs), contextlib.closing(Connection(ours, None)) as connection:
        request = Request("PATCH", "http://registry.test/", body=body)
        assert connection.exchange(request, Network("unit/1", stall_timeout=STALL)).status == 201
        connection.abort()
        taker.join(10)
    assert time.monotonic() - began > 2 * STALL


def test_a_server_may_work_before_it_responds(serve, impatient) -> None:
    """Registries hash a large blob first."""
    server = serve(RawResponse(respond(201, b"done").raw, delay=2 * STALL))
    assert get(impatient, server, work_time=60) == b"done"


def test_a_slow_reader_is_not_a_slow_server(serve, impatient) -> None:
    """Time between two reads, for writing to a disk or asleep, is not the server's."""
    server = serve(respond(200, b"x" * 300))
    response = impatient.send(Request("GET", server.url + "/"))
    buffer = memoryview(bytearray(100))
    for _ in range(3):
        assert response.readinto(buffer) == 100
        threading.Event().wait(STALL * 1.2)
    assert response.readinto(buffer) == 0


def read_all(stall_timeout: float, packets: Iterable[tuple[float, int]]) -> list[int]:
    """Read *packets*, each of which takes some seconds and has some bytes; return the sizes."""
    now, arriving, found = 0.0, iter(packets), []

    class Slow(FakeSocket):
        def recv_into(self, _buffer: memoryview, _size: int = 0, _flags: int = 0) -> int:  # type: ignore[override]
            nonlocal now
            seconds, count = next(arriving, (0.0, 0))
            now += seconds
            return count

    with contextlib.closing(Slow()) as sock:
        reader = TimedReader(sock, stall_timeout, lambda: now)
        while count := reader.readinto(memoryview(b"")):
            found.append(count)
    assert sock.timeouts == [stall_timeout]
    return found


def test_a_timeout_of_the_system_is_raised_as_it_is() -> None:
    with contextlib.closing(FakeSocket(TimeoutError(110, "timed out"))) as sock, pytest.raises(TimeoutError) as raised:
        TimedReader(sock, STALL).readinto(memoryview(b""))
    assert raised.value.errno == 110


FIRST = (1000.0, 1)
"""The first byte may take as long as the socket's own timeout allows."""


@pytest.mark.parametrize("stall", [1.0, 30.0])
def test_each_period_of_waiting_must_bring_its_bytes(stall: float) -> None:
    least = int(stall * LEAST_RATE)
    enough = [FIRST, *[(stall / 2, 1), (stall / 2, least - 1)] * 3]
    assert read_all(stall, enough) == [count for _, count in enough]
    with pytest.raises(NoProgressError, match=f"only {least - 1} bytes in {stall:.0f} s"):
        read_all(stall, [FIRST, (stall / 2, 1), (stall / 2, least - 2)])
    assert read_all(stall, [FIRST, (stall / 2, 1), (stall / 3, 1)]) == [1, 1, 1], "the period is not over"
