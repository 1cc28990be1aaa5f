"""Ctrl-C and SIGTERM: both stop a command at once with a clear error.

A pipeline agent cancels with SIGTERM, on which Python would exit without a message and without running `finally`.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from ..errors import CancelledError

RESUME = "Run the same command again: finished files are not transferred again, and the others resume where possible."
_Handler = Callable[[int, FrameType | None], object] | int | None


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Raise `CancelledError` when Ctrl-C or SIGTERM interrupts the block."""
    earlier = _on_terminate(_interrupt)
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise CancelledError("Stopped", why="the command was interrupted", hint=RESUME) from interrupt
    finally:
        if earlier is not None:
            _on_terminate(earlier)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _on_terminate(handler: _Handler) -> _Handler:
    """Set the handler of SIGTERM, which only the main thread may do; return the one before."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(signal.SIGTERM, handler)
