"""Start threads that the system may refuse, and end those whose command was cancelled."""

from __future__ import annotations

import threading

from .errors import CancelledError


def try_start(thread: threading.Thread) -> bool:
    """Start *thread*; return False if the system has no more threads, so that the caller does the work itself."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def require_running(cancelled: threading.Event) -> None:
    """Raise `CancelledError` if the command was *cancelled*. Long work calls it again and again."""
    if cancelled.is_set():
        raise CancelledError("Stopped")
