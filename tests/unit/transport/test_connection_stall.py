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
from azext_acrartifact.transport.connection import LEAST_RATE, Allowance, Connection, NoProgressError, TimedReader
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


@pytest.mark.parametrize("headers", [HEADERS, CHUNKED])
def test_a_blob_above_the_least_rate_is_read(serve, impatient, headers: bytes) -> None:
    server = serve(slowly(headers, b"x" * 5000 + b"\r\n0\r\n\r\n", 200, STALL / 8))
    assert get(impatient, server, bulk=True) == b"x" * 5000


def test_a_large_response_may_take_longer_than_that(serve, impatient) -> None:
    server = serve(slowly(HEADERS.replace(b"5000", b"400000"), b"x" * 400_000, 20_000, STALL / 6))
    assert len(get(impatient, server)) == 400_000


def test_a_small_response_may_take_twice_the_timeout(serve, impatient) -> None:
    server = serve(slowly(HEADERS, b"x" * 5000, 1000, STALL * 0.22))
    assert get(impatient, server) == b"x" * 5000


INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: "
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 60000\r\n\r\n"
ENDLESS: dict[str, tuple[bytes, bytes, bool]] = {
    "blanks": (HEADERS.replace(b"5000", b"4000000") + b"{", b" " * 200, False),
    "blanks in chunks": (CHUNKED[:-6] + b"1\r\n{\r\n", b"c8\r\n" + b" " * 200 + b"\r\n", False),
    "chunk extensions": (CHUNKED[:-6] + b"1;", b"x" * 200, False),
    "a header": (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 200, False),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X: " + b"x" * 200 + b"\r\n", False),
    "headers of a blob": (b"HTTP/1.1 200 OK\r\n", b"X: " + b"x" * 200 + b"\r\n", True),
    "an interim response": (INTERIM, b"x" * 200, False),
    "an interim response before a blob": (INTERIM, b"x" * 200, True),
    "the error for a blob": (REFUSED, b" " * 200, True),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_an_exchange_of_metadata_ends_in_time(serve, impatient, name: str) -> None:
    headers, block, bulk = ENDLESS[name]
    server = serve(RawResponse(lambda: itertools.chain([headers], itertools.repeat(block)), pause=STALL / 16))
    with stalls("the response was not complete after [12] s", 3 * STALL):
        get(impatient, server, bulk=bulk)


def test_a_server_that_reads_a_manifest_slowly_is_given_up() -> None:
    """Read some bytes within each timeout, which would be enough for hours without a limit of the whole."""

    class Slow(FakeSocket):
        def send(self, _data: bytes | memoryview, _flags: int = 0) -> int:  # type: ignore[override]
            time.sleep(STALL / 8)
            return 500

    began = time.monotonic()
    request = Request("PUT", "http://registry.test/", body=bytes(4_000_000))
    with contextlib.closing(Slow()) as sock, pytest.raises(NoProgressError, match="not complete"):
        Connection(sock, None).exchange(request, Network("unit/1", stall_timeout=STALL))
    assert time.monotonic() - began <= 4 * STALL + MARGIN


def test_bodies_of_metadata_prolong_their_exchange() -> None:
    """Read 4 MiB at 100 KiB a second within a timeout of 5 s, since only waiting for too little is a stall."""
    allowance = Allowance(10.0)
    with pytest.raises(NoProgressError):
        read_all(5.0, [FIRST, *[(1.0, 102_400)] * 41], Allowance(1010.0))
    allowance.left, allowance.earning = 1010.0, True
    assert len(read_all(5.0, [FIRST, *[(1.0, 102_400)] * 41], allowance)) == 42
    slow = Allowance(1010.0)
    slow.earning = True
    with pytest.raises(NoProgressError, match=r"after 10\d\d s"):
        read_all(5.0, [FIRST, *[(1.0, LEAST_RATE * 2)] * 4096], slow)


@pytest.mark.usefixtures("loopback")
def test_a_request_that_is_taken_slowly_is_sent() -> None:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 100_000)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)  # on Windows, megabytes otherwise
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


def read_all(
    stall_timeout: float, packets: Iterable[tuple[float, int]], allowance: Allowance | None = None
) -> list[int]:
    """Read *packets*, each of which takes some seconds and has some bytes; return the sizes."""
    now, arriving, found = 0.0, iter(packets), []

    class Slow(FakeSocket):
        def recv_into(self, _buffer: memoryview, _size: int = 0, _flags: int = 0) -> int:  # type: ignore[override]
            nonlocal now
            seconds, count = next(arriving, (0.0, 0))
            now += seconds
            return count

    with contextlib.closing(Slow()) as sock:
        reader = TimedReader(sock, stall_timeout, lambda: now, allowance)
        while count := reader.readinto(memoryview(b"")):
            found.append(count)
    assert allowance or sock.timeouts == [stall_timeout]
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
