"""Decompress a layer as a stream whose size is limited and whose digest is computed.

The digest covers everything, also padding and what follows the end of the archive. However high the compression ratio,
only one block is in memory.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import threading
import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Any

from ...errors import DigestMismatchError, UnsafeContentError
from ..background_hash import BackgroundHash
from ..hashing import BLOCK
from .compression import ZSTD_MAGIC, zstd_module
from .foreign import MOST_READ, compression_of
from .parallel_gzip import GZIP_MAGIC

Read = Callable[[int], bytes]
"""Returns up to that many bytes, none at the end."""

_OUTPUT = 2 * BLOCK
"""Bytes per block of a large layer. Blocks of a quarter of that take a fifth more time, as each passes from one thread
to another."""
_SMALL_OUTPUT = BLOCK // 8
"""Bytes per block of a small layer, and of those beyond the first few: dozens of layers may be unpacked at once."""
_LARGE_BLOCKS = threading.BoundedSemaphore(3)
WINDOW_LIMIT = 8 << 20
"""Bytes that a zstd frame may refer back to: as many as RFC 8878 §3.1.1.1.2 recommends for every decoder."""
_SMALL_WINDOW = 1 << 20
_LARGE_WINDOWS = threading.BoundedSemaphore(3)
"""Frames of larger windows that are decompressed at once, in all layers together. The others wait."""
_SMALL_INPUT = 64 << 10
"""Bytes that are decompressed at once where a member begins, or blocks are small: what is left of them is copied."""
_FREE_MEMBERS, _BYTES_A_MEMBER = 1000, 512
"""Members that a layer may have without content, and the bytes of content that each further one must bring: those of a
tar header, as in eStargz."""
_FRAME_HEADER = 18
"""The most bytes of a zstd frame's header."""


def damaged(why: str) -> UnsafeContentError:
    """Return the error for an archive that cannot be read."""
    return UnsafeContentError(
        "The folder's archive is damaged", why=why, hint="Pull again. If it fails again, push the folder again."
    )


def blocks(read: Read) -> Iterator[bytes]:
    """Yield everything that *read* returns, 1 MiB at a time."""
    return iter(functools.partial(read, BLOCK), b"")


def inflated(read: Read, zlib_module: Any = None) -> Generator[bytes]:
    """Yield the content of a layer in blocks of at most 2 MiB: of gzip members, of zstd frames, or as it is.

    *zlib_module* decompresses gzip, by default isal where it is installed. Raises UnsafeContentError.
    """
    source = _Input(read)
    start = source.peek(MOST_READ)
    with contextlib.closing(_Output()) as output:
        if start.startswith(ZSTD_MAGIC):
            yield from _unzstd(source, output)
        elif start.startswith(GZIP_MAGIC):
            yield from _gunzip(source, output, zlib_module or _fastest_zlib())
        else:
            _require_known(start)
            yield from source.rest()


def _require_known(start: bytes) -> None:
    if compression := compression_of(start):
        raise UnsafeContentError(
            f"The folder is compressed by {compression}, which is not unpacked here",
            why="only gzip, zstd and plain tars are",
            hint="Save the layer (az acr artifact backup … -d layout) and unpack it: tar -xf layout/blobs/sha256/…",
        )


