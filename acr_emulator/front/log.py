"""The request log: what tests and benchmarks count on. Bounded; each entry is written once, when its request ends."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

CAPACITY = 50_000
SETTLE_SECONDS = 0.25


@dataclass
class LogEntry:
    """One request. *time* is seconds since the epoch when its head had arrived; *duration_ms* runs to the
    last byte of the answer. *status* is 0 when no answer was sent. *connection* numbers TCP connections from
    1 (0: an inner client). *request_bytes* and *response_bytes* count body bytes that really passed.
    *fault* holds the ids of the rules applied, comma-separated. *error* is the service's own failure."""

    id: int = 0
    time: float = 0.0
    client: str = "wire"
    connection: int = 0
    method: str = ""
    scheme: str = ""
    host: str = ""
    path: str = ""
    query: str = ""
    status: int = 0
    request_bytes: int = 0
    response_bytes: int = 0
    duration_ms: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    fault: str | None = None
    error: str | None = None


class RequestLog:
    """The last *capacity* requests, oldest first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=capacity)
        self._ids = itertools.count(1)
        self._changed = threading.Condition()
        self._answering = 0
        self._cleared = 0.0
        self.settle_seconds = SETTLE_SECONDS

    def answering(self) -> None:
        """An answer begins to leave: its entry is due, and readers wait for it a little."""
        with self._changed:
            self._answering += 1

    def answered(self, entry: LogEntry) -> None:
        """The request of an earlier `answering` has ended."""
        with self._changed:
            self._answering -= 1
            self._append(entry)
            self._changed.notify_all()

    def add(self, entry: LogEntry) -> None:
        """Note a request that had no `answering`."""
        with self._changed:
            self._append(entry)

    def entries(self, since: int = 0) -> list[dict[str, Any]]:
        """Entries whose id is greater than *since*, as JSON-ready dictionaries."""
        with self._changed:
            self._settle()
            return [asdict(entry) for entry in self._entries if entry.id > since]

    def clear(self) -> None:
        """Forget every request that has begun, those under way too. Ids go on counting."""
        with self._changed:
            self._settle()
            self._entries.clear()
            self._cleared = time.time()

    def _append(self, entry: LogEntry) -> None:
        # One that was under way when all was forgotten is of an earlier client, such as one that was killed.
        if entry.time >= self._cleared:
            entry.id = next(self._ids)
            self._entries.append(entry)

    def _settle(self) -> None:
        # A client may ask for the log as soon as it has the last byte, before the sender came to note it.
        self._changed.wait_for(lambda: self._answering == 0, timeout=self.settle_seconds)


def since_ms(start: float) -> float:
    """Milliseconds since *start*, a `time.time()`."""
    return round((time.time() - start) * 1000, 3)
