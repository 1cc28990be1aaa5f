"""Hashing in a thread of its own, beside reading, compressing and writing, which the interpreter lets run meanwhile."""

from __future__ import annotations

import hashlib
import threading

from ..threads import try_start

SMALL = 64 * 1024
"""Bytes that are hashed in less time than a thread takes to start."""


class BesideHash:
    """A hash of blocks that stay as they are once they are given; at most two of them are held.

    No thread outlives its block: there is nothing to close when the work is given up.
    """

    def __init__(self, algorithm: str = "sha256") -> None:
        self._state = hashlib.new(algorithm)
        self._thread: threading.Thread | None = None

    def update(self, block: bytes | bytearray | memoryview) -> None:
        """Account for *block*."""
        self._join()
        if len(block) < SMALL:
            self._state.update(block)
            return
        thread = threading.Thread(target=self._state.update, args=(block,), name="acrartifact-beside", daemon=True)
        if try_start(thread):
            self._thread = thread
        else:
            self._state.update(block)

    def digest(self) -> str:
        """`algorithm:hex` of all that was given so far."""
        self._join()
        return f"{self._state.name}:{self._state.hexdigest()}"

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None
