"""TLS over a connected socket, with few system calls.

`ssl.SSLSocket` makes two for each record of 16 KiB that it receives, and one for each that it sends. Here one call
moves many records, which saves a tenth of the processor time of a large transfer (`docs/decisions`, 0014).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from typing import TypeVar

SEND_BLOCK = 64 * 1024
"""Bytes that the other side must take within the socket's timeout."""
_SHORT_READ, _LONG_READ = 32 * 1024, 256 * 1024
"""Bytes to receive at once, for headers and for a body."""

_Result = TypeVar("_Result")


class TlsStream:
    """A TLS connection over *sock*, which it owns. The methods behave as those of `ssl.SSLSocket`, with its timeouts:
    each call fails with `TimeoutError` when it has waited for so long in all."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, host: str) -> None:
        """Shake hands with *host*. Raises OSError, such as `ssl.SSLCertVerificationError`, and closes *sock* then."""
        self._socket = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
            self._complete(self._tls.do_handshake)
            self._flush()
        except BaseException:
            with contextlib.suppress(OSError):
                self._flush()  # the alert that says why
            sock.close()
            raise

    def recv_into(self, buffer: memoryview) -> int:
        """Fill *buffer* with all that has arrived, and wait only if that is nothing. Returns 0 at the end."""
        try:
            count = self._complete(lambda: self._read(buffer), len(buffer))
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return 0
        more = count
        try:
            while more and count < len(buffer) and self._incoming.pending:
                more = self._read(buffer[count:])
                count += more
        except ssl.SSLWantReadError:
            pass
        return count

    def send(self, data: bytes | memoryview) -> int:
        """Send all of *data*, and return its length."""
        count = self._complete(lambda: self._tls.write(data))
        self._flush()
        return count

    def has_content(self) -> bool:
        """Return whether content has arrived that nobody has asked for, or the end. Session tickets are no content: TLS
        1.3 servers send them after the handshake (RFC 8446 §4.6.1)."""
        timeout = self._socket.gettimeout()
        self._socket.settimeout(0)
        try:
            self._complete(lambda: self._tls.read(1))
        except (BlockingIOError, ssl.SSLWantReadError):  # the second from the TLS of a proxy
            return False
        except OSError:
            pass
        finally:
            self._socket.settimeout(timeout)
        return True

    @property
    def has_undecrypted(self) -> bool:
        """Whether something was received that has not been read."""
        return bool(self._incoming.pending or self._tls.pending())

    def settimeout(self, seconds: float | None) -> None:
        """Set the seconds that each call may wait."""
        self._socket.settimeout(seconds)

    def gettimeout(self) -> float | None:
        """Return the seconds that each call may wait."""
        return self._socket.gettimeout()

    def fileno(self) -> int:
        """Return the descriptor of the socket."""
        return self._socket.fileno()

    def shutdown(self, how: int) -> None:
        """Shut the socket down, from any thread. What another thread sends just then stays encrypted."""
        # Over a proxy's TLS, SSLSocket.shutdown would drop the encryption first.
        socket.socket.shutdown(self._socket, how)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _read(self, buffer: memoryview) -> int:
        # With a buffer it returns a number, which typeshed does not know.
        return int(self._tls.read(len(buffer), buffer))

    def _complete(self, step: Callable[[], _Result], size: int = 0) -> _Result:
        """Return the result of *step*, which is repeated until enough has been received for it. *size* is the number
        of bytes that the caller has room for."""
        timeout = self._socket.gettimeout()
        began = 0.0
        try:
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    pass
                self._flush()
                if began and timeout:
                    self._socket.settimeout(_left(began + timeout))
                began = began or time.monotonic()
                self._fill(_LONG_READ if size > _SHORT_READ else _SHORT_READ)
        finally:
            _restore(self._socket, timeout)

    def _fill(self, size: int) -> None:
        received = self._socket.recv(size)
        if received:
            self._incoming.write(received)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        """Send what is encrypted. The other side must take `SEND_BLOCK` bytes within each timeout."""
        if not self._outgoing.pending:
            return
        left, taken = memoryview(self._outgoing.read()), 0
        timeout = self._socket.gettimeout()
        began = time.monotonic()
        try:
            while left:
                count = self._socket.send(left)
                left, taken = left[count:], taken + count
                if taken >= SEND_BLOCK:
                    taken, began = 0, time.monotonic()
                elif timeout and left:
                    self._socket.settimeout(_left(began + timeout))
        finally:
            _restore(self._socket, timeout)


def _restore(sock: socket.socket, timeout: float | None) -> None:
    if sock.gettimeout() != timeout:
        sock.settimeout(timeout)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
