"""Proxies in front of another server: they greet a client in their own way, then pass all bytes on."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable

Greet = Callable[[socket.socket], tuple[socket.socket, socket.socket]]
"""Speaks with a client that has connected; returns the two sockets to join."""


class Relay:
    """Listens on loopback and joins each client with what *greet* connects it to."""

    def __init__(self, greet: Greet) -> None:
        self._greet = greet
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more clients."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            near, far = self._greet(client)
            with near, far:
                threading.Thread(target=_pass_on, args=(far, near), daemon=True).start()
                _pass_on(near, far)


def over_tls(context: ssl.SSLContext, port: int) -> Greet:
    """Return the greeting of a server that speaks TLS in front of *port*."""
    return lambda client: (context.wrap_socket(client, server_side=True), socket.create_connection(("127.0.0.1", port)))


def socks5(connect: Callable[[str, int], socket.socket], login: bytes = b"") -> Greet:
    """Return the greeting of a SOCKS5 proxy (RFC 1928), which *connect*s to a host by its name. With a *login*,
    `USER:PASSWORD`, it asks for that one (RFC 1929)."""

    def greet(client: socket.socket) -> tuple[socket.socket, socket.socket]:
        methods = client.recv(client.recv(2)[1])
        client.sendall(b"\x05\xff" if login and 2 not in methods else b"\x05\x02" if login else b"\x05\x00")
        if login and 2 not in methods:
            raise OSError("no login")
        if login:
            user = client.recv(client.recv(2)[1])
            given = user + b":" + client.recv(client.recv(1)[0])
            client.sendall(b"\x01\x00" if given == login else b"\x01\x01")
            if given != login:
                raise OSError("another login")
        assert client.recv(4) == b"\x05\x01\x00\x03", "not by name"
        host = client.recv(client.recv(1)[0]).decode()
        far = connect(host, int.from_bytes(client.recv(2), "big"))
        client.sendall(b"\x05\x00\x00\x01" + bytes(6))
        return client, far

    return greet


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
