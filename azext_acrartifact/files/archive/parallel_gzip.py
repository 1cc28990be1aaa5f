"""One gzip member, compressed in independent blocks on all cores, with bounded memory.

Each block is raw deflate that ends on a byte, so that the blocks can simply follow one another
(RFC 1951, section 3.2.4; zlib manual, Z_SYNC_FLUSH); one checksum over all closes the member (RFC 1952), and every
gzip reader takes it. Blocks have one size whatever the number of cores, so the same input gives the same bytes.
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
_CHUNK = 32 * 1024
"""Bytes that are compressed or stored alike: deflate looks back no further."""
_PROBES, _PROBE = 4, 256
_NO_GAIN = 0.97
_BLOCKS_A_WORKER = 2
# Magic, deflate, no flags, no time, "fastest algorithm", unknown system: nothing of this machine.
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_LAST_BLOCK = b"\x03\x00"


@dataclass(frozen=True)
class Gzip:
    """What a member is made with; *version* is the same wherever the same bytes come out."""

    version: str
    deflate: Callable[[Block], bytes]
    """Raw deflate of one block, ending on a byte, without a final block."""
    crc32: Callable[[Block, int], int]
    """The checksum of a block that follows on what has that checksum."""


def zlib_gzip() -> Gzip:
    """The standard library's, at the level that costs least. What does not shrink is stored (RFC 1951, section 3.2.4):
    zlib takes longer for it than for text, and models, images and archives are nothing else."""
    return Gzip(f"zlib {zlib.ZLIB_RUNTIME_VERSION}, stored", _deflated, zlib.crc32)


def _deflated(block: Block) -> bytes:
    view = memoryview(block)
    return b"".join(_at_level(level, view[start:end]) for level, start, end in _runs(view))


def _runs(view: memoryview) -> Iterator[tuple[int, int, int]]:
    """Level, start and end of each stretch that is treated alike; one stretch at least."""
    level, begin = _level(view[:_CHUNK]), 0
    for start in range(_CHUNK, len(view), _CHUNK):
        following = _level(view[start : start + _CHUNK])
        if following != level:
            yield level, begin, start
            level, begin = following, start
    yield level, begin, len(view)


def _level(chunk: memoryview) -> int:
    """`STORED` where samples from all over *chunk* do not shrink, else `FAST`."""
    step = max(len(chunk) // _PROBES, _PROBE)
    sample = b"".join(chunk[start : start + _PROBE] for start in range(0, len(chunk), step))
    return STORED if len(zlib.compress(sample, FAST)) > len(sample) * _NO_GAIN else FAST


def _at_level(level: int, stretch: memoryview) -> bytes:
    compressor = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(stretch) + compressor.flush(zlib.Z_SYNC_FLUSH)


def gzip_member(blocks: Iterable[Block], gzip: Gzip, workers: int | None = None) -> Iterator[bytes]:
    """*blocks* as one gzip member. *workers* is the number of threads, by default that of the usable cores.

    At most `2 * workers + 1` blocks are in memory at once. Errors of *blocks* come through.
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
    except RuntimeError:  # the system gives no more threads
        done: Future[bytes] = Future()
        done.set_result(gzip.deflate(block))
        return done


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
