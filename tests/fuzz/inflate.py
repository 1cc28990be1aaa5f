"""Compressed layers: read in bounded blocks, and as the standard library reads them."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib

from azext_acrartifact.errors import RefusedError
from azext_acrartifact.files.archive.decompress import InflatedStream, inflated
from tests.fuzz.shown import is_harmless

LIMIT = 1 << 20


def check(data: bytes) -> None:
    """Let the first byte choose the library, and how much is read and asked for at a time."""
    if not data:
        return
    few, most, raw = data[0] % 7 + 1, data[0] // 7 * 100 + 1, data[1:]
    source = io.BytesIO(raw)
    stream = InflatedStream(inflated(lambda count: source.read(min(count, few)), zlib if data[0] & 1 else None), LIMIT)
    content = bytearray()
    try:
        while block := stream.read_block(most):
            assert len(block) <= most
            content += block
            assert len(content) <= LIMIT
    except RefusedError as error:
        assert is_harmless(error.message)
        return
    assert stream.read_exactly(3) == b""
    if raw.startswith(b"\x1f\x8b"):
        assert bytes(content) == gzip.decompress(raw)
    elif not raw.startswith(b"\x28\xb5\x2f\xfd"):
        assert bytes(content) == raw
    stream.require_digest(f"sha256:{hashlib.sha256(content).hexdigest()}")
