"""One large blob down over several connections: pieces in any order, hashed in the right one.

One connection is the limit on every real line (`bench/results.md`). Pieces that an earlier run left are hashed
again with all others: the note about them only saves bytes on the wire.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..errors import CancelledError, ConnectionFailedError, DigestMismatchError
from ..oci.content import Advance, Source, Stream
from ..oci.descriptor import Descriptor
from ..oci.digest import Verifier
from ..transport.messages import BLOCK
from ..transport.retry import Attempts

SEGMENT = 2 * 1024 * 1024
"""Bytes that are noted as there when all of them are: a kill costs at most so many of each connection."""
SHORTEST_RUN, LONGEST_RUN = 4, 16
"""Segments that are asked for in one range. A registry answers each range with a redirect to its storage: two round
trips in which the connection carries nothing."""
RANGED_FROM = 2 * SHORTEST_RUN * SEGMENT


def most_workers(size: int) -> int:
    """How many threads could help with a blob of *size* bytes."""
    return -(-size // (SHORTEST_RUN * SEGMENT))


class Pieces(Protocol):
    """The unfinished file."""

    done: set[int]

    def write_at(self, data: memoryview, offset: int) -> None:
        """Write *data* at *offset*."""

    def read_at(self, buffer: memoryview, offset: int) -> int:
        """Read back from *offset*."""

    def mark(self, segment: int) -> None:
        """Note that *segment* is all there."""

    def forget(self) -> None:
        """Begin again."""


class RangedDownload:
    """The bytes of *blob* from *source* to *pieces*. `work` is run by as many threads as the line is worth; the
    one that ends last has verified all."""

    def __init__(
        self,
        source: Source,
        blob: Descriptor,
        pieces: Pieces,
        attempts: Callable[[], Attempts],
        cancelled: threading.Event,
        advance: Advance,
    ) -> None:
        self._source, self._blob, self._pieces = source, blob, pieces
        self._attempts, self._cancelled, self._advance = attempts, cancelled, advance
        self._count = -(-blob.size // SEGMENT)
        self._lock = threading.Lock()
        self._hashing = threading.Lock()
        self._begin()
        self.resumed = len(pieces.done)
        """Segments that an earlier run left."""
        self._workers = 0
        self._told = 0
        self._tell(sum(map(self._length, pieces.done)), False)

    def _begin(self) -> None:
        self._left = [number for number in reversed(range(self._count)) if number not in self._pieces.done]
        self._verifier = Verifier(self._blob.digest, self._blob.size)
        self._whole = False

    def work(self) -> None:
        """Fetch pieces until none are left."""
        with self._lock:
            self._workers += 1
        try:
            while run := self._take():
                self._fetch(run)
                self._hash(wait=False)
        finally:
            with self._lock:
                self._workers -= 1

    def finish(self) -> bool:
        """Hash what has not been hashed, once no thread is at work. False when pieces of an earlier run turned out
        wrong: then all begins again. Raises `DigestMismatchError` when what was fetched is wrong."""
        if self._whole:
            # Pieces that had been hashed were written over; nobody writes any more, so all is hashed again.
            self._verifier = Verifier(self._blob.digest, self._blob.size)
        self._hash(wait=True)
        try:
            self._verifier.finish()
        except DigestMismatchError:
            if not self.resumed:
                raise
            self.resumed = 0
            self._take_back()
            self._pieces.forget()
            self._begin()
            return False
        return True

    def _take(self) -> range:
        """The next segments in a row: many while much is left to few threads, few at the end, so that all end
        together."""
        with self._lock:
            if self._cancelled.is_set():
                raise CancelledError("Stopped")
            most = min(LONGEST_RUN, max(SHORTEST_RUN, len(self._left) // (2 * self._workers)))
            first = last = self._left.pop() if self._left else -1
            while self._left and last - first + 1 < most and self._left[-1] == last + 1:
                last = self._left.pop()
            return range(first, last + 1) if first >= 0 else range(0)

    def _length(self, number: int) -> int:
        return min(SEGMENT, self._blob.size - number * SEGMENT)

    def _fetch(self, run: range) -> None:
        """All segments of *run*, going on where it was after a break."""
        attempts = self._attempts()
        span = _Span(run.start * SEGMENT, min(run.stop * SEGMENT, self._blob.size))
        while span.left:
            stream = self._source.fetch(self._blob, span.position, span.left)
            try:
                if stream.offset != span.position:
                    self._fetch_whole(stream)
                    return
                self._copy(stream, span, attempts)
            except ConnectionFailedError as error:
                if not attempts.again_after_error(error):
                    raise
            finally:
                stream.close()

    def _copy(self, stream: Stream, span: _Span, attempts: Attempts) -> None:
        buffer = memoryview(bytearray(min(BLOCK, span.left)))
        while span.left:
            count = stream.readinto(buffer[: min(len(buffer), span.left)])
            if not count:
                raise ConnectionFailedError("The connection broke", where=self._blob.digest, why="a range ended early")
            if self._cancelled.is_set():
                raise CancelledError("Stopped")
            self._pieces.write_at(buffer[:count], span.position)
            self._hash_passing(buffer[:count], span)
            self._move(span, count)
            attempts.progressed(count)
            self._tell(count, span.whole)

    def _move(self, span: _Span, count: int) -> None:
        """Account for *count* bytes more of *span*, and note the segments that are whole by that."""
        number, span.position = span.position // SEGMENT, span.position + count
        while not span.whole and span.position >= min((number + 1) * SEGMENT, span.end) > number * SEGMENT:
            self._pieces.mark(number)
            number += 1

    def _fetch_whole(self, stream: Stream) -> None:
        """Take all from a server that ignores Range: one thread reads from the first byte, the others are done."""
        with self._lock:
            first = not self._whole
            self._whole = True
            self._left.clear()
        if first:
            self._take_back()
            self._copy_whole(stream)

    def _copy_whole(self, stream: Stream) -> None:
        attempts = self._attempts()
        span = _Span(0, self._blob.size, whole=True)
        while True:
            try:
                self._copy(stream, span, attempts)
                break
            except ConnectionFailedError as error:
                if not attempts.again_after_error(error):
                    raise
            finally:
                stream.close()
            stream = self._source.fetch(self._blob, span.position)
            if stream.offset != span.position:
                self._take_back()
                span.position = 0
        for number in range(self._count):
            self._pieces.mark(number)

    def _tell(self, size: int, whole: bool) -> None:
        """Tell of *size* bytes, unless all are read again by another thread."""
        with self._lock:
            counts = whole or not self._whole
            self._told += size if counts else 0
        if counts:
            self._advance(size)

    def _take_back(self) -> None:
        with self._lock:
            told, self._told = self._told, 0
        self._advance(-told)

    def _hash_passing(self, data: memoryview, span: _Span) -> None:
        """Hash *data* while it is at hand, if it is what follows on what was hashed and nobody is at it."""
        if self._verifier.seen != span.position or self._whole or self._hashing.locked():
            return
        with self._hashing:
            if self._verifier.seen == span.position:
                self._verifier.update(data)

    def _hash(self, wait: bool) -> None:
        """Hash the pieces that follow on what was hashed; without *wait*, leave that to a thread that is at it."""
        if not wait and self._hashing.locked():
            return
        with self._hashing:
            buffer = memoryview(bytearray(BLOCK))
            while self._verifier.seen // SEGMENT in self._pieces.done and self._verifier.seen < self._blob.size:
                left = self._length(self._verifier.seen // SEGMENT) - self._verifier.seen % SEGMENT
                count = self._pieces.read_at(buffer[: min(BLOCK, left)], self._verifier.seen)
                if not count:
                    return
                self._verifier.update(buffer[:count])


@dataclass
class _Span:
    position: int
    end: int
    whole: bool = False

    @property
    def left(self) -> int:
        return self.end - self.position
