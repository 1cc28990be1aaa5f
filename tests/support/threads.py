"""Threads that run at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable


def run_all(works: Iterable[Callable[[], object]]) -> None:
    """Run each of *works* in a thread of its own, and wait for all."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
