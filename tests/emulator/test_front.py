"""The proxy, its TLS and its HTTP/1.1, as a client's socket sees them."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from acr_emulator.messages import BadRequest, FileRange, Request, Response


@pytest.fixture
def tunnel(front) -> Iterator:
    with contextlib.closing(front.tunnel()) as connection:
        yield connection


@contextlib.contextmanager
def raw_tunnel(front, host: str = "a.test") -> Iterator[ssl.SSLSocket]:
    with socket.create_connection(("127.0.0.1", front.server.port), timeout=20) as sock:
        sock.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert sock.recv(4096).startswith(b"HTTP/1.1 200 ")
        context = front.context()
        context.set_alpn_protocols(["h2", "http/1.1"])
        with context.wrap_socket(sock, server_hostname=host) as tls:
            yield tls


def echo_length(request: Request) -> Response:
    return Response(201, [], str(len(request.read(64 * 1024 * 1024))).encode())


def read_all(sock: socket.socket) -> bytes:
    parts = []
    with contextlib.suppress(ConnectionError):
        while part := sock.recv(65536):
            parts.append(part)
    return b"".join(parts)


def test_a_tunnel_has_the_hosts_own_certificate(front, tunnel, fetch):
    assert fetch(tunnel, path="/v2/a%3Ab")[:2] == (200, b"hello")
    certificate = tunnel.sock.getpeercert()
    assert ("DNS", "a.test") in certificate["subjectAltName"]


def test_the_certificate_is_valid_for_no_other_host(front):
    with socket.create_connection(("127.0.0.1", front.server.port)) as sock:
        sock.sendall(b"CONNECT a.test:443 HTTP/1.1\r\n\r\n")
        sock.recv(4096)
        with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
            front.context().wrap_socket(sock, server_hostname="b.test")


def test_alpn_offers_http_1_1_only(front):
    with raw_tunnel(front) as tls:
        assert tls.selected_alpn_protocol() == "http/1.1"


def test_the_authority_survives_a_restart(front, front_state):
    before = front.authority.certificate_file.read_bytes()
    type(front.authority)(front_state)
    assert front.authority.certificate_file.read_bytes() == before


@pytest.mark.parametrize(("host", "status"), [("example.org", 403), ("nobodysregistry.azurecr.io", 502)])
def test_an_unknown_host_is_refused_and_logged(front, host, status):
    with contextlib.closing(front.tunnel(host)) as connection, pytest.raises(OSError, match=str(status)):
        connection.request("GET", "/")
    (entry,) = front.entries()
    assert (entry.method, entry.host, entry.status) == ("CONNECT", host, status)


def test_an_absolute_target_goes_to_its_host(front, fetch):
    seen: list[Request] = []
    front.service = lambda request: seen.append(request) or Response(200, [], b"token")
    with contextlib.closing(front.plain()) as connection:
        assert fetch(connection, path="http://169.254.169.254/metadata/x?resource=a%2Fb")[1] == b"token"
    assert (seen[0].host, seen[0].port, seen[0].path) == ("169.254.169.254", 80, "/metadata/x")
    assert seen[0].param("resource") == "a/b"


def test_requests_on_one_connection_share_its_id(front, tunnel, fetch):
    fetch(tunnel, path="/one?q=1")
    fetch(tunnel, "PUT", "/two", b"12345")
    with contextlib.closing(front.tunnel("b.test")) as other:
        fetch(other)
    first, second, third = front.entries()
    assert first.connection == second.connection != third.connection
    assert (first.path, first.query, first.host, first.response_bytes) == ("/one", "q=1", "a.test", 5)
    assert (second.method, second.request_bytes, second.status) == ("PUT", 5, 200)
    assert second.headers["Content-Length"] == "5"
    assert 0 < second.duration_ms < 60_000


def test_pipelined_responses_are_in_order(front):
    with raw_tunnel(front) as tls:
        tls.sendall(b"GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\nGET /2 HTTP/1.1\r\nConnection: close\r\n\r\n")
        response = read_all(tls)
    assert response.index(b"X-Path: /1") < response.index(b"X-Path: /2")


def test_chunked_and_sized_bodies_arrive_whole(front, tunnel, fetch):
    front.service = echo_length
    assert fetch(tunnel, "POST", "/", b"x" * 3_000_000)[1] == b"3000000"
    assert fetch(tunnel, "POST", "/", iter([b"a" * 10, b"b" * 1_000_001]))[1] == b"1000011"
    assert [entry.request_bytes for entry in front.entries()] == [3_000_000, 1_000_011]


def test_an_unread_body_is_drained(front, tunnel, fetch):
    assert fetch(tunnel, "POST", "/", b"x" * 5_000_000)[1] == b"hello"
    assert fetch(tunnel, "POST", "/", iter([b"x" * 100]))[1] == b"hello"
    assert len({entry.connection for entry in front.entries()}) == 1


def test_100_continue_is_sent_only_when_the_body_is_read(front):
    head = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    with raw_tunnel(front) as tls:
        tls.sendall(head)
        assert tls.recv(4096).startswith(b"HTTP/1.1 200 OK")
    front.service = echo_length
    with raw_tunnel(front) as tls:
        tls.sendall(head)
        assert tls.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        tls.sendall(b"abc")
        assert tls.recv(4096).startswith(b"HTTP/1.1 201 Created")


def test_part_of_a_file_streams(front, tunnel, fetch, tmp_path):
    content = bytes(range(256)) * 20_000
    file = tmp_path / "blob"
    file.write_bytes(content)
    front.service = lambda _: Response(206, [], FileRange(Path(file), 7, 4_000_000))
    status, body, headers = fetch(tunnel)
    assert (status, headers["Content-Length"]) == (206, "4000000")
    assert body == content[7:4_000_007]
    status, body, headers = fetch(tunnel, "HEAD")
    assert (body, headers["Content-Length"]) == (b"", "4000000")


def test_a_file_that_is_too_short_breaks_the_connection(front, tunnel, tmp_path):
    (tmp_path / "blob").write_bytes(b"short")
    front.service = lambda _: Response(200, [], FileRange(tmp_path / "blob", 0, 50))
    tunnel.request("GET", "/")
    with pytest.raises(http.client.IncompleteRead):
        tunnel.getresponse().read()
    assert "ends 45 bytes too early" in front.entries()[0].error


def test_an_iterable_body_is_chunked(front, tunnel, fetch):
    front.service = lambda _: Response(200, [], iter([b"one ", b"", b"two"]))
    _, body, headers = fetch(tunnel)
    assert (body, headers["Transfer-Encoding"]) == (b"one two", "chunked")
    assert front.entries()[0].response_bytes == 7


def test_204_has_no_body(front, tunnel, fetch):
    front.service = lambda _: Response(204)
    _, body, headers = fetch(tunnel, "DELETE")
    assert (body, headers["Content-Length"]) == (b"", None)
    assert fetch(tunnel)[0] == 204


def test_the_service_reads_what_a_disconnected_client_sent(front):
    seen: list[object] = []

    def service(request: Request) -> Response:
        seen.append(request.body.read(1_000_000))
        try:
            request.body.read(1)
        except EOFError as error:
            seen.append(error)
            raise
        return Response(201)

    front.service = service
    with raw_tunnel(front) as tls:
        tls.sendall(b"PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000\r\n\r\n" + b"x" * 300)
    for _ in range(2000):
        if front.entries():
            break
        time.sleep(0.01)
    assert seen[0] == b"x" * 300
    assert isinstance(seen[1], EOFError)
    assert (front.entries()[0].status, front.entries()[0].request_bytes) == (0, 300)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: 1\r\n folded\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"GET https:/x HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    ],
)
def test_broken_http_is_400_and_closes(front, head):
    front.service = echo_length
    with raw_tunnel(front) as tls:
        tls.sendall(head)
        response = read_all(tls)
    assert response.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"Connection: close" in response


def test_a_service_that_fails_is_500_and_logged(front, tunnel, fetch):
    def broken(_: Request) -> Response:
        raise RuntimeError("a bug")

    front.service = broken
    assert fetch(tunnel)[0] == 500
    assert "RuntimeError: a bug" in front.entries()[0].error


def test_a_bad_request_by_the_service_is_400(front, tunnel, fetch):
    def picky(_: Request) -> Response:
        raise BadRequest("not like this")

    front.service = picky
    status, body, _ = fetch(tunnel)
    assert status == 400
    assert b"not like this" in body


def test_many_connections_at_once(front, fetch):
    def fetch_three(number: int) -> int:
        with contextlib.closing(front.tunnel()) as connection:
            return sum(fetch(connection, path=f"/{number}/{turn}")[0] for turn in range(3))

    front.service = lambda request: time.sleep(0.05) or Response(200, [], request.path.encode())
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        assert list(pool.map(fetch_three, range(64))) == [600] * 64
    assert len({entry.connection for entry in front.entries()}) == 64


def test_clearing_the_log_drops_unfinished_requests(front, tunnel, fetch):
    def service(request: Request) -> Response:
        if request.path == "/early":
            front.log.clear()
        return Response(200, [], b"")

    front.service = service
    fetch(tunnel, path="/early")
    fetch(tunnel, path="/late")
    assert [entry["path"] for entry in front.log.entries()] == ["/late"]


def test_the_log_is_read_from_an_id_and_cleared(front, tunnel, fetch):
    for path in ("/1", "/2", "/3"):
        fetch(tunnel, path=path)
    first = front.log.entries()[0]["id"]
    assert [entry["path"] for entry in front.log.entries(first)] == ["/2", "/3"]
    front.log.clear()
    fetch(tunnel, path="/4")
    assert [entry["path"] for entry in front.log.entries()] == ["/4"]
