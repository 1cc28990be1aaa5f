"""One blob down: every byte is hashed as it comes, and a break goes on where it was."""

from __future__ import annotations

from typing import Protocol

from ..errors import ConnectionFailedError, DigestMismatchError
from ..oci.content import Advance, Source, Stream
from ..oci.descriptor import Descriptor
from ..oci.digest import Verifier
from ..transport.messages import BLOCK
from ..transport.retry import Attempts


class Sink(Protocol):
    """Where a blob's bytes go until they are known to be right."""

    def write(self, data: memoryview) -> None:
        """Append *data*."""

    def restart(self) -> None:
        """Forget what was written."""


class BlobDownload:
    """The bytes of *blob* from *source*, in order, from the first to the last, whatever breaks meanwhile.

    *advance* is told of bytes as they come.
    """

    def __init__(self, source: Source, blob: Descriptor, attempts: Attempts, advance: Advance) -> None:
        self._source, self._blob = source, blob
        self._attempts, self._advance = attempts, advance
        self._verifier = Verifier(blob.digest, blob.size)
        self._stream: Stream | None = None
        self._resumed = False
        self._behind = 0

    def into(self, sink: Sink) -> None:
        """Write the whole blob to *sink* and return once its digest is confirmed.

        Raises `DigestMismatchError` for wrong bytes, `ConnectionFailedError` when the line stays broken.
        """
        buffer = memoryview(bytearray(min(BLOCK, self._blob.size + 1)))
        try:
            while True:
                while count := self.readinto(buffer):
                    sink.write(buffer[:count])
                if self._verified(sink):
                    return
        finally:
            self.close()

    def readinto(self, buffer: memoryview) -> int:
        """The next bytes of the blob; 0 after the last."""
        while True:
            stream = self._opened()
            try:
                self._skip(stream, buffer)
                count = stream.readinto(buffer)
            except ConnectionFailedError as error:
                self.close()
                if not self._attempts.again_after_error(error):
                    raise
                continue
            if count:
                self._attempts.progressed(count)
                self._verifier.update(buffer[:count])
                self._advance(count)
            return count

    def finish(self) -> None:
        """Raise `DigestMismatchError` unless all the blob's bytes have passed and are right."""
        self.close()
        self._verifier.finish()

    def close(self) -> None:
        """Give up the connection; the position is kept."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _opened(self) -> Stream:
        if self._stream is None:
            offset = self._verifier.seen
            self._stream = self._source.fetch(self._blob, offset)
            self._resumed = self._resumed or offset > 0
            self._behind = offset - self._stream.offset
        return self._stream

    def _skip(self, stream: Stream, buffer: memoryview) -> None:
        """Pass over what has been read before, where the source could not begin in the middle. Whether the bytes of
        both answers fit together is for the digest to say."""
        while self._behind:
            count = stream.readinto(buffer[: min(len(buffer), self._behind)])
            if not count:
                raise ConnectionFailedError("The connection broke", where=self._blob.digest, why="it ended early")
            self._behind -= count

    def _verified(self, sink: Sink) -> bool:
        try:
            self.finish()
        except DigestMismatchError:
            # Bytes of two answers may not fit together; those of one that are wrong stay wrong.
            if not self._resumed:
                raise
            self._start_over(sink)
            self._resumed = False
            return False
        return True

    def _start_over(self, sink: Sink) -> None:
        self._advance(-self._verifier.seen)
        self._verifier = Verifier(self._blob.digest, self._blob.size)
        sink.restart()
