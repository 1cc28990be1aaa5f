"""Download one large blob for a reader that wants its bytes in order, over several connections.

A single connection limits the rate of every real network (`bench/results.md`), and a folder is unpacked while it
arrives. So a few ranges ahead of the reader are downloaded by other jobs, and wait in memory.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from ..errors import CancelledError
from ..oci.content import Advance, Source
from ..oci.descriptor import Descriptor
from ..oci.digest import Verifier
from ..threads import require_running
from ..transport.client import HttpClient
from .budget import TransferBudget, Tries
from .concurrency import MANY_BULK
from .resuming_stream import RangeIgnored, ResumingRange, ResumingStream
from .sizes import DEFAULT_SIZES, TransferSizes

TICK = 0.1
"""Seconds after which a waiting thread checks again whether the command was cancelled."""


class ReadAhead:
    """The bytes of *blob* from *source*, for one thread that calls `read`, while any number of others run `help`.
    Calls *advance* as bytes arrive."""

    def __init__(
        self,
        source: Source,
        blob: Descriptor,
        http: HttpClient,
        advance: Advance,
        sizes: TransferSizes = DEFAULT_SIZES,
    ) -> None:
        self._source, self._blob, self._http, self._advance, self._sizes = source, blob, http, advance, sizes
        self._budget = TransferBudget("fetched", sizes.chunk, blob.size, blob.title or blob.digest)
        self._verifier = Verifier(blob.digest, blob.size)
        self._count = -(-blob.size // sizes.ahead)
        self.most_helpers = max(0, min(MANY_BULK, self._count) - 1)
        """The number of jobs that can help."""
        self._changed = threading.Condition()
        self._ready: dict[int, memoryview] = {}
        self._begun = 0
        """The number of ranges that some thread has begun to download: the first ones."""
        self._read = 0
        """The number of ranges that the reader has asked for: the first ones."""
        self._helping = 0
        self._moved = 0
        self._rest = memoryview(b"")
        self._closed = False
        self._in_order: ResumingStream | None = None
        """The stream of a source that ignores ranges."""

    def help(self) -> None:
        """Download ranges ahead of the reader until none is left, or the reader has ended."""
        with self._changed:
            self._helping += 1
        try:
            while (number := self._take_ahead()) is not None and (data := self._download(number)) is not None:
                with self._changed:
                    self._ready[number] = data
                    self._changed.notify_all()
        except BaseException:
            self.close()
            raise
        finally:
            with self._changed:
                self._helping -= 1

    def read(self, size: int) -> bytes:
        """Return the next bytes of the blob, at most *size*; none after the last. Raises `ConnectionFailedError` when
        the source stays broken, `CancelledError` when a helper failed."""
        if not self._rest and self._in_order is None:
            self._rest = self._following()
        data = bytes(self._rest[:size]) if self._in_order is None else self._read_in_order(self._in_order, size)
        self._rest = self._rest[len(data) :]
        self._verifier.update(data)
        return data

    def drain(self) -> None:
        """Read the rest and verify the whole blob. Raises `DigestMismatchError`."""
        while self.read(self._sizes.buffer):
            pass
        self.close()
        self._verifier.finish()

    def close(self) -> None:
        """Let the helpers end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._in_order is not None:
            self._in_order.close()

    def _take_ahead(self) -> int | None:
        """Return the next range that nobody has begun; None when there is none. Wait until it is near enough to the
        reader: one range for each helper, and one, are in memory."""
        with self._changed:
            self._wait(lambda: self._begun <= self._read + self._helping)
            if self._closed or self._in_order is not None or self._begun >= self._count:
                return None
            self._begun += 1
            return self._begun - 1

    def _following(self) -> memoryview:
        """Return the next range, from a helper or by downloading it here; no bytes after the last."""
        with self._changed:
            number, self._read = self._read, self._read + 1
            self._changed.notify_all()
            if number >= self._count:
                return memoryview(b"")
            mine = number == self._begun
            self._begun += mine
            if not mine:
                self._wait(lambda: number in self._ready or self._in_order is not None)
                if self._closed:
                    raise CancelledError("Stopped")
                return self._ready.pop(number, memoryview(b""))
        data = self._download(number)
        return memoryview(b"") if data is None else data

    def _wait(self, condition: Callable[[], bool]) -> None:
        """Wait until *condition* holds or it is closed. The caller holds the lock."""
        while not condition() and not self._closed:
            require_running(self._http.waiter.cancelled)
            self._changed.wait(TICK)

    def _download(self, number: int) -> memoryview | None:
        """Return range *number*, resumed after a break. None when the source ignores ranges: then the reader reads in
        order."""
        start = number * self._sizes.ahead
        data = memoryview(bytearray(min(self._sizes.ahead, self._blob.size - start)))
        tries, end, done = Tries(self._http.attempts(), start), start + len(data), 0
        try:
            with contextlib.closing(ResumingRange(self._source, self._blob, tries, self._budget, end)) as stream:
                while done < len(data):
                    require_running(self._http.waiter.cancelled)
                    count = stream.readinto(data[done : done + self._sizes.buffer], start + done)
                    self._count_moved(count)
                    done += count
        except RangeIgnored as ignored:
            ignored.stream.close()
            self._read_on_in_order()
            return None
        return data

    def _count_moved(self, count: int) -> None:
        with self._changed:
            counts = self._in_order is None
            self._moved += count if counts else 0
        if counts:
            self._advance(count)

    def _read_on_in_order(self) -> None:
        """Let the reader get all that it has not read yet from one stream; what came ahead counts no more."""
        with self._changed:
            first = self._in_order is None
            if first:
                tries = Tries(self._http.attempts())
                self._in_order = ResumingStream(self._source, self._blob, tries, self._budget)
            self._changed.notify_all()
        if first:
            self._advance(self._verifier.seen - self._moved)

    def _read_in_order(self, stream: ResumingStream, size: int) -> bytes:
        buffer = memoryview(bytearray(min(size, self._sizes.buffer)))
        count = stream.readinto(buffer, self._verifier.seen)
        self._advance(count)
        return bytes(buffer[:count])
