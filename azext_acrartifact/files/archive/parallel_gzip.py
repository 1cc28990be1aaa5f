"""Compress one gzip member in independent blocks on all cores, with bounded memory.

Each block is raw deflate that ends at a byte boundary, so that blocks can be concatenated (RFC 1951, section 3.2.4;
zlib manual, Z_SYNC_FLUSH). One checksum over all of them ends the member (RFC 1952), and every gzip reader accepts it.
The block size does not depend on the number of cores, so the same input gives the same bytes.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

Block = bytes | bytearray

FAST = 1
STORED = 0
_WINDOW = 32 * 1024
"""Bytes that are either compressed or stored: deflate looks back no further."""
_PROBES, _PROBE = 4, 256
_NO_GAIN = 0.97
_BLOCKS_A_WORKER = 2
GZIP_MAGIC = b"\x1f\x8b"
# Deflate, no flags, no time, "fastest algorithm", unknown system: nothing that identifies this machine.
_HEADER = GZIP_MAGIC + b"\x08\x00\x00\x00\x00\x00\x04\xff"
_LAST_BLOCK = b"\x03\x00"


@dataclass(frozen=True)
class Gzip:
    """A gzip implementation. Those of one *version* produce the same bytes."""

    version: str
    deflate: Callable[[Block], bytes]
    """Compresses one block to raw deflate that ends at a byte boundary, without a final block."""
    crc32: Callable[[Block, int], int]
    """Updates a checksum by a block."""


def zlib_gzip() -> Gzip:
    """Return the standard library's gzip at its fastest level. It stores what does not shrink (RFC 1951, section
    3.2.4): zlib takes longer for that than for text, and models, images and archives consist of it."""
    return Gzip(f"zlib {zlib.ZLIB_RUNTIME_VERSION}, stored", _deflated, zlib.crc32)


def _deflated(block: Block) -> bytes:
    view = memoryview(block)
    return b"".join(_at_level(level, view[start:end]) for level, start, end in _levels(view))


def _levels(view: memoryview) -> Iterator[tuple[int, int, int]]:
    """Yield level, start and end of each stretch of one level; at least one."""
    level, begin = _level(view[:_WINDOW]), 0
    for start in range(_WINDOW, len(view), _WINDOW):
        following = _level(view[start : start + _WINDOW])
        if following != level:
            yield level, begin, start
            level, begin = following, start
    yield level, begin, len(view)


def _level(data: memoryview) -> int:
    """Return `STORED` if samples from all over *data* do not shrink, else `FAST`."""
    step = max(len(data) // _PROBES, _PROBE)
    sample = b"".join(data[start : start + _PROBE] for start in range(0, len(data), step))
    return STORED if len(zlib.compress(sample, FAST)) > len(sample) * _NO_GAIN else FAST


def _at_level(level: int, stretch: memoryview) -> bytes:
    compressor = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(stretch) + compressor.flush(zlib.Z_SYNC_FLUSH)


def gzip_member(blocks: Iterable[Block], gzip: Gzip, workers: int | None = None) -> Iterator[bytes]:
    """Yield *blocks* as one gzip member, compressed by *workers* threads, by default one for each usable core.

    At most `2 * workers + 1` blocks are in memory at once. Errors of *blocks* are raised unchanged.
    """
    count = workers or _usable_cores()
    checksum = size = 0
    pending: deque[Future[bytes]] = deque()
    yield _HEADER
    pool = ThreadPoolExecutor(count, thread_name_prefix="gzip")
    try:
        for block in blocks:
            pending.append(_submitted(pool, gzip, block))
            checksum = gzip.crc32(block, checksum)
            size += len(block)
            if len(pending) > _BLOCKS_A_WORKER * count:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
    yield _LAST_BLOCK + struct.pack("<II", checksum, size & 0xFFFFFFFF)


def _submitted(pool: ThreadPoolExecutor, gzip: Gzip, block: Block) -> Future[bytes]:
    try:
        return pool.submit(gzip.deflate, block)
    except RuntimeError:  # the system allows no more threads
        done: Future[bytes] = Future()
        done.set_result(gzip.deflate(block))
        return done


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
