"""The request log, for tests and benchmarks. Bounded; an entry is added when its request ends."""

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
    """One request. *time* is when its head had arrived, in seconds since the epoch; *duration_ms* ends with the
    last byte of the response. *status* is 0 if no response was sent. *connection* numbers TCP connections
    from 1 (0: an inner client). *request_bytes* and *response_bytes* count the transferred body bytes.
    *fault* has the ids of the applied rules, comma-separated. *error* is the service's own failure."""

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
        self._responding = 0
        self._cleared = 0.0
        self.settle_seconds = SETTLE_SECONDS

    def responding(self) -> None:
        """Note that a request is being handled: `entries` waits a moment for it."""
        with self._changed:
            self._responding += 1

    def responded(self, entry: LogEntry) -> None:
        """Add the entry of a request that `responding` noted."""
        with self._changed:
            self._responding -= 1
            self._append(entry)
            self._changed.notify_all()

    def add(self, entry: LogEntry) -> None:
        """Add the entry of a request without `responding`."""
        with self._changed:
            self._append(entry)

    def entries(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the entries with an id above *since*, as JSON-ready dictionaries."""
        with self._changed:
            self._settle()
            return [asdict(entry) for entry in self._entries if entry.id > since]

    def clear(self) -> None:
        """Drop all requests that have started, also unfinished ones. Ids are not reused."""
        with self._changed:
            self._settle()
            self._entries.clear()
            self._cleared = time.time()

    def _append(self, entry: LogEntry) -> None:
        # A request from before the log was cleared belongs to an earlier client, such as a killed one.
        if entry.time >= self._cleared:
            entry.id = next(self._ids)
            self._entries.append(entry)

    def _settle(self) -> None:
        # A client that has the last byte may read the log before this side added the entry.
        self._changed.wait_for(lambda: self._responding == 0, timeout=self.settle_seconds)


def since_ms(start: float) -> float:
    """Return the milliseconds since *start*, a `time.time()`."""
    return round((time.time() - start) * 1000, 3)
