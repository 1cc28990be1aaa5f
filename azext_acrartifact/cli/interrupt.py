"""Ctrl-C and SIGTERM: both stop a command at once, and say what is kept.

An agent that cancels a pipeline sends SIGTERM, which would end Python without a word and without `finally`.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

from ..errors import CancelledError

KEPT = "What was transferred so far is kept: run the same command again to go on."


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn an interrupt of the block into `CancelledError`; SIGTERM counts as one."""
    earlier = _on_terminate(_interrupt)
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise CancelledError("Stopped", why="the command was interrupted", hint=KEPT) from interrupt
    finally:
        if earlier is not None:
            _on_terminate(earlier)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _on_terminate(handler: Any) -> Any:
    """Set the handler of SIGTERM, where that can be done; the one before."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(signal.SIGTERM, handler)
