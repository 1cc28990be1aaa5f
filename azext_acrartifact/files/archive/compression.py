"""Compress a folder's layer by gzip, which every tool reads, by zstd, or not at all.

The package isal writes gzip several times faster and is used where it is installed. zstd is part of Python 3.14 and,
for older versions, of the package backports.zstd.
"""

from __future__ import annotations

import importlib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidInputError
from .parallel_gzip import Block, Gzip, gzip_member, zlib_gzip

GZIP, ZSTD, NONE = "gzip", "zstd", "none"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_MODULES = ("compression.zstd", "backports.zstd")
_ZSTD_LEVEL = 1


@dataclass(frozen=True)
class Codec:
    """One way to compress. Codecs of one *version* produce the same bytes; *encode* is None for `none`."""

    name: str
    version: str
    encode: Callable[[Iterable[Block]], Iterator[Block]] | None


def codec_named(name: str) -> Codec:
    """Return the codec *name*. Raises InvalidInputError when it is unknown or not installed."""
    if name == GZIP:
        gzip = _gzip()
        return Codec(GZIP, gzip.version, lambda blocks: gzip_member(blocks, gzip))
    if name == NONE:
        return Codec(NONE, NONE, None)
    if name == ZSTD:
        module = zstd_module()
        if module is None:
            raise InvalidInputError(
                "zstd is not installed", hint="Run: python -m pip install backports.zstd, in Azure CLI's own Python."
            )
        return Codec(ZSTD, f"zstd {module.zstd_version}", lambda blocks: _zstd(module, blocks))
    raise InvalidInputError("Unknown compression", where=name, hint=f"Give {GZIP}, {ZSTD} or {NONE}.")


def zstd_module() -> Any | None:
    """Return the standard library's zstd module or its backport; None without either."""
    for name in _ZSTD_MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def _gzip() -> Gzip:
    try:
        isal = importlib.import_module("isal.isal_zlib")
    except ImportError:
        return zlib_gzip()

    def deflate(block: Block) -> bytes:
        compressor = isal.compressobj(1, isal.DEFLATED, -zlib.MAX_WBITS)
        return bytes(compressor.compress(block) + compressor.flush(zlib.Z_SYNC_FLUSH))

    return Gzip("isal", deflate, isal.crc32)


def _zstd(module: Any, blocks: Iterable[Block]) -> Iterator[Block]:
    parameter = module.CompressionParameter
    options = {parameter.compression_level: _ZSTD_LEVEL, parameter.checksum_flag: 1}
    options[parameter.nb_workers] = min(os.cpu_count() or 1, 8)
    compressor = module.ZstdCompressor(options=options)
    for block in blocks:
        yield compressor.compress(block)
    yield compressor.flush()
