"""Ctrl-C and SIGTERM: both stop a command at once with one line, and the exit code that shells expect.

A pipeline agent cancels with SIGTERM, on which Python would exit without a message and without running `finally`.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from ..errors import CancelledError

_Handler = Callable[[int, FrameType | None], object] | int | None


class InterruptError(CancelledError):
    """Stopped by Ctrl-C or SIGTERM. *exit_code* is 128 and the signal's number
    (https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_08_02)."""

    def __init__(self, interrupt: KeyboardInterrupt, why: str) -> None:
        super().__init__("Stopped", why=why)
        self.exit_code = 128 + (signal.SIGTERM if isinstance(interrupt, _Terminated) else signal.SIGINT)


class _Terminated(KeyboardInterrupt):
    """SIGTERM, which stops a command as Ctrl-C does."""


@contextlib.contextmanager
def interruptible(why: str = "") -> Iterator[None]:
    """Raise `InterruptError` when Ctrl-C or SIGTERM interrupts the block. *why* says what is true then."""
    earlier = _on_terminate(_terminate)
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise InterruptError(interrupt, why) from interrupt
    finally:
        if earlier is not None:
            _on_terminate(earlier)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise _Terminated


def _on_terminate(handler: _Handler) -> _Handler:
    """Set the handler of SIGTERM, which only the main thread may do; return the one before."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(signal.SIGTERM, handler)