class _Input:
    """The compressed bytes of a layer, of which a member may leave some to the next one."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._data = b""
        self._at = 0

    def peek(self, count: int) -> bytes:
        """Return the next *count* bytes without consuming them, fewer only at the end."""
        while len(self._data) - self._at < count and (more := self._read(BLOCK)):
            self._data, self._at = self._data[self._at :] + more, 0
        return self._data[self._at : self._at + count]

    def take(self, most: int) -> bytes:
        """Return the next 1 to *most* bytes, none at the end."""
        if self._at == len(self._data):
            self._data, self._at = self._read(BLOCK), 0
        taken = self._data[self._at : self._at + most]
        self._at += len(taken)
        return taken

    def give_back(self, count: int) -> None:
        """Put the last *count* bytes that were taken back."""
        self._at -= count

    def rest(self) -> Iterator[bytes]:
        """Yield everything that is left."""
        return iter(lambda: self.take(_OUTPUT), b"")


class _Output:
    """The content of one layer: its members are counted, and its blocks are large only if it is."""

    def __init__(self) -> None:
        self._produced = self._members = 0
        self._large = False

    @property
    def block_size(self) -> int:
        """Bytes of the next block."""
        return _OUTPUT if self._large else _SMALL_OUTPUT

    @property
    def input_size(self) -> int:
        """Bytes to decompress at once within a member."""
        return BLOCK if self._large else _SMALL_INPUT

    def count(self, block: bytes) -> None:
        """Count a block of content."""
        self._produced += len(block)
        if not self._large and self._produced >= BLOCK:
            # It is released by `close`.
            self._large = _LARGE_BLOCKS.acquire(blocking=False)  # pylint: disable=consider-using-with

    def begin_member(self) -> None:
        """Count a gzip member or a zstd frame. Raises UnsafeContentError when most of them have no content."""
        self._members += 1
        if self._members > _FREE_MEMBERS + self._produced // _BYTES_A_MEMBER:
            raise damaged(f"{self._members:,} compressed members have only {self._produced:,} bytes of content")

    def close(self) -> None:
        """Let another layer have large blocks."""
        if self._large:
            self._large = False
            _LARGE_BLOCKS.release()


def _unzstd(source: _Input, output: _Output) -> Iterator[bytes]:
    module = zstd_module()
    if module is None:
        raise UnsafeContentError(
            "The folder is compressed by zstd, which is not installed",
            hint="Run: python -m pip install backports.zstd, in Azure CLI's own Python.",
        )
    limit = {module.DecompressionParameter.window_log_max: WINDOW_LIMIT.bit_length() - 1}
    while header := source.peek(_FRAME_HEADER):
        output.begin_member()
        window = _window(header)
        if window > WINDOW_LIMIT:
            raise UnsafeContentError(
                "The folder takes too much memory to decompress",
                why=f"its zstd window has {window >> 20:,} MiB, and at most {WINDOW_LIMIT >> 20} are allowed",
                hint="Ask its publisher to compress it without zstd's options --long and --ultra.",
            )
        with _LARGE_WINDOWS if window > _SMALL_WINDOW else contextlib.nullcontext():
            yield from _one_frame(module, module.ZstdDecompressor(options=limit), source, output)


def _window(header: bytes) -> int:
    """Return the window of a zstd frame in bytes (RFC 8878 §3.1.1.1); 0 for a skippable or a damaged frame."""
    flags = header[4] if len(header) > 5 and header.startswith(ZSTD_MAGIC) else 0x08
    if flags & 0x08:  # a reserved bit
        return 0
    if not flags & 0x20:
        base = 1 << (10 + (header[5] >> 3))
        return base + base // 8 * (header[5] & 7)
    start = 5 + (0, 1, 2, 4)[flags & 3]  # the content in one block, whose size is the window
    return int.from_bytes(header[start : start + (1 << (flags >> 6))], "little")


def _one_frame(module: Any, frame: Any, source: _Input, output: _Output) -> Iterator[bytes]:
    size = _SMALL_INPUT
    while not frame.eof:
        data = b""
        if frame.needs_input and not (data := source.take(size)):
            raise damaged("the compressed data ends too early")
        try:
            block = frame.decompress(data, output.block_size)
        except module.ZstdError as error:
            raise damaged(str(error)) from error
        size = output.input_size
        output.count(block)
        if block:
            yield block
    source.give_back(len(frame.unused_data))


def _gunzip(source: _Input, output: _Output, module: Any) -> Iterator[bytes]:
    while source.peek(1):
        output.begin_member()
        # Only another member may follow: zlib refuses anything else.
        yield from _one_member(module, module.decompressobj(16 + zlib.MAX_WBITS), source, output)


def _fastest_zlib() -> Any:
    """Return isal's zlib where it is installed, which takes three quarters of the time, else the standard library's."""
    try:
        return importlib.import_module("isal.isal_zlib")
    except ImportError:
        return zlib


def _one_member(module: Any, member: Any, source: _Input, output: _Output) -> Iterator[bytes]:
    data = source.take(_SMALL_INPUT)
    while True:
        try:
            block = member.decompress(data, output.block_size)
        except module.error as error:
            raise damaged(str(error)) from error
        output.count(block)
        if block:
            yield block
        if member.eof:
            source.give_back(len(member.unused_data))
            return
        data = member.unconsumed_tail or source.take(output.input_size)
        # Without input there may still be output that did not fit before.
        if not data and not block:
            raise damaged("the compressed data ends too early")


class InflatedStream:
    """The uncompressed bytes of a layer, counted and hashed as they are read."""

    def __init__(self, content: Iterator[bytes], limit: int, algorithm: str = "sha256") -> None:
        """Read *content*, the blocks of `inflated`, and raise UnsafeContentError after *limit* bytes."""
        self._content = content
        self._buffer = memoryview(b"")
        self._left = limit
        self._hash = BackgroundHash(algorithm)

    def read_block(self, most: int) -> memoryview:
        """Return the next 1 to *most* bytes, none at the end."""
        if not self._buffer:
            self._buffer = memoryview(next(self._content, b""))
            self._hash.update(self._buffer)
            self._left -= len(self._buffer)
            if self._left < 0:
                raise UnsafeContentError(
                    "The folder's archive is larger than allowed",
                    hint="Raise --max-unpacked-size, if you trust the artifact.",
                )
        found, self._buffer = self._buffer[:most], self._buffer[most:]
        return found

    def read_exactly(self, count: int) -> bytes:
        """Return the next *count* bytes, fewer only at the end. Meant for headers: it copies."""
        found = bytes(self.read_block(count))
        while len(found) < count and (more := self.read_block(count - len(found))):
            found += more
        return found

    def require_digest(self, expected: str) -> None:
        """Raise DigestMismatchError unless everything that was read has the digest *expected*. Call it at the end."""
        found = self._hash.digest()
        if found != expected:
            raise DigestMismatchError(
                "The unpacked folder is not what the artifact says",
                why=f"its archive has {found}, not {expected}",
                hint="Do not trust this artifact.",
            )
