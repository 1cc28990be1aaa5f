"""One blob down: every byte is hashed as it comes, and a break goes on where it was."""

from __future__ import annotations

from typing import Protocol

from ..errors import DigestMismatchError
from ..oci.content import Advance, Source
from ..oci.descriptor import Descriptor
from ..oci.digest import Verifier
from ..transport.messages import BLOCK
from ..transport.retry import Attempts
from .resuming_stream import SteadyStream


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
        self._blob, self._advance = blob, advance
        self._stream = SteadyStream(source, blob, attempts)
        self._verifier = Verifier(blob.digest, blob.size)

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
        count = self._stream.readinto(buffer, self._verifier.seen)
        self._verifier.update(buffer[:count])
        self._advance(count)
        return count

    def finish(self) -> None:
        """Raise `DigestMismatchError` unless all the blob's bytes have passed and are right."""
        self.close()
        self._verifier.finish()

    def close(self) -> None:
        """Give up the connection; the position is kept."""
        self._stream.close()

    def _verified(self, sink: Sink) -> bool:
        try:
            self.finish()
        except DigestMismatchError:
            # Bytes of two answers may not fit together; those of one that are wrong stay wrong.
            if not self._stream.resumed:
                raise
            self._start_over(sink)
            self._stream.resumed = False
            return False
        return True

    def _start_over(self, sink: Sink) -> None:
        self._advance(-self._verifier.seen)
        self._verifier = Verifier(self._blob.digest, self._blob.size)
        sink.restart()
