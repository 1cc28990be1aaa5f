"""Read a blob in order, over as many connections as it takes."""

from __future__ import annotations

from ..errors import ConnectionFailedError
from ..oci.content import Source, Stream
from ..oci.descriptor import Descriptor
from ..transport.messages import BLOCK
from .budget import TransferBudget, Tries


class ResumingStream:
    """The bytes of *blob* from *source*, resumed after a break. Only the digest shows whether the bytes of several
    responses fit together."""

    def __init__(self, source: Source, blob: Descriptor, tries: Tries, budget: TransferBudget) -> None:
        self._source, self._blob, self._tries, self._budget = source, blob, tries, budget
        self._stream: Stream | None = None
        self._behind = 0
        self.resumed = False
        """Whether a response was requested from an offset in the middle."""

    def readinto(self, buffer: memoryview, offset: int) -> int:
        """Fill *buffer* with bytes from *offset*, which is where the last call ended unless `close` was called since.
        Returns 0 at the end of a response. Raises `ConnectionFailedError` when the source stays broken, or has sent
        too much in all."""
        while True:
            stream = self._opened(offset)
            try:
                if self._behind:
                    self._skip(stream)
                count = stream.readinto(buffer)
            except ConnectionFailedError as error:
                self.close()
                if not self._tries.again_after_error(error):
                    raise
                continue
            self._budget.spend(count)
            self._tries.confirmed(offset + count)
            return count

    def close(self) -> None:
        """Close the connection."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _opened(self, offset: int) -> Stream:
        if self._stream is None:
            self._stream = self._source.fetch(self._blob, offset)
            self._behind = offset - self._stream.offset
            self.resumed = self.resumed or offset > 0
            self._budget.require(self._blob.size - self._stream.offset)
        return self._stream

    def _skip(self, stream: Stream) -> None:
        """Skip the bytes read before, where the source could not start in the middle."""
        buffer = memoryview(bytearray(min(BLOCK, self._behind)))
        while self._behind:
            count = stream.readinto(buffer[: self._behind])
            if not count:
                raise ConnectionFailedError(
                    "The connection broke", where=self._blob.digest, why="the response ended early"
                )
            self._budget.spend(count)
            self._behind -= count
