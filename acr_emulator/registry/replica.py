"""A replica that lags: one part of a registry as it was some seconds, or some reads, ago.

Geo-replication is eventually consistent, and so are a registry's own services: what one request pushed, the next may
not find (https://learn.microsoft.com/azure/container-registry/container-registry-geo-replication). By how much is
not documented. A replica applies the changes of `change_log` late, deletions and moved tags too.
"""

from __future__ import annotations

import copy
import time
from collections import deque
from collections.abc import Iterable

from acr_emulator.registry.change_log import Record, apply
from acr_emulator.registry.records import Repository
from acr_emulator.world import Lag

REPOSITORY_REMOVED = "-repository"
"""The kind of the change that removes a repository, which its own log, removed with it, does not have."""


class Replica:
    """The *repositories* of a registry, with every later change delayed by *lag*."""

    def __init__(self, lag: Lag, repositories: dict[str, Repository]) -> None:
        self.lag = lag
        self._repositories = copy.deepcopy(repositories)
        self._late: deque[tuple[float, int, str, Record]] = deque()
        self._reads = 0

    def add(self, name: str, records: Iterable[Record]) -> None:
        """Take note of changes to the repository *name*."""
        due, reads = time.monotonic() + self.lag.seconds, self._reads + self.lag.reads
        self._late.extend((due, reads, name, record) for record in records)

    def read(self) -> dict[str, Repository]:
        """Return the repositories, with the changes that are due by now."""
        while self._late and self._late[0][0] <= time.monotonic() and self._late[0][1] <= self._reads:
            _, _, name, record = self._late.popleft()
            self._apply(name, record)
        self._reads += 1
        return self._repositories

    def _apply(self, name: str, record: Record) -> None:
        if record[0] == REPOSITORY_REMOVED:
            self._repositories.pop(name, None)
        else:
            apply(self._repositories.setdefault(name, Repository(name, "", "")), *record)
