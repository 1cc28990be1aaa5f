"""Start threads that the system may refuse."""

from __future__ import annotations

import threading


def try_start(thread: threading.Thread) -> bool:
    """Start *thread*; return False if the system has no more threads, so that the caller does the work itself."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True
