"""TLS over a socket: what one call moves, how long it may wait, and what counts as the end."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from azext_acrartifact.transport.connection import Connection
from azext_acrartifact.transport.tls_stream import SEND_BLOCK, TlsStream

STALL = 0.3


class CountingSocket(socket.socket):
    """One end of a pair, which counts its calls."""

    calls = 0
    most = 1 << 30
    """Bytes that are taken at once."""
    pause = 0.0
    """Seconds that each of them takes."""

    def recv(self, size: int, flags: int = 0) -> bytes:
        self.calls += 1
        return super().recv(size, flags)

    def send(self, data: bytes, flags: int = 0) -> int:  # type: ignore[override]
        self.calls += 1
        time.sleep(self.pause)
        return super().send(data[: self.most], flags)


class Peer:
    """The server's end, whose records a test sends as it likes."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self.socket = sock
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_side=True)

    def shake_hands(self) -> None:
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.socket.sendall(self._out.read())
                self._in.write(self.socket.recv(65536))
        self.socket.sendall(self._out.read())

    def records(self, data: bytes) -> bytes:
        """Return *data*, encrypted."""
        self.tls.write(data)
        return self._out.read()

    def goodbye(self) -> bytes:
        """Return the alert that ends the content."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        return self._out.read()

    def read(self, size: int) -> bytes:
        """Return *size* bytes, decrypted."""
        found = b""
        while len(found) < size:
            try:
                found += self.tls.read(size - len(found))
            except ssl.SSLWantReadError:
                if not (received := self.socket.recv(65536)):
                    raise EOFError from None
                self._in.write(received)
        return found


def client_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def connected(
    request: pytest.FixtureRequest, loopback: None, authority
) -> Iterator[tuple[TlsStream, Peer, CountingSocket]]:
    """Yield a stream, its peer and the socket below it."""
    pair = socket.socketpair()
    ours = CountingSocket(fileno=pair[0].detach())
    ours.settimeout(10)
    context = authority.context("127.0.0.1")
    context.maximum_version = request.param
    peer = Peer(pair[1], context)
    greeter = threading.Thread(target=peer.shake_hands)
    greeter.start()
    stream = TlsStream(ours, client_context(), "registry.test")
    greeter.join()
    ours.calls = 0
    with contextlib.closing(peer.socket), contextlib.closing(stream):
        yield stream, peer, ours


def in_thread(act: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def receive(stream: TlsStream, size: int, room: int = 1 << 20) -> bytes:
    found, buffer = b"", memoryview(bytearray(room))
    while len(found) < size and (count := stream.recv_into(buffer)):
        found += buffer[:count]
    return found


@pytest.mark.parametrize("room", [1000, 1 << 20])
def test_one_call_receives_many_records(connected, room: int) -> None:
    stream, peer, ours = connected
    data = bytes(range(256)) * 2048
    encrypted = peer.records(data)
    sender = in_thread(lambda: peer.socket.sendall(encrypted))
    assert receive(stream, len(data), room) == data
    sender.join()
    assert room < 65536 or ours.calls < len(data) // 16384, "as many calls as records"


def test_a_large_body_is_sent_in_few_calls(connected) -> None:
    stream, peer, ours = connected
    data = bytes(range(256)) * 4096
    taken: list[bytes] = []
    reader = in_thread(lambda: taken.append(peer.read(len(data))))
    assert stream.send(data) == len(data)
    reader.join()
    assert taken == [data]
    assert ours.calls < len(data) // 16384, "as many calls as records"


@pytest.mark.parametrize(("most", "fails"), [(SEND_BLOCK // 4, True), (SEND_BLOCK, False)])
def test_too_little_taken_within_the_timeout_is_a_stall(connected, most: int, fails: bool) -> None:
    """Count the bytes: a socket's own timeout starts anew with each."""
    stream, peer, ours = connected
    data = bytes(6 * SEND_BLOCK)

    def take_slowly() -> None:
        with contextlib.suppress(OSError, EOFError):
            peer.read(len(data))

    ours.most, ours.pause = most, STALL / 2
    stream.settimeout(STALL)
    reader = in_thread(take_slowly)
    with pytest.raises(TimeoutError) if fails else contextlib.nullcontext():
        stream.send(data)
    assert stream.gettimeout() == STALL
    stream.close()
    peer.socket.shutdown(socket.SHUT_RDWR)
    reader.join()


