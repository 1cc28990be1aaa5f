"""Medians of the runs, and the ratios between clients."""

from __future__ import annotations

from dataclasses import replace

from bench.accesslog import Traffic
from bench.cases import CASES
from bench.process import Usage
from bench.ratios import OURS, best_oras, default_oras, speed, upper_bound
from bench.rounds import Result
from bench.site import Run
from bench.summary import rows


def result(**walls: list[float]) -> Result:
    names = {"ours": OURS, "oras": "oras", "oras16": "oras --concurrency 16"}
    runs = {names[name]: [run(wall) for wall in given] for name, given in walls.items()}
    return Result(CASES[0], runs, [Usage(0.5, 0.5, 1)] * 3)


def run(wall: float) -> Run:
    """Return a run with a request for each second."""
    return Run(Usage(wall, 1.0, 1 << 20), {"registry": Traffic(requests=round(wall))}, service_cpu=1.0)


def test_az_start_is_subtracted_from_ours_and_oras_counts_at_its_better_setting() -> None:
    found = rows(result(oras=[9.0, 4.0, 5.0], ours=[2.5, 9.0, 2.0], oras16=[4.0, 4.0, 4.0]))
    assert [row.client for row in found] == [OURS, "oras", "oras --concurrency 16"]
    assert [(row.wall, row.least, row.own_wall) for row in found] == [(2.5, 2.0, 2.0), (5.0, 4.0, 5.0), (4.0,) * 3]
    assert [row.requests for row in found] == [2, 5, 4]
    assert speed(found, best_oras(found)) == 2.0
    assert speed(found, default_oras(found)) == 2.5


def test_the_processor_time_of_the_service_limits_the_speed() -> None:
    found = rows(result(oras=[9.0], ours=[2.5]))
    assert upper_bound(found, best_oras(found), 2) == 18.0
    assert upper_bound(found, None, 2) is None


def test_the_rate_of_one_connection_limits_the_speed() -> None:
    sent = [replace(row, hosts={"registry": Traffic(bytes_up=300)}) for row in rows(result(oras=[9.0], ours=[2.5]))]
    assert upper_bound(sent, best_oras(sent), 2, rate=100) == 3.0
    assert upper_bound(sent, best_oras(sent), 2, rate=1000) == 18.0
