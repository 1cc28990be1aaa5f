"""Whether our row reaches the goal of its case."""

from __future__ import annotations

import pytest

from bench.goals import MISSED, NO_GOAL, NONE, NOT_VISIBLE, REACHED, Goal, judge
from bench.ratios import Row
from tests.unit.bench.tables import ours, row

CORES = 2
BEST, DEFAULT = row("oras --concurrency 16", 4.0), row("oras", 6.0)


def verdict(goal: Goal, mine: Row, *others: Row, in_flight: int = 8) -> str:
    return str(judge(goal, in_flight, [mine, *(others or (BEST, DEFAULT))], CORES))


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        (Goal(2.0), REACHED),
        (Goal(2.1), f"{MISSED}: 2.00 × oras"),
        (Goal(2.0, default=3.0), REACHED),
        (Goal(2.0, default=3.1), f"{MISSED}: 3.00 × default"),
        (Goal(cpu=0.5), REACHED),
        (Goal(cpu=0.4), f"{MISSED}: CPU 0.50 ×"),
        (Goal(seconds=2.0), REACHED),
        (Goal(seconds=1.9), f"{MISSED}: 2.00 s"),
        (NO_GOAL, NONE),
    ],
)
def test_az_start_is_taken_off_before_a_goal_is_judged(goal: Goal, expected: str) -> None:
    assert verdict(goal, ours(2.5)) == expected


@pytest.mark.parametrize(
    ("goal", "expected"), [(Goal(8.0), MISSED), (Goal(8.1), NOT_VISIBLE), (Goal(1, 12.1), NOT_VISIBLE)]
)
def test_a_speed_that_the_machine_forbids_is_not_visible(goal: Goal, expected: str) -> None:
    assert verdict(goal, ours(2.5)).partition(":")[0] == expected


def test_one_goal_out_of_sight_does_not_hide_a_missed_one() -> None:
    assert verdict(Goal(9.0, cpu=0.4), ours(2.5)) == f"{MISSED}: CPU 0.50 ×"


@pytest.mark.parametrize(
    ("goal", "mine", "expected"),
    [
        (Goal(requests=5), ours(1.0, requests=5), REACHED),
        (Goal(requests=5), ours(1.0, requests=6), f"{MISSED}: 6 requests"),
        (Goal(no_blobs=True), ours(1.0), REACHED),
        (Goal(no_blobs=True), ours(1.0, blob_requests=1), f"{MISSED}: 1 blob requests"),
        (NO_GOAL, ours(1.0, connections=10), NONE),
        (NO_GOAL, ours(1.0, connections=11), f"{MISSED}: 11 connections to registry"),
    ],
)
def test_traffic_is_limited(goal: Goal, mine: Row, expected: str) -> None:
    assert verdict(goal, mine) == expected


@pytest.mark.parametrize("goal", [Goal(1.0), Goal(default=1.0), Goal(cpu=1.0)])
def test_no_ratio_is_judged_without_oras_or_us(goal: Goal) -> None:
    assert judge(goal, 8, [DEFAULT], CORES).state == NONE
    assert verdict(goal, ours(2.5), row("regctl", 9.0)) == NONE


def test_traffic_is_judged_without_oras() -> None:
    assert verdict(Goal(requests=4), ours(2.5), row("regctl", 9.0)) == REACHED


def test_a_goal_shows_all_its_limits() -> None:
    assert str(Goal(1.5, 6.0, 1.1)) == "≥ 1.5, default ≥ 6, CPU ≤ 1.1"
    assert str(Goal(seconds=0.15, requests=5, no_blobs=True)) == "≤ 0.15 s, ≤ 5 requests, no blob requests"
