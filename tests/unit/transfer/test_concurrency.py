"""The budget of requests in flight."""

from __future__ import annotations

import pytest

from azext_acrartifact.transfer.concurrency import (
    FEW_BULK,
    FEWEST_SMALL,
    FIRST_SMALL,
    MANY_BULK,
    MOST,
    RESPONSES_NEAR,
    Concurrency,
)


def test_the_users_number_is_the_limit_of_all_together(http) -> None:
    budget = Concurrency(http, 3)
    assert [budget.acquire(bulk) for bulk in (True, False, True, True, False)] == [True] * 3 + [False] * 2
    budget.release(True)
    assert [budget.acquire(bulk) for bulk in (False, True)] == [True, False]


def test_without_a_number_large_and_small_have_their_own_limits(http) -> None:
    budget = Concurrency(http)
    assert [budget.acquire(True) for _ in range(FEW_BULK + 1)] == [True] * FEW_BULK + [False]
    assert [budget.acquire(False) for _ in range(FIRST_SMALL + 1)] == [True] * FIRST_SMALL + [False]


@pytest.mark.parametrize(
    ("wait", "small", "bulk"),
    [
        (None, FEWEST_SMALL, FEW_BULK),
        (0.0001, FEWEST_SMALL, FEW_BULK),
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


def test_near_a_registry_it_takes_more_responses(http) -> None:
    http.fastest_response = 0.001
    budget = Concurrency(http)
    http.responses += RESPONSES_NEAR - 1
    assert budget.small() == 4
    http.responses += 1
    assert budget.small() == 5


def test_each_response_lets_one_more_be_in_flight(http) -> None:
    http.fastest_response = 0.03
    http.responses = 7
    budget = Concurrency(http)
    found = []
    for _ in range(3):
        found.append((budget.small(), budget.bulk()))
        http.responses += 1
    assert found == [(4, FEW_BULK), (5, FEW_BULK), (6, MANY_BULK)]


def test_a_connection_is_added_while_the_rate_grows(http) -> None:
    now = [0.0]
    budget = Concurrency(http, clock=lambda: now[0])
    found = []
    for rate in (100, 200, 300, 310, 9000):
        now[0] += 1.0
        budget.moved(rate)
        found.append(budget.bulk())
    assert found == [3, 4, 5, 4, 4]


def test_a_pause_between_transfers_does_not_count_as_slow(http) -> None:
    now = [0.0]
    budget = Concurrency(http, clock=lambda: now[0])
    now[0] = 60.0
    budget.acquire(True)
    budget.moved(100)
    assert budget.bulk() == FEW_BULK
