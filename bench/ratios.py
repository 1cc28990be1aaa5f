"""One client's figures in one case, and the ratios between clients, with and without az's start-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.accesslog import Traffic
from bench.clients import Ours

OURS = Ours().name


@dataclass(frozen=True)
class Row:
    """One client in one case, in seconds and bytes; *az_wall* and *az_cpu* are those of `az version`, 0 for peers."""

    client: str
    wall: float
    least: float
    cpu: float
    memory: int
    service_cpu: float
    hosts: dict[str, Traffic] = field(default_factory=dict)
    az_wall: float = 0.0
    az_cpu: float = 0.0

    @property
    def own_wall(self) -> float:
        """Seconds without az's start-up."""
        return max(self.wall - self.az_wall, 0.001)

    @property
    def own_cpu(self) -> float:
        """Processor seconds without those of az's start-up."""
        return max(self.cpu - self.az_cpu, 0.001)

    @property
    def requests(self) -> int:
        """Requests to all hosts."""
        return sum(traffic.requests for traffic in self.hosts.values())

    @property
    def blob_requests(self) -> int:
        """Requests for blob data to all hosts."""
        return sum(traffic.blob_requests for traffic in self.hosts.values())


def ours(table: Sequence[Row]) -> Row | None:
    """Return our row."""
    return named(table, OURS)


def default_oras(table: Sequence[Row]) -> Row | None:
    """Return the row of oras at its default, or None if it did not run."""
    return named(table, "oras")


def best_oras(table: Sequence[Row]) -> Row | None:
    """Return the row of oras at its better setting, or None if it did not run."""
    return min((row for row in table if row.client.startswith("oras")), key=lambda row: row.wall, default=None)


def named(table: Sequence[Row], client: str) -> Row | None:
    """Return the row of *client*, or None if it did not run."""
    return next((row for row in table if row.client == client), None)


def speed(table: Sequence[Row], theirs: Row | None) -> float | None:
    """Return our speed as a multiple of that of *theirs*, without az's start-up."""
    mine = ours(table)
    return theirs.wall / mine.own_wall if mine and theirs else None


def upper_bound(table: Sequence[Row], theirs: Row | None, cores: int, rate: int = 0) -> float | None:
    """Return the limit of any client's speed, as a multiple of *theirs*, on a machine of *cores*. The service and the
    network use the same processors as the client, for at least the smallest *service_cpu* of all clients. One blob goes
    up over one connection, of *rate* bytes a second; 0 sets no limit."""
    service = min((row.service_cpu for row in table), default=0.0)
    sent = min((sum(host.bytes_up for host in row.hosts.values()) for row in table), default=0)
    least = max(service / cores, sent / rate if rate else 0.0)
    return theirs.wall / least if theirs and least else None
