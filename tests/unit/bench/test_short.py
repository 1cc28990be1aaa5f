"""The short form: small cases compared with the baseline."""

from __future__ import annotations

import pytest

from bench import short
from bench.accesslog import Traffic
from bench.cases import CASES, ON_LOOPBACK
from bench.process import Usage
from bench.ratios import OURS
from bench.rounds import Result
from bench.short import Figures
from bench.site import Run
from bench.trees import SHORT

LIMITS = {"W1": 10}


def run(cpu: float, requests: int = 4, connections: int = 1) -> Run:
    return Run(Usage(1.0, cpu, 1), {"registry": Traffic(requests - 1, connections), "storage": Traffic(1, 3)})


def test_the_short_form_is_small_and_on_loopback() -> None:
    assert {case.shape for case in short.cases()} == set(SHORT.values())
    assert all(case.setup is ON_LOOPBACK and case.shape.total <= 64 << 20 for case in short.cases())
    assert set(short.limits()) == {short.name_of(case) for case in short.cases()}


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        (Figures(120, 10, 2.4), []),
        (Figures(121, 1, 2.0), ["121 requests instead of 100"]),
        (Figures(100, 1, 2.41), ["2.41 times az version's processor time instead of 2.00"]),
        (Figures(100, 11, 2.0), ["11 connections to a host, and at most 10 are needed"]),
    ],
)
def test_a_fifth_more_or_too_many_connections_are_a_regression(here: Figures, expected: list[str]) -> None:
    found = short.regressions({"W1": here}, {"W1": Figures(100, 1, 2.0)}, LIMITS)
    assert found == [f"W1: {text}" for text in expected]


def test_found_and_recorded_figures_are_shown_together() -> None:
    found = short.lines({"W1": Figures(8, 3, 2.0), "W2": Figures(1, 1, 1.0)}, {"W1": Figures(9, 2, 1.5)})
    assert found == ["W1: 8 requests (9), 3 connections (2), 2.00 times az (1.50)"]


def test_a_missing_or_unknown_case_is_a_regression() -> None:
    assert len(short.regressions({"W1": Figures(1, 1, 1.0)}, {"b": Figures(1, 1, 1.0)}, LIMITS)) == 2


def test_processor_time_is_the_median_multiple_of_az_in_the_same_round() -> None:
    runs = [run(2.0, 9, 1), run(1.0, 8, 5), run(3.0, 8, 4)]
    slow_then_fast = [Usage(1, 1.0, 1), Usage(1, 0.25, 1), Usage(1, 1.0, 1)]
    found = short.figures(short.measured([Result(CASES[0], {OURS: runs}, slow_then_fast)]))
    assert found == {short.name_of(CASES[0]): Figures(8, 4, 3.0)}


def test_repeated_rounds_count_with_the_first_ones() -> None:
    before = {"a": (Figures(9, 1, 3.0),), "b": (Figures(1, 1, 1.0),)}
    again = {"a": (Figures(8, 1, 1.0), Figures(8, 1, 2.0))}
    assert short.figures(short.together(before, again)) == {"a": Figures(8, 1, 2.0), "b": Figures(1, 1, 1.0)}
