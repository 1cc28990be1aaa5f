"""What renews the tries of a transfer, and what bounds its bytes."""

from __future__ import annotations

import pytest

from azext_acrartifact import errors
from azext_acrartifact.transfer.budget import MOST_LOST_SESSIONS, MOST_RESTARTS, TransferBudget, Tries
from azext_acrartifact.transport.retry import Attempts, Policy, Waiter

BROKEN = errors.ConnectionFailedError("It broke", why="reset")


@pytest.fixture
def tries() -> Tries:
    """Return three tries, which 1,000 bytes renew, of the bytes from 5,000 on."""
    return Tries(Attempts(Policy(tries=3, first_wait=0.0, headway=1000), Waiter()), 5000)


def test_a_blob_may_cost_three_times_its_size_and_a_chunk() -> None:
    budget = TransferBudget("sent", 50, 100)
    budget.spend(250)
    budget.require(100)
    with pytest.raises(errors.ConnectionFailedError, match="sent 250 bytes for a blob of 100") as caught:
        budget.require(101)
    assert caught.value.hint.startswith("Run the command again: it resumes")
    budget.size = 101
    budget.require(103)


def test_confirmed_bytes_beyond_the_highest_point_renew_the_budget() -> None:
    """Require a whole chunk: a server that confirms a byte more each time gets no more than three times the size."""
    budget = TransferBudget("sent", 50, 100)
    for position in (50, 60, 50, 99):
        budget.spend(80)
        budget.confirmed(position)
    budget.require(110)
    with pytest.raises(errors.ConnectionFailedError, match="sent 320 bytes for a blob of 100"):
        budget.require(111)
    budget.confirmed(100)
    budget.require(350)


def test_no_progress_renews_the_budget_for_ever() -> None:
    budget = TransferBudget("sent", 1, 100)
    for position in range(32):
        budget.confirmed(position)
        budget.spend(100)
    budget.confirmed(33)
    budget.require(1)
    with pytest.raises(errors.ConnectionFailedError, match="sent 3,200 bytes for a blob of 100"):
        budget.require(2)


def test_bytes_that_the_receiver_lost_are_not_the_senders_fault() -> None:
    budget = TransferBudget("fetched", 0, 100)
    budget.spend(300)
    budget.returned(80)
    budget.require(80)
    with pytest.raises(errors.ConnectionFailedError):
        budget.require(81)


@pytest.mark.parametrize(("why", "shown"), [("reset", "reset; sent 9 bytes for"), ("", "sent 9 bytes for")])
def test_an_error_is_explained_by_what_the_transfer_has_cost(why: str, shown: str) -> None:
    budget = TransferBudget("sent", 50, 1_000_000)
    budget.spend(9)
    assert shown in budget.explain(errors.RejectedError("No", why=why)).message
    error = budget.explain(errors.RejectedError("No"))
    assert budget.explain(error).why == "sent 9 bytes for a blob of 1,000,000"


def test_only_bytes_beyond_the_highest_point_renew_the_tries(tries: Tries) -> None:
    assert [tries.again_after_error(BROKEN) for _ in range(2)] == [True, True]
    for position in (5999, 1000, 5000, 5999):
        tries.confirmed(position)
    tries.confirmed(6000)
    assert [tries.again_after_error(BROKEN) for _ in range(2)] == [True, True]
    for _ in range(5):
        tries.confirmed(1000)
        tries.confirmed(6999)
    assert not tries.again_after_error(BROKEN)


@pytest.mark.parametrize("most", [MOST_RESTARTS, MOST_LOST_SESSIONS])
def test_some_restarts_in_a_row_are_allowed_without_progress(tries: Tries, most: int) -> None:
    assert [tries.may_restart(most) for _ in range(most + 1)] == [*[True] * most, False]
    tries.confirmed(5001)
    assert all(tries.may_restart(most) for _ in range(most))
    for position in (100, 5001):
        tries.confirmed(position)
    assert not tries.may_restart(most)


def test_a_restart_has_tries_of_its_own(tries: Tries) -> None:
    assert [tries.again_after_error(BROKEN) for _ in range(3)] == [True, True, False]
    assert tries.may_restart()
    assert tries.again_after_error(BROKEN)
