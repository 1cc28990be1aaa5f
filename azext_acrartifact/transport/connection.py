"""One HTTP/1.1 connection, direct or through a proxy's tunnel, with bounds on what the other side may do.

`http.client` opens tunnels and reads bodies; heads are written and read leanly here, since a small request costs
a sixth of what it does through requests (`docs/decisions/0001-one-carrier.md`).
"""

from __future__ import annotations

import http.client
import io
import re
import select
import socket
import ssl
import time

from .http_response import LeanResponse
from .messages import BLOCK, Body, Request, split_target
from .network import Network, Proxy

CONNECT_TIMEOUT = 10.0
SEND_TIMEOUT = 60.0
READ_TIMEOUT = 30.0
STALL_WINDOW = 30.0
STALL_BYTES = 30 * 1024
JOINED_BODY = 64 * 1024
_FIELD_VALUE = re.compile(r"[\x20-\x7e\x80-\xff\t]*")


class StalledError(OSError):
    """The other side sends, but so slowly that nothing will come of it."""


class TimedReader(io.RawIOBase):
    """An answer's bytes. Aborts one that brings less than 1 KiB/s over half a minute of waiting; a socket timeout
    alone is reset by every single byte. The wait for the first byte has a limit of its own."""

    def __init__(self, sock: socket.socket, patience: float) -> None:
        self._socket = sock
        self._patience = patience
        self._waited = 0.0
        self._bytes = 0
        self._begun = False

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What `http.client` asks a socket for."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """It is read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """What the next packet brings; `StalledError` at the end of a window that was too slow."""
        started = time.monotonic()
        count = self._socket.recv_into(buffer)
        if self._begun:
            self._account(count, time.monotonic() - started)
        self._begun = True
        return count

    def _account(self, count: int, seconds: float) -> None:
        self._bytes += count
        self._waited += seconds
        if self._waited < STALL_WINDOW * self._patience:
            return
        if self._bytes < STALL_BYTES * self._patience:
            raise StalledError(f"only {self._bytes} bytes in {self._waited:.0f} s")
        self._waited, self._bytes = 0.0, 0


class Connection:
    """A connected socket that speaks to one origin, by way of *proxy* where that is told each whole address. One
    request at a time."""

    def __init__(self, sock: socket.socket, proxy: Proxy | None) -> None:
        self._socket = sock
        self._proxy = proxy
        self._patience = 1.0
        self.waited = 0.0
        """Seconds from the last request's first byte to its answer's head: a round trip, when the body is small."""

    @classmethod
    def open(cls, origin: tuple[str, str, int], network: Network, proxy: Proxy | None) -> Connection:
        """Connect to *origin*; OSError and `http.client.HTTPException` pass through."""
        scheme, host, port = origin
        hop_host, hop_port = (proxy.host, proxy.port) if proxy else (host, port)
        opener = http.client.HTTPConnection(hop_host, hop_port, timeout=CONNECT_TIMEOUT)
        if proxy and scheme == "https":
            opener.set_tunnel(host, port, {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {})
        opener.connect()
        sock: socket.socket = opener.sock
        if scheme == "https":
            sock = network.tls.wrap_socket(sock, server_hostname=host)
        return cls(sock, proxy if scheme == "http" else None)

    def exchange(self, request: Request, network: Network) -> http.client.HTTPResponse:
        """Send *request* and read the head of its answer.

        A server may answer before it has read the body (413, 401) and close: the write then fails while the
        answer is already there, so it is looked for first.
        """
        self._patience = network.patience
        self._bear(SEND_TIMEOUT if _is_long(request.body) else request.answer_timeout)
        # Not after the send: a thread that gets the processor back late would find the answer there already.
        began = time.monotonic()
        try:
            self._send(request, network)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError) as broken:
            return self._early_answer(request, broken)
        self._bear(request.answer_timeout)
        response = self._answer(request)
        self.waited = time.monotonic() - began
        self._bear(READ_TIMEOUT)
        return response

    def _bear(self, silence: float) -> None:
        """Bear *silence* seconds without a byte. To say so is a system call, and lets other threads in between."""
        seconds = silence * self._patience
        if self._socket.gettimeout() != seconds:
            self._socket.settimeout(seconds)

    @property
    def is_stale(self) -> bool:
        """Whether the server has closed it, or sent what nobody asked for, while it was idle."""
        try:
            if not hasattr(select, "poll"):
                return bool(select.select([self._socket], [], [], 0)[0])
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True

    def abort(self) -> None:
        """Wake whoever waits on this connection, from any thread."""
        try:
            # SSLSocket.shutdown drops its encryption first: what another thread sends just then would go out in clear
            # (https://github.com/python/cpython/blob/3.11/Lib/ssl.py, SSLSocket.shutdown).
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _send(self, request: Request, network: Network) -> None:
        head = self._head(request, network)
        body = request.body
        if body is None or isinstance(body, bytes):
            small = body or b""
            if len(small) <= JOINED_BODY:
                self._socket.sendall(head + small)
                return
            self._socket.sendall(head)
            self._socket.sendall(small)
        else:
            self._socket.sendall(head)
            self._send_body(body)

    def _send_body(self, body: Body) -> None:
        left = body.size
        buffer = memoryview(bytearray(min(BLOCK, left)))
        with body.open() as reader:
            while left > 0:
                count = reader.readinto(buffer[:left])  # type: ignore[union-attr]
                if not count:
                    raise EOFError("the body is shorter than its declared length")
                self._socket.sendall(buffer[:count])
                left -= count

    def _head(self, request: Request, network: Network) -> bytes:
        base, path = split_target(request.url)
        lines = [f"{request.method} {request.url if self._proxy else path} HTTP/1.1"]
        lines += [_field(name, value) for name, value in _fields(request, network, base.partition("//")[2]).items()]
        if self._proxy and self._proxy.authorization:
            lines.append(_field("Proxy-Authorization", self._proxy.authorization))
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _answer(self, request: Request) -> http.client.HTTPResponse:
        reader = TimedReader(self._socket, self._patience)
        response = LeanResponse(reader, method=request.method)  # type: ignore[arg-type]
        response.begin()
        return response

    def _early_answer(self, request: Request, broken: OSError) -> http.client.HTTPResponse:
        self._bear(READ_TIMEOUT)
        try:
            response = self._answer(request)
        except (OSError, http.client.HTTPException):
            raise broken from None
        response.will_close = True
        return response


def _fields(request: Request, network: Network, host: str) -> dict[str, str]:
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


def _field(name: str, value: str) -> str:
    if not _FIELD_VALUE.fullmatch(value):
        raise http.client.HTTPException(f"the value of {name} cannot be sent")
    return f"{name}: {value}"


def _is_long(body: bytes | Body | None) -> bool:
    return _length(body) > JOINED_BODY


def _length(body: bytes | Body | None) -> int:
    if body is None:
        return 0
    return len(body) if isinstance(body, bytes) else body.size
