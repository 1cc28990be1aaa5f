"""Stand-ins for bodies and sockets, and requests that several tests make."""

from __future__ import annotations

import io
import socket

from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.messages import Headers, Request, Response
from tests.support.server import ScriptedServer

LIMIT = 10_000_000


class FakeBody:
    """The body *content* of a response; counts how often it is closed."""

    def __init__(self, content: bytes = b"") -> None:
        self._reader = io.BytesIO(content)
        self.closed = 0

    def readinto(self, buffer: memoryview) -> int:
        return self._reader.readinto(buffer)

    def close(self) -> None:
        self.closed += 1


class FakeSocket(socket.socket):
    """A socket without a network: receives *received*, or raises them, and records what is sent and every timeout."""

    def __init__(self, *received: bytes | OSError, broken: OSError | None = None) -> None:
        super().__init__()
        self._received = list(received)
        self._broken = broken
        self.sent: list[bytes] = []
        self.timeouts: list[float | None] = []

    def send(self, data: bytes | memoryview, _flags: int = 0) -> int:  # type: ignore[override]
        if self._broken:
            raise self._broken
        self.sent.append(bytes(data))
        return len(data)

    def settimeout(self, value: float | None) -> None:
        self.timeouts.append(value)

    def gettimeout(self) -> float | None:
        return self.timeouts[-1] if self.timeouts else None

    def recv_into(self, buffer: memoryview, _size: int = 0, _flags: int = 0) -> int:  # type: ignore[override]
        block = self._received.pop(0) if self._received else b""
        if isinstance(block, OSError):
            raise block
        buffer[: len(block)] = block
        return len(block)


def response_to(request: Request, status: int = 200, content: bytes = b"", **headers: str) -> Response:
    """Return a response whose body is a `FakeBody`; underscores in the names of *headers* are hyphens."""
    named = Headers((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(request, status, named, FakeBody(content))


def get(http: HttpClient, server: ScriptedServer, path: str = "/", **options) -> bytes:
    """Return the body of a GET."""
    with http.send(Request("GET", server.url + path, **options)) as response:
        return response.content(LIMIT)


def drain(response: Response, size: int) -> None:
    """Read the whole body, at most *size* bytes at once."""
    buffer = memoryview(bytearray(size))
    while response.readinto(buffer):
        pass
