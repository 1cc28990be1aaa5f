"""Wait for a replica that does not show a change yet.

Geo-replicas are eventually consistent: https://learn.microsoft.com/azure/container-registry/container-registry-geo-replication
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PAUSE = 1.0
"""Seconds between two attempts, after a second one at once."""


class NotYet(AssertionError):
    """A read does not show the change that was made before."""


def eventually(read: Callable[[], T], within: float = 60.0) -> T:
    """Return the result of *read*, and repeat it while it raises `NotYet`, for *within* seconds."""
    end, pause = time.monotonic() + within, 0.0
    while True:
        try:
            return read()
        except NotYet:
            if time.monotonic() + pause > end:
                raise
        time.sleep(pause)
        pause = PAUSE
