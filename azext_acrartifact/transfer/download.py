"""Download one blob over one connection: hash every byte as it arrives, and resume after a break."""

from __future__ import annotations

import functools
from collections.abc import Callable

from ..errors import DigestMismatchError
from ..oci.content import Advance, Source
from ..oci.descriptor import Descriptor
from ..oci.digest import Verifier
from ..transport.retry import Attempts
from .blob_file import Sink
from .budget import TransferBudget, Tries
from .resuming_stream import ResumingStream
from .sizes import DEFAULT_SIZES, TransferSizes


class BlobDownload:
    """The bytes of *blob* from *source* in order, whatever breaks meanwhile. Calls *advance* as they arrive."""

    def __init__(
        self,
        source: Source,
        blob: Descriptor,
        attempts: Attempts,
        advance: Advance,
        sizes: TransferSizes = DEFAULT_SIZES,
        verifier: Callable[[], Verifier] | None = None,
    ) -> None:
        """*verifier* makes what verifies the bytes, by default the blob's digest alone."""
        self._blob, self._advance, self._sizes = blob, advance, sizes
        self._budget = TransferBudget("fetched", sizes.chunk, blob.size, blob.title or blob.digest)
        self._tries = Tries(attempts)
        self._stream = ResumingStream(source, blob, self._tries, self._budget)
        self._new_verifier = verifier or functools.partial(Verifier, blob.digest, blob.size)
        self._verifier = self._new_verifier()

    def into(self, sink: Sink) -> None:
        """Write the whole blob to *sink* and verify its digest. Raises `DigestMismatchError` for wrong bytes,
        `ConnectionFailedError` when the connection stays broken."""
        buffer = memoryview(bytearray(min(self._sizes.buffer, self._blob.size + 1)))
        try:
            while True:
                while count := self.readinto(buffer):
                    sink.write(buffer[:count])
                if self._verified(sink):
                    return
        finally:
            self.close()

    def readinto(self, buffer: memoryview) -> int:
        """Fill *buffer* with the next bytes of the blob; return 0 after the last."""
        count = self._stream.readinto(buffer, self._verifier.seen)
        self._verifier.update(buffer[:count])
        self._advance(count)
        return count

    def read(self, size: int) -> bytes:
        """Return the next bytes of the blob, at most *size*; none after the last."""
        buffer = memoryview(bytearray(min(size, self._sizes.buffer)))
        return bytes(buffer[: self.readinto(buffer)])

    def drain(self) -> None:
        """Read the rest and verify the whole blob. Raises `DigestMismatchError`."""
        while self.read(self._sizes.buffer):
            pass
        self.finish()

    def finish(self) -> None:
        """Raise `DigestMismatchError` unless all bytes of the blob were read and are right."""
        self.close()
        self._verifier.finish()

    def close(self) -> None:
        """Close the connection; the next read resumes."""
        self._stream.close()

    def _verified(self, sink: Sink) -> bool:
        try:
            self.finish()
        except DigestMismatchError as error:
            # The bytes of two responses may not fit together. Wrong bytes of one response stay wrong.
            if not self._stream.resumed:
                raise
            if not self._tries.may_restart():
                raise self._budget.explain(error) from None
            self._start_over(sink)
            self._stream.resumed = False
            return False
        return True

    def _start_over(self, sink: Sink) -> None:
        self._advance(-self._verifier.seen)
        self._verifier = self._new_verifier()
        sink.restart()


def read_blob(source: Source, blob: Descriptor, attempts: Attempts) -> bytes:
    """Return the verified bytes of *blob*, whose size the caller has checked. Raises as `BlobDownload.into` does."""
    content = _InMemory()
    BlobDownload(source, blob, attempts, lambda _size: None).into(content)
    return bytes(content.data)


class _InMemory:
    """A short blob in memory."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: memoryview) -> None:
        """Append *data*."""
        self.data += data

    def restart(self) -> None:
        """Drop everything written so far."""
        self.data.clear()
