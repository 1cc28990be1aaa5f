"""Compute medians and minima of the runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from statistics import median

from bench.accesslog import Traffic
from bench.ratios import OURS, Row
from bench.rounds import Result
from bench.site import Run


def rows(result: Result) -> list[Row]:
    """Return a row for each client of *result*, ours first."""
    return [_row(result, name, runs) for name, runs in sorted(result.runs.items(), key=lambda item: item[0] != OURS)]


def _row(result: Result, name: str, runs: list[Run]) -> Row:
    walls = [run.usage.wall for run in runs]
    az = result.az_starts if name == OURS else []
    return Row(
        name,
        wall=median(walls),
        least=min(walls),
        cpu=median(run.usage.cpu for run in runs),
        memory=max(run.usage.memory for run in runs),
        service_cpu=median(run.service_cpu for run in runs),
        hosts={host: median_of([run.traffic[host] for run in runs]) for host in runs[0].traffic},
        az_wall=median(usage.wall for usage in az) if az else 0.0,
        az_cpu=median(usage.cpu for usage in az) if az else 0.0,
    )


def median_of(runs: Sequence[Traffic]) -> Traffic:
    """Return the median of each count."""
    return Traffic(*(round(median(counts)) for counts in zip(*map(astuple, runs), strict=True)))
