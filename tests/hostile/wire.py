"""A network of its own: a proxy on loopback behind which every name leads to a script of raw bytes.

Clients reach `https://HOST:PORT` by CONNECT and find TLS with a certificate for that name; requests to plain
`http://HOST` reach the same script. All requests are recorded, whatever their destination.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

After = Literal["keep", "close", "reset", "hang"]
_BODY_LIMIT = 4 * 1024 * 1024


@dataclass
class Sent:
    """A request as it arrived: *target* as on the request line, *headers* by lower-case name, and its destination."""

    scheme: str
    host: str
    port: int
    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""

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
        """The destination: `https://HOST`, with the port if it is not the default."""
        usual = {"https": 443, "http": 80}[self.scheme]
        return f"{self.scheme}://{self.host}" + (f":{self.port}" if self.port != usual else "")

    @property
    def text(self) -> str:
        """Everything that the other side has seen."""
        fields = "\n".join(f"{name}: {value}" for name, value in self.headers.items())
        return f"{self.method} {self.target}\n{fields}\n\n{self.body.decode('latin-1')}"


@dataclass(frozen=True)
class Response:
    """*raw* is sent unchanged, block by block with *pause* seconds between them; then the connection is kept,
    closed, reset or left silent."""

    raw: bytes | Callable[[], Iterable[bytes]]
    after: After = "keep"
    pause: float = 0.0

    def blocks(self) -> Iterable[bytes]:
        """Return the blocks to send."""
        return (self.raw,) if isinstance(self.raw, bytes) else self.raw()


Script = Callable[[Sent], Response]


@dataclass
class Wire:
    """Plays *script* to every client until it is closed. *tls* maps a host to its TLS context, None for no TLS."""

    script: Script
    tls: Callable[[str], ssl.SSLContext | None]
    requests: list[Sent] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)
    """The hosts with a connection, even one without a request."""

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def proxy(self) -> str:
        """The address for `HTTPS_PROXY`."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """Stop, and close all connections."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with self._lock:
            self._open.add(sock)
        served = sock
        try:
            reader = sock.makefile("rb")
            head = _head(reader)
            if head and head[0] == "CONNECT":
                served = self._tunnel(sock, head[1])
                host, port = _host_and_port(head[1], 443)
                reader = served.makefile("rb")
                while self._one(served, reader, _head(reader), "https", host, port):
                    pass
            elif head:
                parts = urlsplit(head[1])
                target = re.sub(r"^[a-z]+://[^/]*", "", head[1])
                plain = (head[0], target or "/", head[2])
                self._one(sock, reader, plain, "http", parts.hostname or "", parts.port or 80)
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(sock)
            for each in {served, sock}:
                with contextlib.suppress(OSError):
                    each.close()

    def _tunnel(self, sock: socket.socket, target: str) -> ssl.SSLSocket:
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        host, port = _host_and_port(target, 443)
        self.reached.add(f"https://{host}" + (f":{port}" if port != 443 else ""))
        context = self.tls(host)
        if context is None:
            sock.recv(4096)
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            raise OSError("no TLS here")
        inner = context.wrap_socket(sock, server_side=True)
        with self._lock:
            self._open.add(inner)
        return inner

    def _one(
        self,
        sock: socket.socket,
        reader: socket.SocketIO,
        head: tuple[str, str, dict[str, str]] | None,
        scheme: str,
        host: str,
        port: int,
    ) -> bool:
        """Serve one request; return whether the connection stays open."""
        if head is None:
            return False
        sent = Sent(scheme, host, port, *head)
        with self._lock:
            self.requests.append(sent)
        if "expect" in sent.headers:
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        sent.body = _body(reader, sent)
        return self._play(sock, self.script(sent))

    def _play(self, sock: socket.socket, played: Response) -> bool:
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
        return played.after == "keep" and not self._over.is_set()


def _head(reader: socket.SocketIO) -> tuple[str, str, dict[str, str]] | None:
    first = reader.readline(64 * 1024).decode("latin-1").rstrip("\r\n")
    if not first:
        return None
    method, target, _ = first.split(" ", 2)
    fields: dict[str, str] = {}
    while line := reader.readline(64 * 1024).decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        fields[name.lower()] = f"{fields[name.lower()]}, {value.strip()}" if name.lower() in fields else value.strip()
    return method, target, fields


def _host_and_port(target: str, usual: int) -> tuple[str, int]:
    host, _, port = target.rpartition(":")
    return host.strip("[]").lower(), int(port or usual)


def _body(reader: socket.SocketIO, sent: Sent) -> bytes:
    """Return the request's body; of a large one only the beginning."""
    if sent.headers.get("transfer-encoding", "").lower() == "chunked":
        parts = []
        while size := int(reader.readline().split(b";")[0], 16):
            parts.append(reader.read(size))
            reader.readline()
        reader.readline()
        return b"".join(parts)
    body, left = b"", int(sent.headers.get("content-length", "0"))
    while left > 0 and (block := reader.read(min(left, 1 << 20))):
        left -= len(block)
        body += block[: max(0, _BODY_LIMIT - len(body))]
    return body
