"""The uncompressed bytes of a layer, as a stream whose length and digest are watched.

The digest covers everything, padding and trailing blocks too; nothing is held beyond one piece, however well the
layer is compressed.
"""

from __future__ import annotations

import functools
import importlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from ...errors import DigestMismatchError, UnsafeContentError
from ..background_hash import BesideHash
from .compression import zstd_module

Read = Callable[[int], bytes]
"""Up to that many bytes; none at the end."""

_INPUT = 1 << 20
_OUTPUT = 2 << 20
"""A quarter of that takes a fifth more time: each piece passes from thread to thread."""
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


def damaged(why: str) -> UnsafeContentError:
    """The error for an archive that cannot be read."""
    return UnsafeContentError("The folder's archive is damaged", why=why, hint="Pull again; if it stays, push it anew.")


def blocks(read: Read) -> Iterator[bytes]:
    """All that *read* gives, 1 MiB at a time."""
    return iter(functools.partial(read, _INPUT), b"")


def inflated(read: Read) -> Iterator[bytes]:
    """The content of gzip, of one or several members, or of an archive that is not compressed, in pieces <= 2 MiB."""
    start = b""
    while len(start) < len(_ZSTD) and (data := read(_INPUT)):
        start += data
    if start.startswith(_ZSTD):
        yield from _unzstd(start, read)
    elif start.startswith(_GZIP):
        yield from _gunzipped(start, read)
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
            if frame.needs_input and not data and not (data := read(_INPUT)):
                raise damaged("the compressed data ends too early")
            try:
                output = frame.decompress(data, _OUTPUT)
            except module.ZstdError as error:
                raise damaged(str(error)) from error
            data = b""
            if output:
                yield output
        data = frame.unused_data or read(_INPUT)


def _plain(start: bytes, read: Read) -> Iterator[bytes]:
    data = start
    while data:
        yield data
        data = read(_OUTPUT)


def _gunzipped(data: bytes, read: Read) -> Iterator[bytes]:
    module = _inflater()
    while data:
        member = module.decompressobj(16 + zlib.MAX_WBITS)
        yield from _one_member(module, member, data, read)
        # Whatever follows has to be another member: zlib refuses anything else.
        data = member.unused_data or read(_INPUT)


def _inflater() -> Any:
    """isal's inflate where it is installed, which takes three quarters of the time; else zlib, whose names it has."""
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
        data = member.unconsumed_tail or read(_INPUT)
        # Without input there may still be output that did not fit before.
        if not data and not output:
            raise damaged("the compressed data ends too early")


class InflatedStream:
    """Pieces of a known length out of a layer, counted and hashed as they come."""

    def __init__(self, pieces: Iterator[bytes], limit: int, algorithm: str = "sha256") -> None:
        """The layer that *pieces* of `inflated` are; refuse to go on after *limit* bytes."""
        self._pieces = pieces
        self._buffer = memoryview(b"")
        self._left = limit
        self._hash = BesideHash(algorithm)

    def piece(self, most: int) -> memoryview:
        """The next bytes, 1 to *most*; none at the end."""
        if not self._buffer:
            self._buffer = memoryview(next(self._pieces, b""))
            self._hash.update(self._buffer)
            self._left -= len(self._buffer)
            if self._left < 0:
                raise UnsafeContentError(
                    "The folder's archive is larger than what is allowed",
                    hint="Raise --max-unpacked-size, if you trust the artifact.",
                )
        found, self._buffer = self._buffer[:most], self._buffer[most:]
        return found

    def exactly(self, count: int) -> bytes:
        """The next *count* bytes, which are few; fewer only at the end."""
        found = bytes(self.piece(count))
        while len(found) < count and (more := self.piece(count - len(found))):
            found += more
        return found

    def require_digest(self, expected: str) -> None:
        """Raise DigestMismatchError unless all that came has the digest *expected*. Call it at the end."""
        found = self._hash.digest()
        if found != expected:
            raise DigestMismatchError(
                "The unpacked folder is not what the artifact says",
                why=f"its archive has {found}, not {expected}",
                hint="Do not trust this artifact.",
            )
