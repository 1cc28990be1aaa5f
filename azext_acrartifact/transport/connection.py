"""One HTTP/1.1 connection, direct or through a proxy's tunnel, which fails if the other side stalls.

`http.client` opens tunnels and reads bodies. Headers are written and read here, since a small request then costs a
sixth of what it does through requests (`docs/decisions`, 0001).
"""

from __future__ import annotations

import http.client
import io
import re
import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

from .http_response import LeanResponse
from .messages import BLOCK, Body, Request, split_target
from .network import Network, Proxy
from .proxied import connect_through
from .rate_cap import RateCap
from .tls_stream import SEND_BLOCK, TlsStream

CONNECT_TIMEOUT = 10.0
"""Seconds for each of the connection, the proxy's response and the TLS handshake. `stall_timeout` holds after them."""
LEAST_RATE = 1024
"""Bytes a second below which a response has stalled."""
EXCHANGE_STALLS = 2
"""The time of an exchange of metadata, in stall timeouts: a whole request, and the headers and body of its response.
`LEAST_RATE` alone would let a server take hours for blanks in a JSON body, or for headers."""
METADATA_RATE = 32 * 1024
"""Bytes of a body that prolong that time by a second, so that a manifest of 4 MiB comes over a slow network too."""
BODY_BLOCK = 256 * 1024
"""Bytes of a body that are passed to the socket at once. `SEND_BLOCK` of them must be taken within `stall_timeout`."""
_POLLIN = getattr(select, "POLLIN", 0)
_POLL: Callable[[], Any] | None = getattr(select, "poll", None)
_HEADER_VALUE = re.compile(r"[\x20-\x7e\x80-\xff\t]*")


class NoProgressError(TimeoutError):
    """The other side sent nothing or too little, or read nothing, for too long."""


class Allowance:
    """The seconds that an exchange may still wait for the other side."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self._waited = 0.0
        self.earning = False
        """Whether bytes prolong it, at `METADATA_RATE`: those of bodies do."""

    def spend(self, seconds: float, count: int) -> None:
        """Account for *seconds* in which *count* bytes passed. Raises `NoProgressError` when nothing is left."""
        self._waited += seconds
        self.left += (count / METADATA_RATE if self.earning else 0.0) - seconds
        if self.left <= 0:
            raise NoProgressError(f"the response was not complete after {self._waited:.0f} s")


class TimedReader(io.RawIOBase):
    """The bytes of a response. The first may take as long as the socket's timeout; from then on *stall_timeout* holds.

    Every byte resets the timeout of a socket. Therefore the rate is measured as well: a response fails if it brings
    less than `LEAST_RATE` over *stall_timeout* seconds of waiting. *allowance* limits all waiting, unless it is None.
    """

    def __init__(
        self,
        sock: socket.socket | TlsStream,
        stall_timeout: float,
        clock: Callable[[], float] = time.monotonic,
        allowance: Allowance | None = None,
        cap: RateCap | None = None,
    ) -> None:
        self._socket, self._stall_timeout, self._clock = sock, stall_timeout, clock
        self._cap = cap
        self.allowance = allowance
        self._waited = 0.0
        self._bytes = 0
        self._begun = False

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return a buffered reader, as `http.client` asks of a socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read the bytes that come next; `NoProgressError` if none or too few come in time."""
        if self._begun:
            left = self.allowance.left if self.allowance else self._stall_timeout
            _set_timeout(self._socket, min(self._stall_timeout, left))
        began = self._clock()
        try:
            count = self._socket.recv_into(buffer)
        except TimeoutError as error:
            self._spend(self._clock() - began, 0)
            raise _no_progress("sent", self._socket, error) from error
        waited = self._clock() - began
        if self._cap:
            self._cap.passed(count)
        self._spend(waited, count)
        if self._begun:
            self._account(count, waited)
        else:
            self._begun = True
            _set_timeout(self._socket, self._stall_timeout)
        return count

    def _spend(self, seconds: float, count: int) -> None:
        if self.allowance:
            self.allowance.spend(seconds, count)

    def _account(self, count: int, seconds: float) -> None:
        self._bytes += count
        self._waited += seconds
        if self._waited < self._stall_timeout:
            return
        if self._bytes < self._stall_timeout * LEAST_RATE:
            raise NoProgressError(f"only {self._bytes} bytes in {self._waited:.0f} s")
        self._waited, self._bytes = 0.0, 0


