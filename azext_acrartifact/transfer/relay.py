"""Upload a blob while it arrives from another storage, without a copy on disk or in memory.

Both sides transfer at the same time: the system's socket buffers fill and drain while the other side is served.
"""

from __future__ import annotations

import io

from ..errors import ConnectionFailedError
from ..oci.content import Chunk, Source
from ..oci.descriptor import Descriptor
from ..oci.digest import Verifier
from ..transport.retry import Attempts
from .budget import TransferBudget, Tries
from .resuming_stream import ResumingStream
from .sizes import DEFAULT_SIZES, TransferSizes
from .upload_source import Identity

MOST_MARKS = 4


class RelaySource:
    """*blob* of *source*, as the `UploadSource` and the `Content` of an upload.

    Every byte is hashed as it passes, and the last ones are handed out only when the digest is right: an upload of
    wrong bytes never completes. After a break of either side, bytes are read again from where the hash is known.
    """

    def __init__(
        self, source: Source, blob: Descriptor, attempts: Attempts, key: str, sizes: TransferSizes = DEFAULT_SIZES
    ) -> None:
        self.key, self.name = key, blob.title or blob.digest
        self._blob, self._sizes = blob, sizes
        self._budget = TransferBudget("fetched", sizes.chunk, blob.size, self.name)
        self._stream = ResumingStream(source, blob, Tries(attempts), self._budget)
        self._verifier = Verifier(blob.digest, blob.size)
        self._marks = {0: self._verifier.copy()}
        self._verified = False
        self._error: ConnectionFailedError | None = None

    @property
    def size(self) -> int:
        """The size in bytes."""
        return self._blob.size

    expected = size

    def chunk(self, offset: int, most: int) -> Chunk | None:
        """Return a range of the blob; None at its end, once all of it has been read and verified. Raises
        `DigestMismatchError` for wrong bytes, and what the source raised when it stayed broken."""
        if self._error is not None:
            raise self._error
        size = min(most, self._blob.size - offset)
        if size > 0:
            return Chunk(self, offset, size)
        if not self._verified:
            # An earlier run has sent the rest. Read it once more, since only its digest shows what was sent.
            self._go_to(self._blob.size)
            self._confirm()
        return None

    def identity(self) -> Identity:
        """Return the blob's identity according to its manifest."""
        return Identity(self._blob.digest, self._blob.size)

    settle = identity

    def open_range(self, offset: int, length: int) -> io.RawIOBase:
        """Return a reader of *length* bytes from *offset*, on the connection of the previous reader if it fits."""
        self._go_to(offset)
        return _Reader(self, length)

    def read(self, buffer: memoryview) -> int:
        """Fill *buffer* with the next bytes. Raises `ConnectionFailedError` when the source stays broken."""
        try:
            count = self._stream.readinto(buffer[: self._blob.size - self._position], self._position)
        except ConnectionFailedError as error:
            self._error = error
            raise
        self._verifier.update(buffer[:count])
        if self._position == self._blob.size:
            self._confirm()
        return count

    def close(self) -> None:
        """Close the connection; the next read resumes."""
        self._stream.close()

    @property
    def _position(self) -> int:
        return self._verifier.seen

    def _confirm(self) -> None:
        self.close()
        self._verifier.finish()
        self._verified = True

    def _go_to(self, offset: int) -> None:
        """Move to *offset* with a hash of all bytes before it, some of which may have to be read again."""
        if offset != self._position:
            self.close()
            before = self._position
            self._verifier = self._marks[max(mark for mark in self._marks if mark <= offset)].copy()
            # The target lost what it had. How often, `BlobUpload` decides.
            self._budget.returned(max(before - self._position, 0))
        buffer = memoryview(bytearray(min(self._sizes.buffer, max(offset - self._position, 1))))
        while self._position < offset:
            self.read(buffer[: offset - self._position])
        self._marks[offset] = self._verifier.copy()
        for old in sorted(self._marks)[1 : 1 - MOST_MARKS]:
            del self._marks[old]


class _Reader(io.RawIOBase):
    def __init__(self, source: RelaySource, length: int) -> None:
        self._source, self._left = source, length

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._left:
            return 0
        count = self._source.read(buffer[: self._left])
        self._left -= count
        return count
