"""Threads beside the one that asks for them, which a busy system may refuse."""

from __future__ import annotations

import threading


def try_start(thread: threading.Thread) -> bool:
    """Start *thread*; False when the system gives no more threads, so that the caller does the work itself."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True
