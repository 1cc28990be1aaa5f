"""Download one large blob over several connections: ranges arrive in any order and are hashed in the right one.

A single connection limits the rate of every real network (`bench/results.md`). Blocks that an earlier run left are
hashed again with all others: the record of them only saves network traffic.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Collection, Iterator, Sequence

from ..errors import ArtifactError, DigestMismatchError
from ..oci.content import Advance, Source, Stream
from ..oci.descriptor import Descriptor
from ..oci.digest import Verifier
from ..threads import require_running, try_start
from ..transport.retry import Attempts
from .blob_file import RangedFile
from .budget import TransferBudget, Tries
from .resuming_stream import RangeIgnored, ResumingRange, ResumingStream
from .sizes import DEFAULT_SIZES, TransferSizes

_KEPT = (
    "Run the command again: it downloads only what is wrong, and keeps the rest. If it fails again, the registry or a "
    "proxy changes the data, or the file was pushed wrong: then push it again."
)


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
        self._earlier = frozenset(file.done)
        # True once wrong blocks were downloaded again.
        self._repeated = self._closed = False
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
        finally:
            with self._lock:
                self._workers -= 1

    def finish(self) -> bool:
        """Hash the rest and verify the digest, once no thread is at work. Returns False when blocks were wrong that an
        earlier run left, or that are only a part of the blob: then run `work` again, once, for these. Raises
        `DigestMismatchError` when that does not help. All blocks that are not wrong stay for the next run.
        """
        with self._hashing:
            if self._in_order:
                # Blocks that had been hashed were overwritten. No thread writes any more, so hash all of them again.
                self._verifier = self._new_verifier()
            self._hash()
        try:
            self._verifier.finish()
        except DigestMismatchError as error:
            wrong = self._blocks(self._verifier.wrong)
            self._file.forget(wrong or range(self._count))
            if self._file.done:
                error.hint = _KEPT
            if self._repeated or not wrong or (not self._file.done and self._earlier.isdisjoint(wrong)):
                raise
            self._repeated = True
            self._uncount(sum(map(self._length, wrong)))
            with self._hashing:
                self._begin()
            return False
        return True

    def close(self) -> None:
        """Wait until no thread reads the file any more."""
        self._closed = True
        with self._hashing:
            pass

    def _blocks(self, ranges: Sequence[tuple[int, int]]) -> Collection[int]:
        """Return the numbers of the blocks that have bytes of *ranges*."""
        size = self._sizes.block
        return {number for begin, end in ranges for number in range(begin // size, -(-end // size))}

    def _take(self) -> range:
        """Take the next blocks in a row: many while much is left to few threads, few near the end, so that all
        threads end together."""
        sizes = self._sizes
        with self._lock:
            require_running(self._cancelled)
            most = min(sizes.longest_range, max(sizes.shortest_range, len(self._left) // (2 * self._workers)))
            first = last = self._left.pop() if self._left else -1
            while self._left and last - first + 1 < most and self._left[-1] == last + 1:
                last = self._left.pop()
            return range(first, last + 1) if first >= 0 else range(0)

    def _length(self, number: int) -> int:
        return min(self._sizes.block, self._blob.size - number * self._sizes.block)

    def _fetch(self, blocks: range) -> None:
        """Download all *blocks*, resumed after a break."""
        size = self._sizes.block
        start, end = blocks.start * size, min(blocks.stop * size, self._blob.size)
        tries = Tries(self._attempts(), start)
        try:
            with contextlib.closing(ResumingRange(self._source, self._blob, tries, self._budget, end)) as stream:
                for position, data in self._copy(stream, start, end):
                    self._hash_passing(data, position)
                    self._mark(position, position + len(data), end)
                    self._count_moved(len(data), False)
        except RangeIgnored as ignored:
            with contextlib.closing(ignored.stream):
                self._fetch_in_order(ignored.stream)

    def _copy(self, stream: ResumingStream, start: int, end: int) -> Iterator[tuple[int, memoryview]]:
        """Write the bytes from *start* to *end* to the file; yield each read with its position."""
        buffer, position = memoryview(bytearray(min(self._sizes.buffer, end - start))), start
        while position < end:
            count = stream.readinto(buffer[: min(len(buffer), end - position)], position)
            require_running(self._cancelled)
            self._file.write_at(buffer[:count], position)
            yield position, buffer[:count]
            position += count

    def _mark(self, start: int, position: int, end: int) -> None:
        """Mark the blocks that the bytes from *start* to *position* complete, in a range that ends at *end*."""
        size = self._sizes.block
        number = start // size
        while position >= min((number + 1) * size, end) > number * size:
            self._file.mark(number)
            number += 1
            self._hash_in_background()

    def _fetch_in_order(self, stream: Stream) -> None:
        """Read all from a server that ignores Range: one thread reads from the first byte, the others end."""
        with self._lock:
            first = not self._in_order
            self._in_order = True
            self._left.clear()
        if first:
            self._uncount()
            self._copy_in_order(stream)

    def _copy_in_order(self, first: Stream) -> None:
        tries = Tries(self._attempts())
        with contextlib.closing(ResumingStream(self._source, self._blob, tries, self._budget, first)) as stream:
            for _, data in self._copy(stream, 0, self._blob.size):
                self._count_moved(len(data), True)
        for number in range(self._count):
            self._file.mark(number)

    def _count_moved(self, size: int, in_order: bool) -> None:
        """Report *size* bytes; those of ranges count no more once a thread reads the blob in order."""
        with self._lock:
            counts = in_order or not self._in_order
            self._counted += size if counts else 0
        if counts:
            self._advance(size)

    def _uncount(self, size: int | None = None) -> None:
        """Report that *size* bytes, by default all, have to be downloaded again."""
        with self._lock:
            again = self._counted if size is None else size
            self._counted -= again
        self._advance(-again)

    def _hash_passing(self, data: memoryview, position: int) -> None:
        """Hash *data* while it is in memory, if it follows the bytes hashed so far and no other thread hashes."""
        if self._verifier.seen != position or self._in_order or self._hashing.locked():
            return
        with self._hashing:
            if self._verifier.seen == position:
                self._verifier.update(data)

    def _hash_in_background(self) -> None:
        """Hash the blocks that have arrived in a thread of its own, unless one does. A connection would be idle while
        its thread hashes those of all others: the network's buffers do not last that long."""
        if not self._hashing.locked() and self._has_next(self._sizes.block):
            thread = threading.Thread(target=self._hash_what_is_there, name="acrartifact-hash", daemon=True)
            if not try_start(thread):
                self._hash_what_is_there()

    def _hash_what_is_there(self) -> None:
        # What cannot be read back now, `finish` reads again, and raises the error.
        with self._hashing, contextlib.suppress(ArtifactError):
            self._hash()

    def _has_next(self, size: int) -> bool:
        """Return whether the block of *size* bytes that follows the hashed bytes is complete."""
        return self._verifier.seen // size in self._file.done and self._verifier.seen < self._blob.size

    def _hash(self) -> None:
        """Hash the complete blocks that follow the hashed bytes. The caller holds the lock."""
        size = self._sizes.block
        buffer = memoryview(bytearray(self._sizes.buffer))
        while self._has_next(size) and not self._closed:
            left = self._length(self._verifier.seen // size) - self._verifier.seen % size
            count = self._file.read_at(buffer[: min(len(buffer), left)], self._verifier.seen)
            if not count:
                return
            self._verifier.update(buffer[:count])
