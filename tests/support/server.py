"""A server of raw bytes on loopback: it plays the responses of a script and records the requests.

Nothing of HTTP is hidden: a test writes every byte that is sent, up to a length that is a lie (the idea is urllib3's
`SocketDummyServerTestCase`). With *hosts* it is a proxy behind which every host name leads to the same script.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Literal
from urllib.parse import urlsplit

After = Literal["keep", "close", "reset", "hang", "tls"]
LONGEST_LINE = 64 * 1024


@dataclass
class Sent:
    """A request: *target* as on the request line, *headers* by lower-case name."""

    scheme: str
    host: str
    port: int
    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    connection: int = 0

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The target's query."""
        return self.target.partition("?")[2]

    @property
    def origin(self) -> str:
        """`https://HOST`, with the port unless it is the default one."""
        return _origin(self.scheme, self.host, self.port)

    @property
    def text(self) -> str:
        """The whole request."""
        headers = "\n".join(f"{name}: {value}" for name, value in self.headers.items())
        return f"{self.method} {self.target}\n{headers}\n\n{self.body.decode('latin-1')}"


@dataclass(frozen=True)
class RawResponse:
    """*raw* is sent as it is, block by block with *pause* seconds between them, *delay* seconds after the request. Then
    the connection is kept, closed, reset, left silent or, with *tls*, encrypted.

    *body_read* is how much of the request's body is read before the response (None: all).
    """

    raw: bytes | Callable[[], Iterable[bytes]]
    after: After = "keep"
    pause: float = 0.0
    body_read: int | None = None
    tls: ssl.SSLContext | None = None
    delay: float = 0.0

    def blocks(self) -> Iterable[bytes]:
        """Return the blocks to send."""
        return (self.raw,) if isinstance(self.raw, bytes) else self.raw()


Step = RawResponse | Callable[[Sent], RawResponse]


def respond(status: int = 200, body: bytes = b"", **headers: str) -> RawResponse:
    """Return a well-formed response; underscores in the names of *headers* are hyphens."""
    lines = {"Content-Length": str(len(body)), **{name.replace("_", "-"): text for name, text in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return RawResponse(f"HTTP/1.1 {status} Reason\r\n{head}\r\n".encode("latin-1", "surrogateescape") + body)


def reset() -> RawResponse:
    """Return no response: the connection is reset after the request."""
    return RawResponse(b"", "reset")


@dataclass
class ScriptedServer:
    """Plays one response of *script* for each request, on whatever connection it comes, then closes connections. A
    function as the *script* responds to every request.

    *tls* encrypts all connections. *hosts* returns the certificate of a host, or None for a host without TLS, and makes
    the server a proxy. At most *body_limit* bytes of a request's body are recorded.
    """

    script: Sequence[Step] | Callable[[Sent], RawResponse]
    tls: ssl.SSLContext | None = None
    hosts: Callable[[str], ssl.SSLContext | None] | None = None
    body_limit: int = 1 << 40
    requests: list[Sent] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)
    """Origins to which a client asked the proxy to connect."""

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._lock = threading.Lock()
        self._left = None if callable(self.script) else list(self.script)
        self._over = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def server(self) -> str:
        """HOST:PORT."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The origin, or the URL of the proxy."""
        return f"{'https' if self.tls else 'http'}://{self.server}"

    @property
    def left(self) -> int:
        """Number of responses not yet played."""
        return len(self._left or [])

    def lines(self) -> list[str]:
        """Return method and target of each request."""
        return [f"{request.method} {request.target}" for request in self.requests]

    def close(self) -> None:
        """Stop, and shut down every connection."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in list(self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        origin = ("https" if self.tls else "http", "127.0.0.1", self.port)
        with contextlib.suppress(OSError, ValueError), contextlib.closing(sock):
            self._sockets.append(sock)
            self._requests(sock, self.tls, origin, number)

    def _requests(
        self, sock: socket.socket, tls: ssl.SSLContext | None, origin: tuple[str, str, int], number: int
    ) -> None:
        """Serve the requests on *sock*, encrypted if there is *tls*."""
        if tls:
            sock = tls.wrap_socket(sock, server_side=True)
            self._sockets.append(sock)
        with contextlib.closing(sock), sock.makefile("rb") as reader:
            while (head := _head(sock, reader)) and self._one(sock, reader, Sent(*origin, *head, connection=number)):
                pass

    def _one(self, sock: socket.socket, reader: BinaryIO, sent: Sent) -> bool:
        """Serve one request; return whether the connection is kept."""
        if self.hosts and sent.method == "CONNECT":
            return self._tunnel(sock, sent)
        if self.hosts and sent.scheme == "http":
            parts = urlsplit(sent.target)
            sent.host, sent.port = parts.hostname or "", parts.port or 80
            sent.target = re.sub(r"^[a-z]+://[^/]*", "", sent.target) or "/"
        with self._lock:
            self.requests.append(sent)
            step = self.script if self._left is None else self._left.pop(0) if self._left else None
        if step is None:
            return False
        if "expect" in sent.headers:
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        sent.body = _body(reader, sent.headers, self.body_limit, step.body_read if _is_response(step) else None)
        return self._play(sock, step if _is_response(step) else step(sent), sent)

    def _tunnel(self, sock: socket.socket, sent: Sent) -> bool:
        assert self.hosts
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        host, _, port = sent.target.rpartition(":")
        origin = ("https", host.strip("[]").lower(), int(port))
        self.reached.add(_origin(*origin))
        self._requests(sock, self.hosts(origin[1]), origin, sent.connection)
        return False

    def _play(self, sock: socket.socket, played: RawResponse, sent: Sent) -> bool:
        if played.delay:
            self._over.wait(played.delay)
        for block in played.blocks():
            if self._over.is_set():
                return False
            sock.sendall(block)
            if played.pause and self._over.wait(played.pause):
                return False
        if played.after == "hang":
            self._over.wait(120)
        elif played.after == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif played.after == "tls":
            self._requests(sock, played.tls, ("https", sent.host, sent.port), sent.connection)
        elif played.after == "close" and played.body_read is not None:
            # The response arrives before the reset that a close with unread bytes is.
            self._over.wait(0.1)
        return played.after == "keep"


def _is_response(step: object) -> bool:
    return isinstance(step, RawResponse)


def _origin(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://{host}" + (f":{port}" if port != {"https": 443, "http": 80}[scheme] else "")


def _head(sock: socket.socket, reader: BinaryIO) -> tuple[str, str, dict[str, str]] | None:
    if reader.peek(1)[:1] == b"\x16":  # type: ignore[attr-defined]  # a TLS handshake, where there is no TLS
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        return None
    first = _line(reader)
    if not first:
        return None
    method, target, _ = first.split(" ", 2)
    headers: dict[str, str] = {}
    while line := _line(reader):
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return method, target, headers


def _line(reader: BinaryIO) -> str:
    return reader.readline(LONGEST_LINE).decode("latin-1").rstrip("\r\n")


def _body(reader: BinaryIO, headers: dict[str, str], limit: int, read: int | None) -> bytes:
    """Read the body, or its first *read* bytes; return its first *limit* bytes."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        chunks = []
        while size := int(reader.readline().split(b";")[0], 16):
            chunks.append(reader.read(size))
            reader.readline()
        reader.readline()
        return b"".join(chunks)
    body, left = bytearray(), int(headers.get("content-length", "0"))
    left = left if read is None else min(left, read)
    while left > 0 and (block := reader.read(min(left, 1 << 20))):
        left -= len(block)
        body += block[: max(0, limit - len(body))]
    return bytes(body)
