"""Read a blob in order, over as many connections as it takes."""

from __future__ import annotations

from ..errors import ConnectionFailedError
from ..oci.content import Source, Stream
from ..oci.descriptor import Descriptor
from ..transport.messages import BLOCK
from .budget import TransferBudget, Tries


class RangeIgnored(Exception):
    """The source ignores ranges: *stream* begins at the first byte of the blob. Whoever catches this closes it."""

    def __init__(self, stream: Stream) -> None:
        super().__init__("The source ignores ranges")
        self.stream = stream


class ResumingStream:
    """The bytes of *blob* from *source*, resumed after a break. Only the digest shows whether the bytes of several
    responses fit together."""

    def __init__(
        self, source: Source, blob: Descriptor, tries: Tries, budget: TransferBudget, first: Stream | None = None
    ) -> None:
        """*first* is a stream of the whole blob that is open already."""
        self._source, self._blob, self._tries, self._budget = source, blob, tries, budget
        self._end = blob.size
        self._stream = first
        self._behind = 0
        self.resumed = False
        """Whether a response was requested from an offset in the middle."""

    def readinto(self, buffer: memoryview, offset: int) -> int:
        """Fill *buffer* with bytes from *offset*, which is where the last call ended unless `close` was called since.
        Returns 0 at the end; a response that ends before is a break, too. Raises `ConnectionFailedError` when the
        source stays broken, or has sent too much in all."""
        while True:
            stream = self._opened(offset)
            try:
                if self._behind:
                    self._skip(stream, offset)
                count = self._read(stream, buffer, offset)
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
            self._stream = self._fetch(offset)
            self._behind = offset - self._stream.offset
            self.resumed = self.resumed or offset > 0
            self._budget.require(self._end - self._stream.offset)
        return self._stream

    def _fetch(self, offset: int) -> Stream:
        return self._source.fetch(self._blob, offset)

    def _read(self, stream: Stream, buffer: memoryview, position: int) -> int:
        """Fill *buffer* with the next bytes, from *position* of the blob."""
        count = stream.readinto(buffer)
        if not count and position < self._end:
            why = f"the response ended early, at byte {position:,} instead of {self._end:,}"
            raise ConnectionFailedError("The connection broke", where=self._blob.digest, why=why)
        return count

    def _skip(self, stream: Stream, offset: int) -> None:
        """Skip the bytes before *offset*, which were read before, where the source could not start in the middle."""
        buffer = memoryview(bytearray(min(BLOCK, self._behind)))
        while self._behind:
            count = self._read(stream, buffer[: self._behind], offset - self._behind)
            self._budget.spend(count)
            self._behind -= count


class ResumingRange(ResumingStream):
    """One range of a blob, up to *end*. Raises `RangeIgnored` instead of skipping the bytes before the range: those are
    for another reader."""

    def __init__(self, source: Source, blob: Descriptor, tries: Tries, budget: TransferBudget, end: int) -> None:
        super().__init__(source, blob, tries, budget)
        self._end = end

    def _fetch(self, offset: int) -> Stream:
        stream = self._source.fetch(self._blob, offset, self._end - offset)
        if stream.offset != offset:
            raise RangeIgnored(stream)
        return stream
