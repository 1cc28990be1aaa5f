"""Decompress a layer as a stream whose size is limited and whose digest is computed.

The digest covers everything, also padding and what follows the end of the archive. However high the compression ratio,
only one block is in memory.
"""

from __future__ import annotations

import functools
import importlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from ...errors import DigestMismatchError, UnsafeContentError
from ..background_hash import BackgroundHash
from ..hashing import BLOCK
from .compression import ZSTD_MAGIC, zstd_module
from .parallel_gzip import GZIP_MAGIC

Read = Callable[[int], bytes]
"""Returns up to that many bytes, none at the end."""

_OUTPUT = 2 * BLOCK
"""Bytes per block. Blocks of a quarter of that take a fifth more time, as each passes from one thread to another."""


def damaged(why: str) -> UnsafeContentError:
    """Return the error for an archive that cannot be read."""
    return UnsafeContentError(
        "The folder's archive is damaged", why=why, hint="Pull again. If it fails again, push the folder again."
    )


def blocks(read: Read) -> Iterator[bytes]:
    """Yield everything that *read* returns, 1 MiB at a time."""
    return iter(functools.partial(read, BLOCK), b"")


def inflated(read: Read, zlib_module: Any = None) -> Iterator[bytes]:
    """Yield the content of a layer in blocks of at most 2 MiB: of gzip members, of zstd frames, or as it is.

    *zlib_module* decompresses gzip, by default isal where it is installed. Raises UnsafeContentError.
    """
    start = b""
    while len(start) < len(ZSTD_MAGIC) and (data := read(BLOCK)):
        start += data
    if start.startswith(ZSTD_MAGIC):
        yield from _unzstd(start, read)
    elif start.startswith(GZIP_MAGIC):
        yield from _gunzip(start, read, zlib_module or _fastest_zlib())
    else:
        yield from _plain(start, read)


def _unzstd(data: bytes, read: Read) -> Iterator[bytes]:
    module = zstd_module()
    if module is None:
        raise UnsafeContentError(
            "The folder is compressed by zstd, which is not installed",
            hint="Run: python -m pip install backports.zstd, in Azure CLI's own Python.",
        )
    while data:
        frame = module.ZstdDecompressor()
        while not frame.eof:
            if frame.needs_input and not data and not (data := read(BLOCK)):
                raise damaged("the compressed data ends too early")
            try:
                output = frame.decompress(data, _OUTPUT)
            except module.ZstdError as error:
                raise damaged(str(error)) from error
            data = b""
            if output:
                yield output
        data = frame.unused_data or read(BLOCK)


def _plain(start: bytes, read: Read) -> Iterator[bytes]:
    data = start
    while data:
        yield data
        data = read(_OUTPUT)


def _gunzip(data: bytes, read: Read, module: Any) -> Iterator[bytes]:
    while data:
        member = module.decompressobj(16 + zlib.MAX_WBITS)
        yield from _one_member(module, member, data, read)
        # Only another member may follow: zlib refuses anything else.
        data = member.unused_data or read(BLOCK)


def _fastest_zlib() -> Any:
    """Return isal's zlib where it is installed, which takes three quarters of the time, else the standard library's."""
    try:
        return importlib.import_module("isal.isal_zlib")
    except ImportError:
        return zlib


def _one_member(module: Any, member: Any, data: bytes, read: Read) -> Iterator[bytes]:
    while True:
        try:
            output = member.decompress(data, _OUTPUT)
        except module.error as error:
            raise damaged(str(error)) from error
        if output:
            yield output
        if member.eof:
            return
        data = member.unconsumed_tail or read(BLOCK)
        # Without input there may still be output that did not fit before.
        if not data and not output:
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
