"""Download one large blob over several connections: ranges arrive in any order and are hashed in the right one.

A single connection limits the rate of every real network (`bench/results.md`). Blocks that an earlier run left are
hashed again with all others: the record of them only saves network traffic.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import CancelledError, ConnectionFailedError, DigestMismatchError
from ..oci.content import Advance, Source, Stream
from ..oci.descriptor import Descriptor
from ..oci.digest import Verifier
from ..transport.retry import Attempts
from .blob_file import RangedFile
from .budget import TransferBudget, Tries
from .sizes import DEFAULT_SIZES, TransferSizes


class RangedDownload:
    """The download of *blob* from *source* to *file*. Any number of threads may run `work`; call `finish` when all of
    them have ended."""

    def __init__(
        self,
        source: Source,
        blob: Descriptor,
        file: RangedFile,
        attempts: Callable[[], Attempts],
        cancelled: threading.Event,
        advance: Advance,
        sizes: TransferSizes = DEFAULT_SIZES,
        verifier: Callable[[], Verifier] | None = None,
    ) -> None:
        """*verifier* makes what verifies the bytes, by default the blob's digest alone."""
        self._source, self._blob, self._file, self._sizes = source, blob, file, sizes
        self._new_verifier = verifier or functools.partial(Verifier, blob.digest, blob.size)
        self._attempts, self._cancelled, self._advance = attempts, cancelled, advance
        self._budget = TransferBudget("fetched", sizes.chunk, blob.size, blob.title or blob.digest)
        self._count = -(-blob.size // sizes.block)
        self._lock = threading.Lock()
        self._hashing = threading.Lock()
        self._begin()
        self.resumed = len(file.done)
        """Blocks that an earlier run left."""
        self._workers = 0
        self._counted = 0
        self._count_moved(sum(map(self._length, file.done)), False)

    def _begin(self) -> None:
        self._left = [number for number in reversed(range(self._count)) if number not in self._file.done]
        self._verifier = self._new_verifier()
        # True once the source ignored a range, so that one thread reads the whole blob in order.
        self._in_order = False

    def work(self) -> None:
        """Download ranges until none is left."""
        with self._lock:
            self._workers += 1
        try:
            while blocks := self._take():
                self._fetch(blocks)
                self._hash(wait=False)
        finally:
            with self._lock:
                self._workers -= 1

    def finish(self) -> bool:
        """Hash the rest and verify the digest, once no thread is at work. Returns False when blocks of an earlier run
        were wrong: then run `work` again for the whole blob. Raises `DigestMismatchError` for wrong bytes of this run.
        """
        if self._in_order:
            # Blocks that had been hashed were overwritten. No thread writes any more, so hash all of them again.
            self._verifier = self._new_verifier()
        self._hash(wait=True)
        try:
            self._verifier.finish()
        except DigestMismatchError:
            if not self.resumed:
                raise
            self.resumed = 0
            self._uncount()
            self._file.forget()
            self._begin()
            return False
        return True

    def _take(self) -> range:
        """Take the next blocks in a row: many while much is left to few threads, few near the end, so that all
        threads end together."""
        sizes = self._sizes
        with self._lock:
            if self._cancelled.is_set():
                raise CancelledError("Stopped")
            most = min(sizes.longest_range, max(sizes.shortest_range, len(self._left) // (2 * self._workers)))
            first = last = self._left.pop() if self._left else -1
            while self._left and last - first + 1 < most and self._left[-1] == last + 1:
                last = self._left.pop()
            return range(first, last + 1) if first >= 0 else range(0)

    def _length(self, number: int) -> int:
        return min(self._sizes.block, self._blob.size - number * self._sizes.block)

    def _fetch(self, blocks: range) -> None:
        """Download all *blocks*; after a break, resume at the byte where it broke."""
        size = self._sizes.block
        wanted = _Range(blocks.start * size, min(blocks.stop * size, self._blob.size))
        tries = Tries(self._attempts(), wanted.position)
        while wanted.left:
            self._budget.require(wanted.left)
            with contextlib.closing(self._source.fetch(self._blob, wanted.position, wanted.left)) as stream:
                if stream.offset != wanted.position:
                    self._fetch_in_order(stream)
                    return
                self._copy_or_wait(stream, wanted, tries)

    def _copy_or_wait(self, stream: Stream, wanted: _Range, tries: Tries) -> None:
        """Copy *wanted* from *stream*. When it breaks, return after a wait, for another try from `wanted.position`."""
        try:
            self._copy(stream, wanted, tries)
        except ConnectionFailedError as error:
            if not tries.again_after_error(error):
                raise

    def _copy(self, stream: Stream, wanted: _Range, tries: Tries) -> None:
        buffer = memoryview(bytearray(min(self._sizes.buffer, wanted.left)))
        while wanted.left:
            count = stream.readinto(buffer[: min(len(buffer), wanted.left)])
            if not count:
                raise ConnectionFailedError("The connection broke", where=self._blob.digest, why="a range ended early")
            if self._cancelled.is_set():
                raise CancelledError("Stopped")
            self._file.write_at(buffer[:count], wanted.position)
            self._hash_passing(buffer[:count], wanted)
            self._move(wanted, count)
            self._budget.spend(count)
            tries.confirmed(wanted.position)
            self._count_moved(count, wanted.in_order)

    def _move(self, wanted: _Range, count: int) -> None:
        """Advance *wanted* by *count* bytes and mark the blocks that are complete by that."""
        size = self._sizes.block
        number, wanted.position = wanted.position // size, wanted.position + count
        while not wanted.in_order and wanted.position >= min((number + 1) * size, wanted.end) > number * size:
            self._file.mark(number)
            number += 1

    def _fetch_in_order(self, stream: Stream) -> None:
        """Read all from a server that ignores Range: one thread reads from the first byte, the others end."""
        with self._lock:
            first = not self._in_order
            self._in_order = True
            self._left.clear()
        if first:
            self._uncount()
            self._copy_in_order(stream)

    def _copy_in_order(self, stream: Stream) -> None:
        tries = Tries(self._attempts())
        wanted = _Range(0, self._blob.size, in_order=True)
        self._copy_or_wait(stream, wanted, tries)
        while wanted.left:
            with contextlib.closing(self._source.fetch(self._blob, wanted.position)) as again:
                if again.offset != wanted.position:
                    self._uncount()
                    wanted.position = 0
                self._budget.require(wanted.left)
                self._copy_or_wait(again, wanted, tries)
        for number in range(self._count):
            self._file.mark(number)

    def _count_moved(self, size: int, in_order: bool) -> None:
        """Report *size* bytes; those of ranges count no more once a thread reads the blob in order."""
        with self._lock:
            counts = in_order or not self._in_order
            self._counted += size if counts else 0
        if counts:
            self._advance(size)

    def _uncount(self) -> None:
        with self._lock:
            counted, self._counted = self._counted, 0
        self._advance(-counted)

    def _hash_passing(self, data: memoryview, wanted: _Range) -> None:
        """Hash *data* while it is in memory, if it follows the bytes hashed so far and no other thread hashes."""
        if self._verifier.seen != wanted.position or self._in_order or self._hashing.locked():
            return
        with self._hashing:
            if self._verifier.seen == wanted.position:
                self._verifier.update(data)

    def _hash(self, wait: bool) -> None:
        """Hash the complete blocks that follow the hashed bytes; without *wait*, only if no other thread does."""
        if not wait and self._hashing.locked():
            return
        size = self._sizes.block
        with self._hashing:
            buffer = memoryview(bytearray(self._sizes.buffer))
            while self._verifier.seen // size in self._file.done and self._verifier.seen < self._blob.size:
                left = self._length(self._verifier.seen // size) - self._verifier.seen % size
                count = self._file.read_at(buffer[: min(len(buffer), left)], self._verifier.seen)
                if not count:
                    return
                self._verifier.update(buffer[:count])


@dataclass
class _Range:
    position: int
    end: int
    in_order: bool = False

    @property
    def left(self) -> int:
        return self.end - self.position
