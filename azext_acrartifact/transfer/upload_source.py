"""What an upload sends: bytes in order, whose digest may be known only when all have passed."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ..errors import CancelledError
from ..oci.content import Chunk, Content, Pieces, cut
from ..oci.digest import Digest
from ..threads import try_start
from ..transport.messages import BLOCK

HASHED_FIRST = 32 * 1024 * 1024
"""Bytes up to which a file is hashed before it is sent: that takes less than asking whether it is there."""


@dataclass(frozen=True)
class Identity:
    """Which blob it is; *size* in bytes."""

    digest: Digest
    size: int


class Feed(Protocol):
    """Bytes to send. *key* is the same in a later process if the bytes are; empty when that cannot be told."""

    @property
    def key(self) -> str:
        """Names what is sent, for a journal."""

    @property
    def expected(self) -> int:
        """Bytes in all, or a guess."""

    def chunk(self, offset: int, most: int) -> Chunk | None:
        """The next bytes from *offset* on, at most *most*; None at the end."""

    def identity(self) -> Identity | None:
        """Which blob it is, if that is known by now."""

    def settle(self) -> Identity:
        """Which blob it is, however long that takes."""


class FileFeed:
    """A file. A large one is hashed while it is sent, so that neither waits for the other."""

    def __init__(self, content: Content, key: str, cancelled: threading.Event, hashed_first: bool = False) -> None:
        """*hashed_first* is for a file that the registry probably has."""
        self.key = key
        self._hashed_first = hashed_first or content.size <= HASHED_FIRST
        self._content = content
        self._cancelled = cancelled
        self._identity: Identity | None = None
        self._hashing: threading.Thread | None = None
        self._error: BaseException | None = None

    @property
    def expected(self) -> int:
        """Bytes in all."""
        return self._content.size

    def chunk(self, offset: int, most: int) -> Chunk | None:
        """A range of the file."""
        size = min(most, self._content.size - offset)
        return Chunk(self._content, offset, size) if size > 0 else None

    def identity(self) -> Identity | None:
        """At once for a small file; for a large one when the hashing beside has ended."""
        if self._identity is None and self._hashed_first:
            self._hash()
        elif self._hashing is None and self._identity is None:
            thread = threading.Thread(target=self._hash_beside, name="acrartifact-hash", daemon=True)
            if try_start(thread):
                self._hashing = thread
            else:
                self._hash()
        return self._identity

    def settle(self) -> Identity:
        """The identity; raises what hashing raised, such as `LocalFileError` for a file that changed."""
        if self._identity is None and self._hashing is None:
            self._hash()
        if self._hashing is not None:
            self._hashing.join()
        if self._error is not None:
            raise self._error
        assert self._identity is not None
        return self._identity

    def _hash_beside(self) -> None:
        try:
            self._hash()
        # Whatever it is, `settle` raises it in the sender's thread.
        except BaseException as error:  # pylint: disable=broad-except
            self._error = error

    def _hash(self) -> None:
        state = hashlib.sha256()
        buffer = memoryview(bytearray(min(BLOCK, self._content.size + 1)))
        with self._content.open_range(0, self._content.size) as reader:
            while count := reader.readinto(buffer):  # type: ignore[union-attr]
                if self._cancelled.is_set():
                    raise CancelledError("Stopped")
                state.update(buffer[:count])
        self._identity = Identity(Digest(f"sha256:{state.hexdigest()}"), self._content.size)


class StreamFeed:
    """Bytes that are made on the way, such as a packed folder: no copy of them is kept but the chunk under way.

    *restart* begins them anew; they must be the same each time. Going back before the chunk under way makes them
    again.
    """

    def __init__(self, restart: Callable[[], Iterator[bytes | bytearray]], key: str, expected: int) -> None:
        self.key = key
        self.expected = expected
        self._restart = restart
        self._begin()

    def _begin(self) -> None:
        self._blocks = self._restart()
        self._hash = hashlib.sha256()
        self._held: deque[memoryview] = deque()
        self._size = 0
        self._start = 0
        self._ended = False

    def chunk(self, offset: int, most: int) -> Chunk | None:
        """The bytes from *offset* on; those before it are forgotten."""
        if offset < self._start:
            self._begin()
        self._forget(offset)
        while self._size <= most and not self._ended:
            self._fill()
            self._forget(offset)
        pieces = Pieces(tuple(cut(self._held, 0, most)))
        return Chunk(pieces, 0, pieces.size) if pieces.size else None

    def identity(self) -> Identity | None:
        """Once all bytes have been made."""
        if not self._ended:
            return None
        return Identity(Digest(f"sha256:{self._hash.hexdigest()}"), self._start + self._size)

    def settle(self) -> Identity:
        """The identity; makes what is left of the bytes."""
        while not self._ended:
            self._forget(self._start + self._size)
            self._fill()
        identity = self.identity()
        assert identity is not None
        return identity

    def _fill(self) -> None:
        block = next(self._blocks, None)
        if block is None:
            self._ended = True
        else:
            self._hash.update(block)
            self._held.append(memoryview(block))
            self._size += len(block)

    def _forget(self, offset: int) -> None:
        gone = max(min(offset - self._start, self._size), 0)
        self._start += gone
        self._size -= gone
        while gone:
            first = self._held.popleft()
            if gone < len(first):
                self._held.appendleft(first[gone:])
            gone -= min(gone, len(first))
