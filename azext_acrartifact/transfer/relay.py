"""A blob sent on as it comes from another storage: nothing of it is kept, on disk or in memory.

Both sides run at once, since the system's socket buffers fill and drain on their own while the other side is served.
"""

from __future__ import annotations

import hashlib
import io

from ..errors import ConnectionFailedError, DigestMismatchError
from ..oci.content import Chunk, Source
from ..oci.descriptor import Descriptor
from ..oci.digest import algorithm_of
from ..transport.messages import BLOCK
from ..transport.retry import Attempts
from .resuming_stream import SteadyStream
from .upload_source import Identity

MOST_MARKS = 4


class RelayFeed:
    """*blob* of *source*, as the `Feed` and the `Content` of an upload.

    Every byte passes a hash on its way, and the last of them are handed out only when the digest is right: an upload
    of wrong bytes is never complete. After a break of either side, bytes are read again from where the hash is known.
    """

    def __init__(self, source: Source, blob: Descriptor, attempts: Attempts, key: str) -> None:
        self.key = key
        self._blob = blob
        self._stream = SteadyStream(source, blob, attempts)
        self._hash = hashlib.new(algorithm_of(blob.digest))
        self._at = 0
        self._marks = {0: self._hash.copy()}
        self._verified = False
        self._error: ConnectionFailedError | None = None

    @property
    def expected(self) -> int:
        """Bytes in all."""
        return self._blob.size

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._blob.size

    def chunk(self, offset: int, most: int) -> Chunk | None:
        """A range of the blob. None, at its end, only when all of it has been seen and is right: raises
        `DigestMismatchError` otherwise, and what the source raised for good."""
        if self._error is not None:
            raise self._error
        size = min(most, self._blob.size - offset)
        if size > 0:
            return Chunk(self, offset, size)
        if not self._verified:
            # An earlier run has sent the rest: it is read once more, since nobody else knows what that was.
            self._go_to(self._blob.size)
            self._confirm()
        return None

    def identity(self) -> Identity:
        """Which blob it is, as its manifest says."""
        return Identity(self._blob.digest, self._blob.size)

    def settle(self) -> Identity:
        """The same."""
        return self.identity()

    def open_range(self, offset: int, length: int) -> io.RawIOBase:
        """A reader of *length* bytes from *offset*; it goes on with the connection of the one before if it can."""
        self._go_to(offset)
        return _Reader(self, length)

    def read(self, buffer: memoryview) -> int:
        """Fill *buffer* with the next bytes. Raises `ConnectionFailedError` when the source stays broken."""
        try:
            count = self._stream.readinto(buffer[: self._blob.size - self._at], self._at)
        except ConnectionFailedError as error:
            self._error = error
            raise
        self._account(buffer[:count])
        return count

    def close(self) -> None:
        """Give up the connection; the position is kept."""
        self._stream.close()

    def _account(self, block: memoryview) -> None:
        if not block:
            raise DigestMismatchError("Fewer bytes came than were announced", where=self._blob.digest)
        self._hash.update(block)
        self._at += len(block)
        if self._at == self._blob.size:
            self._confirm()

    def _confirm(self) -> None:
        self.close()
        found = f"{algorithm_of(self._blob.digest)}:{self._hash.hexdigest()}"
        if found != self._blob.digest:
            raise DigestMismatchError(
                "The bytes are not the right ones", where=self._blob.digest, why=f"they are {found}"
            )
        self._verified = True

    def _go_to(self, offset: int) -> None:
        """Be at *offset* with a hash over all before it, for which bytes may have to be read again."""
        if offset != self._at:
            self.close()
            self._at = max(mark for mark in self._marks if mark <= offset)
            self._hash = self._marks[self._at].copy()
        buffer = memoryview(bytearray(min(BLOCK, max(offset - self._at, 1))))
        while self._at < offset:
            self.read(buffer[: offset - self._at])
        self._marks[offset] = self._hash.copy()
        for old in sorted(self._marks)[1 : 1 - MOST_MARKS]:
            del self._marks[old]


class _Reader(io.RawIOBase):
    def __init__(self, feed: RelayFeed, length: int) -> None:
        self._feed, self._left = feed, length

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._left:
            return 0
        count = self._feed.read(buffer[: self._left])
        self._left -= count
        return count
