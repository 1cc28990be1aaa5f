"""The sources of uploads: bytes in order, whose digest may be known only when all of them have been read."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ..oci.content import Blocks, Chunk, Content, cut
from ..oci.digest import Digest
from ..threads import require_running, try_start
from .sizes import DEFAULT_SIZES, TransferSizes


@dataclass(frozen=True)
class Identity:
    """The digest and the *size* in bytes of a blob."""

    digest: Digest
    size: int


class UploadSource(Protocol):
    """Bytes to upload."""

    @property
    def name(self) -> str:
        """The title for messages; empty when there is none."""

    @property
    def key(self) -> str:
        """The same for the same bytes, in later processes too: identifies an upload session. Empty when unknown."""

    @property
    def expected(self) -> int:
        """The size in bytes, or an estimate."""

    def chunk(self, offset: int, most: int) -> Chunk | None:
        """Return the bytes from *offset* on, at most *most*; None at the end. With the last ones, the identity is
        known, so that they can be sent with the request that finishes the upload."""

    def identity(self) -> Identity | None:
        """Return the blob's identity, or None if it is not known yet."""

    def settle(self) -> Identity:
        """Return the blob's identity, however long that takes."""


class FileSource:
    """A file. A large one is hashed while it is sent, so that neither waits for the other."""

    def __init__(
        self,
        content: Content,
        key: str,
        cancelled: threading.Event,
        hashed_first: bool = False,
        sizes: TransferSizes = DEFAULT_SIZES,
        name: str = "",
    ) -> None:
        """*hashed_first* is for a file that the registry probably has."""
        self.key, self.name = key, name
        self._hashed_first = hashed_first or content.size <= sizes.hashed_first
        self._content, self._cancelled, self._sizes = content, cancelled, sizes
        self._identity: Identity | None = None
        self._hashing: threading.Thread | None = None
        self._error: BaseException | None = None

    @property
    def expected(self) -> int:
        """The size in bytes."""
        return self._content.size

    def chunk(self, offset: int, most: int) -> Chunk | None:
        """Return a range of the file, the last one when the file has been hashed; None at its end."""
        size = min(most, self._content.size - offset)
        if offset + size >= self._content.size:
            self.settle()
        return Chunk(self._content, offset, size) if size > 0 else None

    def identity(self) -> Identity | None:
        """Return the identity: at once for a small file, for a large one when the hashing thread has ended."""
        if self._identity is None and self._hashed_first:
            self._hash()
        elif self._hashing is None and self._identity is None:
            thread = threading.Thread(target=self._hash_in_thread, name="acrartifact-hash", daemon=True)
            if try_start(thread):
                self._hashing = thread
            else:
                self._hash()
        return self._identity

    def settle(self) -> Identity:
        """Return the identity. Raises what hashing raised, such as `LocalFileError` for a file that changed."""
        if self._identity is None and self._hashing is None:
            self._hash()
        if self._hashing is not None:
            self._hashing.join()
        if self._error is not None:
            raise self._error
        assert self._identity is not None
        return self._identity

    def _hash_in_thread(self) -> None:
        try:
            self._hash()
        # Whatever it is, `settle` raises it in the uploading thread.
        except BaseException as error:  # pylint: disable=broad-except
            self._error = error

    def _hash(self) -> None:
        state = hashlib.sha256()
        buffer = memoryview(bytearray(min(self._sizes.buffer, self._content.size + 1)))
        with self._content.open_range(0, self._content.size) as reader:
            while count := reader.readinto(buffer):  # type: ignore[union-attr]
                require_running(self._cancelled)
                state.update(buffer[:count])
        self._identity = Identity(Digest(f"sha256:{state.hexdigest()}"), self._content.size)


class StreamSource:
    """Bytes that are generated, such as a packed folder. Only the current chunk is in memory. For an offset before it,
    *restart* generates the bytes again, which must be the same each time. A chunk has at most *largest* bytes."""

    def __init__(
        self,
        restart: Callable[[], Iterator[bytes | bytearray]],
        key: str,
        expected: int,
        name: str = "",
        largest: int = DEFAULT_SIZES.chunk,
    ) -> None:
        self.key, self.name = key, name
        self.expected = expected
        self._restart, self._largest = restart, largest
        self._begin()

    def _begin(self) -> None:
        self._blocks = self._restart()
        self._hash = hashlib.sha256()
        self._buffered: deque[memoryview] = deque()
        self._size = 0
        self._start = 0
        self._ended = False

    def chunk(self, offset: int, most: int) -> Chunk | None:
        """Return the bytes from *offset* on, and drop those before it; None at the end."""
        most = min(most, self._largest)
        if offset < self._start:
            self._begin()
        self._drop(offset)
        while self._size <= most and not self._ended:
            self._fill()
            self._drop(offset)
        blocks = Blocks(tuple(cut(self._buffered, 0, most)))
        return Chunk(blocks, 0, blocks.size) if blocks.size else None

    def identity(self) -> Identity | None:
        """Return the identity once all bytes have been generated."""
        if not self._ended:
            return None
        return Identity(Digest(f"sha256:{self._hash.hexdigest()}"), self._start + self._size)

    def settle(self) -> Identity:
        """Return the identity; generates the rest of the bytes."""
        while not self._ended:
            self._drop(self._start + self._size)
            self._fill()
        identity = self.identity()
        assert identity is not None
        return identity

    def _fill(self) -> None:
        block = next(self._blocks, None)
        if block is None:
            self._ended = True
        else:
            self._hash.update(block)
            self._buffered.append(memoryview(block))
            self._size += len(block)

    def _drop(self, offset: int) -> None:
        """Drop the bytes before *offset*."""
        size = max(min(offset - self._start, self._size), 0)
        self._start += size
        self._size -= size
        while size:
            first = self._buffered.popleft()
            if size < len(first):
                self._buffered.appendleft(first[size:])
            size -= min(size, len(first))