class Connection:
    """A connected socket to one origin, for one request at a time. *proxy* is one that wants whole addresses."""

    def __init__(self, sock: socket.socket | TlsStream, proxy: Proxy | None, cap: RateCap | None = None) -> None:
        self._socket = sock
        self._proxy = proxy
        self._cap = cap
        self._reader: TimedReader | None = None
        self.waited = 0.0
        """Seconds from the last request's first byte to its response's headers: a round trip, if the body is small."""

    @classmethod
    def open(cls, origin: tuple[str, str, int], network: Network, proxy: Proxy | None) -> Connection:
        """Connect to *origin*; raises OSError and `http.client.HTTPException`."""
        scheme, host, port = origin
        if proxy:
            sock = connect_through(proxy, origin, network.tls, CONNECT_TIMEOUT)
        else:
            sock = network.addresses.connect(host, port, CONNECT_TIMEOUT)
        if scheme == "https":
            return cls(TlsStream(sock, network.tls, host), None, network.cap)
        return cls(sock, proxy if proxy and not proxy.is_socks else None, network.cap)

    def exchange(self, request: Request, network: Network) -> LeanResponse:
        """Send *request* and read the headers of its response.

        A server may respond before it has read the body (413, 401) and close the connection. The write then fails
        although there is a response, so that one is looked for first.
        """
        _set_timeout(self._socket, network.stall_timeout)
        # Not after the send: a thread that gets the processor back late would find the response there already.
        began = time.monotonic()
        allowance = Allowance(EXCHANGE_STALLS * network.stall_timeout + request.work_time)
        try:
            self._send(request, network, allowance)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError) as broken:
            return self._early_response(request, network, allowance, broken)
        _set_timeout(self._socket, min(network.stall_timeout + request.work_time, allowance.left))
        response = self._response(request, network, allowance)
        self.waited = time.monotonic() - began
        return response

    def limit_rest(self, seconds: float) -> None:
        """Let the rest of the response take *seconds* of waiting at most."""
        if self._reader:
            self._reader.allowance = Allowance(seconds)

    @property
    def is_stale(self) -> bool:
        """Whether the server closed it, or sent something unasked, while it was idle."""
        if isinstance(self._socket, TlsStream):
            return (self._socket.has_undecrypted or has_input(self._socket)) and self._socket.has_content()
        return has_input(self._socket)

    def abort(self) -> None:
        """Wake the thread that waits on this connection, from any other thread."""
        try:
            if isinstance(self._socket, TlsStream):
                self._socket.shutdown(socket.SHUT_RDWR)
            else:
                # SSLSocket.shutdown, of a proxy over TLS, drops its encryption first: what another thread sends just
                # then would go out in clear (https://github.com/python/cpython/blob/3.11/Lib/ssl.py).
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _send(self, request: Request, network: Network, allowance: Allowance) -> None:
        headers = self._encoded_headers(request, network)
        body = request.body
        if body is None or isinstance(body, bytes):
            small = body or b""
            if len(headers) + len(small) <= SEND_BLOCK:
                headers, small = headers + small, b""
            allowance.earning = True
            self._send_all(headers, allowance)
            self._send_all(small, allowance)
            allowance.earning = False
        else:
            self._send_all(headers, allowance)
            self._send_body(body)

    def _send_body(self, body: Body) -> None:
        left = body.size
        buffer = memoryview(bytearray(min(BLOCK, left)))
        with body.open() as reader:
            while left > 0:
                count = reader.readinto(buffer[:left])  # type: ignore[union-attr]
                if not count:
                    raise EOFError("the body is shorter than its declared length")
                self._send_all(buffer[:count])
                left -= count

    def _send_all(self, data: bytes | memoryview, allowance: Allowance | None = None) -> None:
        """Send *data* in small steps: sendall() would have to send all of it within one timeout."""
        left = memoryview(data)
        step = SEND_BLOCK if allowance else BODY_BLOCK
        while left:
            began = time.monotonic()
            try:
                count = self._socket.send(left[:step])
            except TimeoutError as error:
                raise _no_progress("read", self._socket, error) from error
            left = left[count:]
            if allowance:
                allowance.spend(time.monotonic() - began, count)
            if self._cap:
                self._cap.passed(count)

    def _encoded_headers(self, request: Request, network: Network) -> bytes:
        base, path = split_target(request.url)
        lines = [f"{request.method} {request.url if self._proxy else path} HTTP/1.1"]
        lines += [_header(name, value) for name, value in _headers(request, network, base.partition("//")[2]).items()]
        if self._proxy and self._proxy.authorization:
            lines.append(_header("Proxy-Authorization", self._proxy.authorization))
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _response(self, request: Request, network: Network, allowance: Allowance) -> LeanResponse:
        self._reader = reader = TimedReader(self._socket, network.stall_timeout, allowance=allowance, cap=self._cap)
        response = LeanResponse(reader, method=request.method)  # type: ignore[arg-type]
        response.begin()
        allowance.earning = True
        if request.bulk and response.status in (200, 206):
            reader.allowance = None
        return response

    def _early_response(
        self, request: Request, network: Network, allowance: Allowance, broken: OSError
    ) -> LeanResponse:
        try:
            response = self._response(request, network, allowance)
        except (OSError, http.client.HTTPException):
            raise broken from None
        response.will_close = True
        return response


def has_input(sock: socket.socket | TlsStream, poll: Callable[[], Any] | None = _POLL) -> bool:
    """Return whether there is something to read, the end included. Windows has no *poll*."""
    try:
        if poll is None:
            return bool(select.select([sock], [], [], 0)[0])
        polled = poll()
        polled.register(sock, _POLLIN)
        return bool(polled.poll(0))
    except (OSError, ValueError):
        return True


def _set_timeout(sock: socket.socket | TlsStream, seconds: float) -> None:
    """Set the timeout unless it is the same: settimeout() is a system call and releases the GIL."""
    if sock.gettimeout() != seconds:
        sock.settimeout(seconds)


def _no_progress(what: str, sock: socket.socket | TlsStream, error: TimeoutError) -> TimeoutError:
    # The system's own timeout, ETIMEDOUT, has a number and may come earlier.
    return error if error.errno else NoProgressError(f"the server {what} nothing for {sock.gettimeout():g} s")


def _headers(request: Request, network: Network, host: str) -> dict[str, str]:
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


def _header(name: str, value: str) -> str:
    if not _HEADER_VALUE.fullmatch(value):
        raise http.client.HTTPException(f"the value of {name} cannot be sent")
    return f"{name}: {value}"


def _length(body: bytes | Body | None) -> int:
    if body is None:
        return 0
    return len(body) if isinstance(body, bytes) else body.size
