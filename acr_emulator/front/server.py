"""The listening socket: one thread for each connection, loopback only."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading

from acr_emulator.front.connection import Backend, Connection
from acr_emulator.front.wire import Wire

_BACKLOG = 1024


class Server:
    """Accept connections on 127.0.0.1:*port* (0: any free one) for *backend*."""

    def __init__(self, backend: Backend, port: int = 0) -> None:
        self._backend = backend
        self._listener = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
        self.port: int = self._listener.getsockname()[1]
        self._numbers = itertools.count(1)
        self._open: set[Wire] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, name="accept", daemon=True)

    def start(self) -> None:
        """Start to accept, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Close the listening socket and every connection."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            wires = list(self._open)
        for wire in wires:
            wire.abort()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            number = next(self._numbers)
            threading.Thread(target=self._serve, args=(sock, number), name=f"connection-{number}", daemon=True).start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            wire = Wire(sock)
        except OSError:
            return
        with self._lock:
            self._open.add(wire)
        try:
            Connection(wire, number, self._backend).serve()
        finally:
            with self._lock:
                self._open.discard(wire)
