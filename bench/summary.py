"""Compute medians, minima and ratios of the runs, with and without az's start-up."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from bench.cases import Case
from bench.clients import Ours
from bench.rounds import Result
from bench.site import Run

OURS = Ours().name


@dataclass(frozen=True)
class Row:
    """One client in one case, in seconds and bytes; *az_wall* and *az_cpu* are those of `az version`, 0 for peers."""

    case: Case
    client: str
    runs: int
    wall: float
    least: float
    cpu: float
    memory: int
    requests: int
    connections: int
    blob_requests: int
    bytes_down: int
    service_cpu: float
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


def rows(result: Result) -> list[Row]:
    """Return a row for each client of *result*, ours first."""
    return [_row(result, name, runs) for name, runs in sorted(result.runs.items(), key=lambda item: item[0] != OURS)]


def reference(table: list[Row]) -> Row | None:
    """Return the row of oras at its better setting, or None if it did not run."""
    return min((row for row in table if row.client.startswith("oras")), key=lambda row: row.wall, default=None)


def ours(table: list[Row]) -> Row | None:
    """Return our row."""
    return next((row for row in table if row.client == OURS), None)


def speed(table: list[Row]) -> float | None:
    """Return our speed as a multiple of oras at its better setting, without az's start-up."""
    mine, theirs = ours(table), reference(table)
    return theirs.wall / mine.own_wall if mine and theirs else None


def upper_bound(table: list[Row], cores: int) -> float | None:
    """Return the speed limit of a machine of *cores*, as a multiple of oras: the registry and the network use the same
    processors as the client, for at least the smallest *service_cpu* of all clients."""
    theirs, service = reference(table), min((row.service_cpu for row in table), default=0.0)
    return theirs.wall * cores / service if theirs and service else None


def _row(result: Result, name: str, runs: list[Run]) -> Row:
    walls = [run.usage.wall for run in runs]
    az = result.az_starts if name == OURS else []
    return Row(
        result.case,
        name,
        len(runs),
        wall=median(walls),
        least=min(walls),
        cpu=median(run.usage.cpu for run in runs),
        memory=max(run.usage.memory for run in runs),
        requests=round(median(run.traffic.requests for run in runs)),
        connections=round(median(run.traffic.connections for run in runs)),
        blob_requests=round(median(run.traffic.blob_requests for run in runs)),
        bytes_down=round(median(run.traffic.bytes_down for run in runs)),
        service_cpu=median(run.service_cpu for run in runs),
        az_wall=median(usage.wall for usage in az) if az else 0.0,
        az_cpu=median(usage.cpu for usage in az) if az else 0.0,
    )
