"""A server of raw bytes on loopback: it plays the answers of a script and keeps the requests that came.

Nothing of HTTP is hidden: what a test writes is what goes over the wire, down to the length that is a lie
(the idea is urllib3's `SocketDummyServerTestCase`).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

After = Literal["keep", "close", "reset", "hang", "tls"]


@dataclass(frozen=True)
class Sent:
    """A request as it came: *target* as on the request line, *headers* by lower-case name."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The target's query."""
        return self.target.partition("?")[2]


@dataclass(frozen=True)
class Answer:
    """*raw* goes out as it is, and *after* it the connection is kept, closed, reset, left silent, or turned to TLS.

    *body_read* is how much of the request's body is read before the answer (None: all). *trickle* sends single
    bytes of what follows the head, with so many seconds between them.
    """

    raw: bytes
    after: After = "keep"
    body_read: int | None = None
    trickle: float = 0.0
    tls: ssl.SSLContext | None = None
    delay: float = 0.0

    def then(self, after: After) -> Answer:
        """The same answer with another end."""
        return replace(self, after=after)


Script = Answer | Callable[[Sent], Answer]


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    """A well-formed answer; underscores in the names of *headers* are hyphens."""
    fields = {"Content-Length": str(len(body)), **{name.replace("_", "-"): text for name, text in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return Answer(f"HTTP/1.1 {status} Reason\r\n{head}\r\n".encode("latin-1") + body)


def reset() -> Answer:
    """No answer: the connection is reset once the request has come."""
    return Answer(b"", "reset")


@dataclass
class ScriptedServer:
    """Plays one answer of *script* for each request, whatever connection it comes on; then it closes.

    A single function as the *script* answers every request, from any number of connections.
    """

    script: Sequence[Script] | Callable[[Sent], Answer]
    tls: ssl.SSLContext | None = None
    requests: list[Sent] = field(default_factory=list)

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
        """The origin."""
        return f"{'https' if self.tls else 'http'}://{self.server}"

    @property
    def left(self) -> int:
        """How many answers were not asked for."""
        return len(self._left or [])

    def lines(self) -> list[str]:
        """What was asked for: method and target of each request."""
        return [f"{request.method} {request.target}" for request in self.requests]

    def close(self) -> None:
        """Stop, and wake every connection."""
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
        try:
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            self._sockets.append(sock)
            while self._one(sock, number):
                pass
        except OSError:
            pass
        finally:
            with contextlib.suppress(OSError):
                sock.close()

    def _one(self, sock: socket.socket, number: int) -> bool:
        """Serve one request; whether the connection goes on."""
        head = _head(sock)
        if head is None:
            return False
        method, target, fields = head
        with self._lock:
            position = len(self.requests)
            self.requests.append(Sent(method, target, fields, b"", number))
            step = self._left.pop(0) if self._left else (None if self._left is not None else self.script)
        if step is None:
            return False
        wanted = int(fields.get("content-length", "0"))
        limit = step.body_read if isinstance(step, Answer) else None
        sent = replace(self.requests[position], body=_exactly(sock, wanted if limit is None else min(limit, wanted)))
        self.requests[position] = sent
        played = step if isinstance(step, Answer) else step(sent)  # type: ignore[operator]
        return self._play(sock, played, number)

    def _play(self, sock: socket.socket, played: Answer, number: int) -> bool:
        if played.delay:
            self._over.wait(played.delay)
        head, mark, rest = played.raw.partition(b"\r\n\r\n")
        sock.sendall(head + mark if played.trickle else played.raw)
        for at in range(len(rest) if played.trickle else 0):
            if self._over.wait(played.trickle):
                return False
            sock.sendall(rest[at : at + 1])
        return self._end(sock, played, number)

    def _end(self, sock: socket.socket, played: Answer, number: int) -> bool:
        if played.after == "keep":
            return True
        if played.after == "hang":
            self._over.wait(20)
        elif played.after == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif played.after == "tls":
            assert played.tls is not None
            inner = played.tls.wrap_socket(sock, server_side=True)
            self._sockets.append(inner)
            with contextlib.closing(inner):
                while self._one(inner, number):
                    pass
        elif played.body_read is not None:
            # The answer arrives before the reset that a close with unread bytes is.
            self._over.wait(0.1)
        return False


def _head(sock: socket.socket) -> tuple[str, str, dict[str, str]] | None:
    raw = bytearray()
    while not raw.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        if not byte:
            return None
        raw += byte
        if raw == b"\x16":  # a TLS handshake, which plain servers answer like this
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            return None
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = [line.partition(":") for line in lines]
    return method, target, {name.lower(): value.strip() for name, _, value in pairs}


def _exactly(sock: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        block = sock.recv(min(65536, size - len(parts)))
        if not block:
            break
        parts += block
    return bytes(parts)
