"""Hashing in a thread of its own, beside reading, compressing and writing, which the interpreter lets run meanwhile."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

_BLOCKS_AHEAD = 2


class BesideHash:
    """A hash of blocks that stay as they are once they are given; at most three of them are held.

    Its thread ends with it.
    """

    def __init__(self, algorithm: str = "sha256") -> None:
        self._state = hashlib.new(algorithm)
        self._pool: ThreadPoolExecutor | None = ThreadPoolExecutor(1, thread_name_prefix="acrartifact-hash")
        self._pending: deque[Future[None]] = deque()

    def update(self, block: bytes | bytearray | memoryview) -> None:
        """Account for *block*."""
        if self._pool is not None:
            try:
                self._pending.append(self._pool.submit(self._state.update, block))
            except RuntimeError:  # the system gives no more threads
                self._pool = None
        if self._pool is None:
            self._state.update(block)
        elif len(self._pending) > _BLOCKS_AHEAD:
            self._pending.popleft().result()

    def digest(self) -> str:
        """`algorithm:hex` of all that was given so far."""
        while self._pending:
            self._pending.popleft().result()
        return f"{self._state.name}:{self._state.hexdigest()}"
