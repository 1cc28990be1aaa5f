"""The bytes of one client connection: buffered reads, complete writes, TLS, and ways to break it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time

from acr_emulator.front.http1 import HEAD_LIMIT
from acr_emulator.messages import BadRequest

_QUICKACK = getattr(socket, "TCP_QUICKACK", None)
_RECEIVE = 64 * 1024
_LINGER_BYTES = 64 * 1024 * 1024
_LINGER_SECONDS = 2.0


class Wire:
    """A socket that buffers what it read ahead. *dead* is true once either side broke it."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._buffer = b""
        self.dead = False
        self.continue_due = False
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read_head(self) -> bytes | None:
        """Read up to the next empty line; None at a clean end. Raise `BadRequest`, `EOFError` or `OSError`."""
        self._acknowledge_at_once()
        data = self._buffer.lstrip(b"\r\n")
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > HEAD_LIMIT:
                raise BadRequest(f"the head is larger than {HEAD_LIMIT} bytes")
            more = self._socket.recv(_RECEIVE)
            if not more:
                self._end_of_stream(data)
                return None
            data += more
        if end > HEAD_LIMIT:
            raise BadRequest(f"the head is larger than {HEAD_LIMIT} bytes")
        self._buffer = data[end + 4 :]
        return data[:end]

    def read_line(self, limit: int = 4096) -> bytes:
        """Read up to the next CRLF; raise `BadRequest` or `EOFError`."""
        self.send_continue()
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > limit:
                raise BadRequest("a line of the chunked body is too long")
            more = self._socket.recv(_RECEIVE)
            if not more:
                raise EOFError("the client disconnected in its request body")
            self._buffer += more
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line

    def recv_into(self, view: memoryview) -> int:
        """Read some bytes into *view* and return their number; 0 at the end of the stream."""
        if self._buffer:
            count = min(len(view), len(self._buffer))
            view[:count] = self._buffer[:count]
            self._buffer = self._buffer[count:]
            return count
        self.send_continue()
        return self._socket.recv_into(view)

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of *data*; raise `OSError`."""
        self._socket.sendall(data)

    def send_continue(self) -> None:
        """Send 100 Continue, if the client waits for it (RFC 9110 §10.1.1)."""
        if self.continue_due:
            self.continue_due = False
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Start TLS as the server; raise `OSError`, also if the client sent bytes too early."""
        if self._buffer:
            raise ConnectionError("the client sent bytes before the tunnel was open")
        self._socket = context.wrap_socket(self._socket, server_side=True)

    def reset(self) -> None:
        """Break the connection so that the client sees ECONNRESET: close and discard data (RST)."""
        self.dead = True
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def cut(self) -> None:
        """End the stream early (FIN, without TLS's close_notify); `close` follows."""
        self.dead = True
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_WR)

    def close(self) -> None:
        """Close the connection, but let a client that still sends read the response first (RFC 9112 §9.6)."""
        self.dead = True
        with contextlib.suppress(OSError, ValueError):
            # Plain socket calls even under TLS: without close_notify, and the client's bytes are discarded unread.
            socket.socket.shutdown(self._socket, socket.SHUT_WR)
            _discard(self._socket)
        self._socket.close()

    def abort(self) -> None:
        """Wake a thread that reads or writes this connection; called from another thread."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _end_of_stream(self, data: bytes) -> None:
        if data:
            raise EOFError("the client disconnected in a request's head")

    def _acknowledge_at_once(self) -> None:
        # A client with Nagle's algorithm on (urllib3 behind a proxy) waits for this acknowledgement between head and
        # body, 40 ms if delayed. Linux returns to delayed acknowledgement by itself, so set this for every request.
        if _QUICKACK is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)


def _discard(sock: socket.socket) -> None:
    sock.settimeout(0.5)
    scratch = bytearray(_RECEIVE)
    discarded, end = 0, time.monotonic() + _LINGER_SECONDS
    while discarded < _LINGER_BYTES and time.monotonic() < end:
        count = socket.socket.recv_into(sock, scratch)
        if count == 0:
            return
        discarded += count
