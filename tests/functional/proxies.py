"""Proxies that do not let anybody through."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager


@contextmanager
def refusing_proxy(status: str) -> Iterator[str]:
    """The URL of a proxy that answers every request with *status* (`407 Proxy Authentication Required`)."""
    answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=_refuse, args=(server, answer), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _refuse(server: socket.socket, answer: bytes) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        with client:
            client.settimeout(10)
            client.recv(65536)
            client.sendall(answer)


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])
