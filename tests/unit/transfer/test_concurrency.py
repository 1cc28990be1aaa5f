"""The budget of requests in flight."""

from __future__ import annotations

import os

import pytest

from azext_acrartifact.transfer.concurrency import (
    ENOUGH,
    FEW_BULK,
    FEWEST_SMALL,
    FIRST_SMALL,
    MANY_BULK,
    MOST,
    MOST_NEAR,
    NEAR,
    SHORT_WINDOW,
    WINDOW_SMALL,
    Concurrency,
)


def test_the_users_number_is_the_limit_of_all_together(http) -> None:
    budget = Concurrency(http, 3)
    assert [budget.acquire(bulk) for bulk in (True, False, True, True, False)] == [True] * 3 + [False] * 2
    budget.release(True)
    assert [budget.acquire(bulk) for bulk in (False, True)] == [True, False]


def test_without_a_number_large_and_small_have_their_own_limits(http) -> None:
    http.fastest_response = NEAR
    budget = Concurrency(http)
    assert [budget.acquire(True) for _ in range(FEW_BULK + 1)] == [True] * FEW_BULK + [False]
    assert [budget.acquire(False) for _ in range(FIRST_SMALL + 1)] == [True] * FIRST_SMALL + [False]


@pytest.mark.parametrize(
    ("wait", "small", "bulk"),
    [
        (None, FIRST_SMALL, FEW_BULK),
        (0.0001, FIRST_SMALL, FEW_BULK),
        (0.006, FEWEST_SMALL, MANY_BULK),
        (0.015, 50, MANY_BULK),
        (9.0, MOST, MANY_BULK),
    ],
)
def test_a_longer_round_trip_wants_more(http, wait, small: int, bulk: int) -> None:
    http.fastest_response = wait
    budget = Concurrency(http)
    http.responses += 1000
    assert abs(budget.small() - small) <= 1
    assert budget.bulk() == bulk


def test_throttling_halves_down_to_one(http) -> None:
    http.fastest_response = 0.015
    http.throttled = 1
    budget = Concurrency(http)
    http.responses += 100
    assert budget.small() in (24, 25)
    assert budget.bulk() == MANY_BULK // 2
    http.throttled = 100
    assert (budget.small(), budget.bulk()) == (1, 1)


def _run_small(budget: Concurrency, now: list[float], busy: float) -> int:
    """Run as many small transfers as may be, for a second, which keep *busy* processors busy together; return how many
    may run then."""
    running = 0
    while budget.acquire(False):
        running += 1
    now[0] += 1.0
    for _ in range(running):
        budget.release(False, busy)  # the first one ends the window, and the others begin the next one
        busy = 0.0
    return budget.small()


@pytest.mark.parametrize(
    ("busy", "found"),
    [
        pytest.param(0.0, [8, 16, MOST_NEAR, MOST_NEAR], id="idle"),
        pytest.param(0.85, [FIRST_SMALL] * 3, id="about one processor"),
        pytest.param(1.0, [2, 1, 1], id="more"),
    ],
)
def test_near_a_registry_transfers_are_added_while_a_processor_is_idle(http, busy: float, found: list[int]) -> None:
    http.fastest_response = 0.001
    now = [0.0]
    budget = Concurrency(http, clock=lambda: now[0])
    assert [_run_small(budget, now, busy) for _ in found] == found


def test_transfers_near_a_registry_are_added_again_when_the_processor_is_idle_again(http) -> None:
    http.fastest_response = 0.001
    now = [0.0]
    budget = Concurrency(http, clock=lambda: now[0])
    for _ in range(3):
        _run_small(budget, now, 1.0)
    assert [_run_small(budget, now, 0.1) for _ in range(3)] == [2, 4, 8]


def test_few_transfers_at_the_end_do_not_lower_the_number(http) -> None:
    http.fastest_response = 0.001
    now = [0.0]
    budget = Concurrency(http, clock=lambda: now[0])
    assert budget.acquire(False)
    now[0] += 1.0
    budget.release(False, 0.1)
    assert budget.small() == FIRST_SMALL


def test_quick_transfers_one_after_another_are_weighed_together(http) -> None:
    http.fastest_response = 0.001
    now = [0.0]
    budget = Concurrency(http, clock=lambda: now[0])
    for _ in range(50):
        assert budget.acquire(False)
        now[0] += WINDOW_SMALL / 50
        budget.release(False, WINDOW_SMALL / 50)
    assert budget.small() == FIRST_SMALL // 2


def test_each_response_lets_one_more_be_in_flight(http) -> None:
    http.fastest_response = 0.03
    http.responses = 7
    budget = Concurrency(http)
    found = []
    for _ in range(3):
        found.append((budget.small(), budget.bulk()))
        http.responses += 1
    assert found == [(4, FEW_BULK), (5, FEW_BULK), (6, MANY_BULK)]


def test_connections_double_while_the_rate_grows(http) -> None:
    now = [0.0]
    budget = Concurrency(http, clock=lambda: now[0], used=lambda: 0.0)
    found = []
    for rate in (100, 200, 210, 9000):
        now[0] += 1.0
        budget.moved(rate)
        found.append(budget.bulk())
    assert found == [4, 8, 4, 4]


@pytest.mark.parametrize(("busy", "found"), [(0.4, 2 * FEW_BULK), (0.6, FEW_BULK)])
def test_no_connection_is_added_for_busy_processors(http, busy: float, found: int) -> None:
    now, processors = [0.0], os.cpu_count() or 1
    budget = Concurrency(http, clock=lambda: now[0], used=lambda: busy * processors * now[0])
    now[0] = 1.0
    budget.moved(100)
    assert budget.bulk() == found


def test_many_bytes_end_a_window_early(http) -> None:
    now = [0.0]
    budget = Concurrency(http, clock=lambda: now[0], used=lambda: 0.0)
    now[0] = SHORT_WINDOW
    budget.moved(ENOUGH - 1)
    assert budget.bulk() == FEW_BULK
    budget.moved(1)
    assert budget.bulk() == 2 * FEW_BULK


def test_a_pause_between_transfers_does_not_count_as_slow(http) -> None:
    now = [0.0]
    budget = Concurrency(http, clock=lambda: now[0])
    now[0] = 60.0
    budget.acquire(True)
    budget.moved(100)
    assert budget.bulk() == FEW_BULK
