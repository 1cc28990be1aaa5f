"""Proxies that refuse every connection."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.support.server import RawResponse, ScriptedServer


@contextmanager
def refusing_proxy(status: str) -> Iterator[str]:
    """Yield the URL of a proxy that responds *status* (`407 Proxy Authentication Required`) to every request."""
    refusal = RawResponse(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode(), "close")
    with closing(ScriptedServer(lambda _: refusal)) as server:
        yield server.url


def free_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])
