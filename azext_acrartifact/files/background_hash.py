"""Hash blocks in a thread, which runs while the caller reads, compresses or writes: hashlib releases the GIL."""

from __future__ import annotations

import hashlib
import threading

from ..threads import try_start

_SMALL = 64 * 1024
"""Bytes that are hashed in less time than a thread takes to start."""


class BackgroundHash:
    """A hash that is updated in the background. The caller must not change blocks that it has passed.

    At most two blocks are in memory. Each thread ends with its block, so there is nothing to close.
    """

    def __init__(self, algorithm: str = "sha256") -> None:
        self._state = hashlib.new(algorithm)
        self._thread: threading.Thread | None = None

    def update(self, block: bytes | bytearray | memoryview) -> None:
        """Start hashing *block*, once the block before it is hashed."""
        self._join()
        if len(block) < _SMALL:
            self._state.update(block)
            return
        thread = threading.Thread(target=self._state.update, args=(block,), name="acrartifact-block-hash", daemon=True)
        if try_start(thread):
            self._thread = thread
        else:
            self._state.update(block)

    def digest(self) -> str:
        """Return `algorithm:hex` of all blocks so far."""
        self._join()
        return f"{self._state.name}:{self._state.hexdigest()}"

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None
