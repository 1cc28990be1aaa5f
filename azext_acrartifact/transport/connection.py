"""One HTTP/1.1 connection, direct or through a proxy's tunnel, with bounds on what the other side may do.

`http.client` is used because it is what reaches a Go client's speed from Python: a small request costs a
third of what it does through requests (`docs/decisions/0001-one-carrier.md`).
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from urllib.parse import urlsplit

from .messages import BLOCK, Body, Request
from .network import Network, Proxy

CONNECT_TIMEOUT = 10.0
SEND_TIMEOUT = 60.0
READ_TIMEOUT = 30.0
STALL_WINDOW = 30.0
STALL_BYTES = 30 * 1024
INTERIM_LIMIT = 5


class StalledError(OSError):
    """The other side sends, but so slowly that nothing will come of it."""


class BoundedResponse(http.client.HTTPResponse):
    """`http.client` skips interim answers for as long as they come; we give up after five."""

    interim = 0

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        if status < 200:
            self.interim += 1
            if self.interim > INTERIM_LIMIT:
                raise http.client.HTTPException(f"more than {INTERIM_LIMIT} interim answers")
        return version, status, reason


class StallClock:
    """Aborts a body that brings less than 1 KiB/s over half a minute; a socket timeout alone is reset by
    every single byte."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._bytes = 0

    def received(self, count: int) -> None:
        """Account for *count* bytes; raises `StalledError` at the end of a window that was too slow."""
        self._bytes += count
        elapsed = time.monotonic() - self._started
        if elapsed < STALL_WINDOW:
            return
        if self._bytes < STALL_BYTES:
            raise StalledError(f"only {self._bytes} bytes in {elapsed:.0f} s")
        self._started, self._bytes = time.monotonic(), 0


def connect(origin: tuple[str, str, int], network: Network, proxy: Proxy | None) -> http.client.HTTPConnection:
    """Open a connection to *origin*; OSError and `http.client.HTTPException` pass through."""
    scheme, host, port = origin
    hop_host, hop_port = (proxy.host, proxy.port) if proxy else (host, port)
    connection = http.client.HTTPConnection(hop_host, hop_port, timeout=CONNECT_TIMEOUT, blocksize=BLOCK)
    connection.response_class = BoundedResponse
    connection.auto_open = 0
    if proxy and scheme == "https":
        _tunnel(connection, proxy, host, port)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if scheme == "https":
        connection.sock = network.tls.wrap_socket(connection.sock, server_hostname=host)
    connection.sock.settimeout(SEND_TIMEOUT)
    return connection


def exchange(
    connection: http.client.HTTPConnection, request: Request, network: Network, absolute: bool
) -> http.client.HTTPResponse:
    """Send *request* and read the head of its answer.

    A server may answer before it has read the body (413, 401) and close: the write then fails while the
    answer is already there, so it is looked for first.
    """
    connection.sock.settimeout(SEND_TIMEOUT)
    try:
        _send(connection, request, network, absolute)
    except (BrokenPipeError, ConnectionResetError) as broken:
        return _early_answer(connection, broken)
    connection.sock.settimeout(request.answer_timeout)
    response = connection.getresponse()
    connection.sock.settimeout(READ_TIMEOUT)
    return response


def _tunnel(connection: http.client.HTTPConnection, proxy: Proxy, host: str, port: int) -> None:
    headers = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
    connection.set_tunnel(host, port, headers)


def _send(connection: http.client.HTTPConnection, request: Request, network: Network, absolute: bool) -> None:
    parts = urlsplit(request.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.putrequest(request.method, request.url if absolute else path, skip_host=True, skip_accept_encoding=True)
    for name, value in _head(request, network, parts.netloc).items():
        connection.putheader(name, value)
    if request.body is None or isinstance(request.body, bytes):
        connection.endheaders(request.body or None)
    else:
        connection.endheaders()
        _send_body(connection, request.body)


def _head(request: Request, network: Network, host: str) -> dict[str, str]:
    headers = {
        "Host": host,
        "User-Agent": network.user_agent,
        "Accept-Encoding": "identity",
        **network.headers,
        **request.headers,
    }
    if request.authorization:
        headers["Authorization"] = request.authorization
    if request.body is not None or request.method in ("POST", "PUT", "PATCH"):
        headers["Content-Length"] = str(_length(request.body))
    return headers


def _length(body: bytes | Body | None) -> int:
    if body is None:
        return 0
    return len(body) if isinstance(body, bytes) else body.size


def _send_body(connection: http.client.HTTPConnection, body: Body) -> None:
    left = body.size
    with body.open() as reader:
        while left > 0:
            block = reader.read(min(BLOCK, left))
            if not block:
                raise EOFError("the body is shorter than its declared length")
            connection.send(block)
            left -= len(block)


def _early_answer(connection: http.client.HTTPConnection, broken: OSError) -> http.client.HTTPResponse:
    try:
        response = connection.getresponse()
    except (OSError, http.client.HTTPException, ssl.SSLError):
        raise broken from None
    return response
