"""Request bodies as bounded readers, by Content-Length or chunked (RFC 9112 §6, §7.1)."""

from __future__ import annotations

import re

from acr_emulator.front.shape import Dropped, Shape
from acr_emulator.front.wire import Wire
from acr_emulator.messages import BLOCK, BadRequest

_SCRATCH = 256 * 1024
_HEXADECIMAL = re.compile(rb"[0-9a-fA-F]{1,16}")


class Body:
    """A request body. `read` returns fewer bytes than requested only at the end, or when the client disconnects;
    the next call then raises `EOFError`, so that a service can use the bytes that arrived."""

    def __init__(self, wire: Wire, length: int | None) -> None:
        self._wire = wire
        self.chunked = length is None
        self.left = length or 0
        self._first = True
        self.broken = False
        self.shape: Shape | None = None
        self.received = 0
        self.finished = length == 0

    def read(self, size: int = -1) -> bytes:
        """Read up to *size* bytes (if negative, all that are left)."""
        if self.finished:
            return b""
        if 0 <= size <= _SCRATCH:
            scratch = bytearray(size)
            return bytes(memoryview(scratch)[: self._fill(memoryview(scratch))])
        return self._read_large(size)

    def readinto(self, target: bytearray | memoryview) -> int:
        """Fill *target* as far as the body reaches and return the number of bytes."""
        return self._fill(memoryview(target))

    def drain(self, limit: int) -> bool:
        """Discard unread bytes and return whether the body ended within *limit* bytes."""
        scratch = memoryview(bytearray(_SCRATCH))
        self.shape = None
        while not self.finished and not self.broken and limit > 0:
            limit -= self._fill(scratch)
        return self.finished

    def _read_large(self, size: int) -> bytes:
        parts: list[bytes] = []
        scratch = memoryview(bytearray(BLOCK))
        while size != 0:
            want = BLOCK if size < 0 else min(BLOCK, size)
            got = self._fill(scratch[:want])
            parts.append(bytes(scratch[:got]))
            size -= got if size > 0 else 0
            if got < want:
                break
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _fill(self, view: memoryview) -> int:
        if self.broken:
            raise EOFError("the client disconnected in its request body")
        got = 0
        try:
            while got < len(view) and not self.finished and not self.broken:
                got += self._receive(view[got:])
        except (EOFError, OSError) as error:
            self.broken = True
            if not got:
                raise EOFError("the client disconnected in its request body") from error
        self.received += got
        return got

    def _receive(self, view: memoryview) -> int:
        if self.chunked and self.left == 0 and not self._another_chunk():
            return 0
        wanted = min(len(view), self.left)
        if self.shape is not None:
            wanted = self.shape.room(wanted)
        count = self._wire.recv_into(view[:wanted])
        if count == 0:
            raise EOFError("the client disconnected in its request body")
        self.left -= count
        if self.left == 0 and not self.chunked:
            self.finished = True
        if self.shape is not None:
            self._advance(count)
        return count

    def _advance(self, count: int) -> None:
        assert self.shape is not None
        try:
            self.shape.advance(count)
        except Dropped:
            self.broken, self.finished = True, False

    def _another_chunk(self) -> bool:
        try:
            return self._next_chunk()
        except BadRequest:
            self.broken = True
            raise

    def _next_chunk(self) -> bool:
        if not self._first and self._wire.read_line():
            raise BadRequest("a chunk is longer than its size")
        self._first = False
        size = self._wire.read_line().partition(b";")[0].strip()
        if not _HEXADECIMAL.fullmatch(size):
            raise BadRequest("a chunk's size is not hexadecimal")
        self.left = int(size, 16)
        if self.left == 0:
            while self._wire.read_line():
                pass  # trailer fields
            self.finished = True
        return self.left > 0