def test_a_record_that_trickles_in_fails_at_the_timeout(connected) -> None:
    """Otherwise each byte renews the timeout, and one record takes days."""
    stream, peer, _ = connected
    stream.settimeout(STALL)
    record, ended = peer.records(bytes(100)), threading.Event()

    def trickle() -> None:
        for byte in record:
            if ended.wait(STALL / 5):
                break
            peer.socket.sendall(bytes([byte]))

    sender = in_thread(trickle)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        stream.recv_into(memoryview(bytearray(100)))
    assert time.monotonic() - began < 5 * STALL
    assert stream.gettimeout() == STALL
    ended.set()
    sender.join()


def test_who_reads_nothing_is_given_up(connected) -> None:
    stream, _, _ = connected
    stream.settimeout(STALL)
    with pytest.raises(TimeoutError):
        stream.send(bytes(60_000_000))


@pytest.mark.parametrize("polite", [True, False])
def test_the_end_is_no_bytes(connected, polite: bool) -> None:
    stream, peer, _ = connected
    peer.socket.sendall(peer.records(b"last") + (peer.goodbye() if polite else b""))
    peer.socket.close()
    assert receive(stream, 100) == b"last"
    assert stream.recv_into(memoryview(bytearray(1))) == 0


def test_only_content_and_the_end_make_an_idle_connection_stale(connected) -> None:
    stream, peer, _ = connected
    idle = Connection(stream, None)
    assert not idle.is_stale, "session tickets are no content"
    record = peer.records(b"x")
    peer.socket.sendall(record[:7])
    assert not idle.is_stale, "half a record is no content yet"
    assert stream.gettimeout() == 10
    peer.socket.sendall(record[7:])
    assert receive(stream, 1) == b"x"
    assert not idle.is_stale
    peer.socket.sendall(peer.records(b"unasked"))
    assert idle.is_stale


def test_what_was_received_with_a_response_makes_it_stale(connected) -> None:
    stream, peer, _ = connected
    peer.socket.sendall(peer.records(b"response") + peer.records(b"unasked"))
    assert stream.recv_into(memoryview(bytearray(8))) == 8
    assert Connection(stream, None).is_stale


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_a_server_without_tls_fails_and_its_socket_is_closed(said: bytes) -> None:
    ours, theirs = socket.socketpair()
    with contextlib.closing(theirs):
        theirs.sendall(said)
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(ssl.SSLError):
            TlsStream(ours, client_context(), "registry.test")
        assert ours.fileno() == -1


@pytest.mark.usefixtures("loopback")
def test_a_handshake_ends_at_the_timeout() -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(STALL)
    with contextlib.closing(theirs), pytest.raises(TimeoutError):
        TlsStream(ours, client_context(), "registry.test")


@pytest.mark.usefixtures("loopback")
def test_a_certificate_for_another_host_is_refused(authority) -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    peer = Peer(theirs, authority.context("127.0.0.1"))

    def greet() -> None:
        with contextlib.suppress(ssl.SSLError, EOFError):
            peer.shake_hands()
            peer.read(1)
            alerts.append("none")
        alerts.append("sent")

    alerts: list[str] = []
    greeter = in_thread(greet)
    with contextlib.closing(theirs):
        with pytest.raises(ssl.SSLCertVerificationError):
            TlsStream(ours, ssl.create_default_context(cafile=str(authority.certificate_file)), "registry.test")
        greeter.join(10)
    assert alerts == ["sent"]
