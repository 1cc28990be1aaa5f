"""From runs to numbers: medians, least values, ratios, with az's start-up in them and out of them."""

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
    """One client in one case: seconds, bytes; *az_wall* and *az_cpu* are `az version`'s share, 0 for the others."""

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
    """A row for each client of *result*, ours first."""
    return [_row(result, name, runs) for name, runs in sorted(result.runs.items(), key=lambda item: item[0] != OURS)]


def reference(table: list[Row]) -> Row | None:
    """oras at its better setting, or None where it did not run."""
    return min((row for row in table if row.client.startswith("oras")), key=lambda row: row.wall, default=None)


def ours(table: list[Row]) -> Row | None:
    """Our row."""
    return next((row for row in table if row.client == OURS), None)


def speed(table: list[Row]) -> float | None:
    """How many times as fast as oras at its better setting we are, az's start-up apart."""
    mine, theirs = ours(table), reference(table)
    return theirs.wall / mine.own_wall if mine and theirs else None


def most(table: list[Row], cores: int) -> float | None:
    """How many times as fast as oras anybody could be on a machine of *cores*: registry and line run beside the client
    and take processor time of their own, the least that any client has caused."""
    theirs, service = reference(table), min((row.service_cpu for row in table), default=0.0)
    return theirs.wall * cores / service if theirs and service else None


def _row(result: Result, name: str, runs: list[Run]) -> Row:
    walls = [run.took.wall for run in runs]
    az = result.az_starts if name == OURS else []
    return Row(
        result.case,
        name,
        len(runs),
        wall=median(walls),
        least=min(walls),
        cpu=median(run.took.cpu for run in runs),
        memory=max(run.took.memory for run in runs),
        requests=round(median(run.seen.requests for run in runs)),
        connections=round(median(run.seen.connections for run in runs)),
        blob_requests=round(median(run.seen.blob_requests for run in runs)),
        bytes_down=round(median(run.seen.bytes_down for run in runs)),
        service_cpu=median(run.service_cpu for run in runs),
        az_wall=median(took.wall for took in az) if az else 0.0,
        az_cpu=median(took.cpu for took in az) if az else 0.0,
    )
