"""The metadata API's times: ISO 8601 with seven fractional digits and Z (100 ns ticks)."""

from __future__ import annotations

import threading
import time

_TICKS = 10_000_000
_lock = threading.Lock()
_last = 0


def timestamp() -> str:
    """Return the current time, later than every time before, so that sorting the texts sorts the events."""
    global _last
    with _lock:
        _last = max(time.time_ns() // 100, _last + 1)
        ticks = _last
    seconds, fraction = divmod(ticks, _TICKS)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{fraction:07d}Z"
