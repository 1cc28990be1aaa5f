"""Digests of files, in the form `algorithm:hex` (OCI image specification, descriptor.md, Digests)."""

from __future__ import annotations

import hashlib
import os
from io import FileIO

BLOCK = 1 << 20
"""Bytes per read: smaller ones cost system calls, larger ones do not fit the processor's cache."""


def hash_descriptor(descriptor: int, algorithm: str = "sha256") -> str:
    """Return the digest of the open file *descriptor*, from its start. Moves its offset. Raises OSError."""
    state = hashlib.new(algorithm)
    buffer = bytearray(BLOCK)
    view = memoryview(buffer)
    os.lseek(descriptor, 0, os.SEEK_SET)
    with FileIO(descriptor, closefd=False) as file:
        while count := file.readinto(buffer):
            state.update(view[:count])
    return f"{algorithm}:{state.hexdigest()}"
