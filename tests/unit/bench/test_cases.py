"""The cases: chosen by name, and in the order of their setups."""

from __future__ import annotations

import pytest

from bench import cases
from bench.cases import CASES
from bench.goals import NO_GOAL


@pytest.mark.parametrize(
    ("only", "count"),
    [
        ("W2-pull@near", 1), ("w2-PULL@near", 1), ("W2-push", 4), ("W9", 6), ("W1,W9", 16), ("@plain", 6), ("@isal", 2),
        ("W5", 10), ("W5-push-again@loopback", 3), ("W5@far", 2),
    ],
)  # fmt: skip
def test_cases_are_chosen_by_name(only: str, count: int) -> None:
    assert len(cases.chosen(only, disk=False)) == count


def test_cases_on_a_disk_need_one() -> None:
    with pytest.raises(ValueError, match="--disk"):
        cases.chosen("W2@disk", disk=False)
    assert len(cases.chosen("W2@disk", disk=True)) == 2
    assert cases.chosen(None, disk=True) == CASES
    assert {case.name for case in CASES} - {case.name for case in cases.chosen(None, disk=False)} == {
        "W2-push@disk", "W2-pull@disk", "W4-push@disk", "W4-pull@disk"
    }  # fmt: skip


def test_an_unknown_case_is_an_error() -> None:
    with pytest.raises(ValueError, match="w7, w2-push@here"):
        cases.chosen("W2,W7,W2-push@here", disk=False)


def test_each_case_has_its_own_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_cases_of_one_service_and_of_one_tree_are_adjacent() -> None:
    keys = [(case.setup.network.title, case.setup.plain, case.setup.disk, case.shape.title) for case in CASES]
    grouped = [key for number, key in enumerate(keys) if number == 0 or keys[number - 1] != key]
    services = [key for number, key in enumerate(grouped) if number == 0 or grouped[number - 1][:2] != key[:2]]
    assert len(services) == 4
    assert len(grouped) == len(set(grouped)) + 1  # W4's folder is made again for the cases with isal


def test_every_case_on_a_network_has_a_goal() -> None:
    assert all((case.goal == NO_GOAL) == (case.setup.name in ("isal", "disk", "plain")) for case in CASES)


@pytest.mark.parametrize(
    ("name", "most"), [("W1-pull@far", 8), ("W4-pull@near", 8), ("W2-pull@far", 64), ("W9-push@near", 2)]
)
def test_requests_in_flight_are_known_for_each_case(name: str, most: int) -> None:
    assert [case.in_flight for case in CASES if case.name == name] == [most]


def test_the_one_blob_of_a_push_goes_over_one_connection() -> None:
    found = {case.name for case in CASES if case.one_connection}
    assert found == {f"{push}@{where}" for push in ("W1-push", "W4-push", "W9-push") for where in ("near", "far")}
