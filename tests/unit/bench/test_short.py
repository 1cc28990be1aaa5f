"""The numbers of the bench: counted responses, medians, ratios and regressions."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bench import cases, report, short
from bench.accesslog import AccessLog, Traffic, count
from bench.cases import CASES, Action, Case
from bench.networks import CAPPED, FAR, LOOPBACK
from bench.process import Usage
from bench.rounds import Result
from bench.short import Figures
from bench.site import Run
from bench.summary import OURS, reference, rows, speed, upper_bound
from bench.trees import SHORT, SMALL


def response(method: str, uri: str, peer: str, written: int = 0) -> str:
    return json.dumps(
        {
            "msg": "response completed", "http.request.method": method, "http.request.uri": uri,
            "http.request.remoteaddr": peer, "http.response.written": written,
        }
    )  # fmt: skip


LOG = [
    "not JSON",
    json.dumps({"msg": "listening on 127.0.0.1:1"}),
    json.dumps({"msg": "response completed with error", "http.request.method": "GET"}),
    response("HEAD", "/v2/a/blobs/sha256:00", "127.0.0.1:1"),
    response("POST", "/v2/a/blobs/uploads/", "127.0.0.1:1"),
    response("GET", "/v2/a/blobs/sha256:00", "127.0.0.1:2", 10),
    response("GET", "/v2/a/manifests/1", "127.0.0.1:2", 7),
]


def run(wall: float, cpu: float = 1.0, requests: int = 4) -> Run:
    return Run(Usage(wall, cpu, 1 << 20), Traffic(requests, 1, 2, 3), service_cpu=1.0)


def result(**walls: list[float]) -> Result:
    names = {"ours": OURS, "oras": "oras", "oras16": "oras --concurrency 16"}
    runs = {names[name]: [run(wall) for wall in given] for name, given in walls.items()}
    return Result(CASES[0], runs, [Usage(0.5, 0.5, 1)] * 3)


def test_each_response_is_counted_once() -> None:
    assert count(LOG) == Traffic(requests=4, connections=2, blob_requests=2, bytes_down=17)


def test_an_incomplete_line_is_counted_once_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text(LOG[3] + "\n" + LOG[4][:9])
    log = AccessLog(file)
    assert log.new().requests == 1
    with open(file, "a") as more:
        more.write(LOG[4][9:] + "\n")
    assert log.new().blob_requests == 1
    assert log.new().requests == 0


def test_az_start_is_subtracted_from_ours_and_oras_counts_at_its_better_setting() -> None:
    found = rows(result(oras=[9.0, 4.0, 5.0], ours=[2.5, 9.0, 2.0], oras16=[4.0, 4.0, 4.0]))
    assert [row.client for row in found] == [OURS, "oras", "oras --concurrency 16"]
    assert [(row.wall, row.least, row.own_wall) for row in found] == [(2.5, 2.0, 2.0), (5.0, 4.0, 5.0), (4.0,) * 3]
    best = reference(found)
    assert best is not None
    assert best.wall == 4.0
    assert speed(found) == 2.0


def test_the_report_shows_both_ratios() -> None:
    line = report.overview([result(oras=[4.0], ours=[2.5])]).splitlines()[-1]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    at_most = f"{4 * (os.cpu_count() or 1):g}.00 ×"
    assert cells == [CASES[0].title, "2.50", "0.50", "4.00 (oras)", "1.60 ×", "2.00 ×", at_most, "1.05", "yes"]


def test_the_processor_time_of_the_registry_limits_the_speed() -> None:
    found = rows(result(oras=[9.0], ours=[2.5]))
    assert upper_bound(found, 2) == 18.0
    assert upper_bound(rows(result(ours=[2.5])), 2) is None


def test_the_report_says_why_a_case_was_not_measured() -> None:
    missing = Result(Case("W6", Action.PULL, SMALL, CAPPED, 6.0), obstacle="needs root")
    assert "needs root" in report.details(missing)
    assert "not measured" in report.overview([missing])


@pytest.mark.parametrize(
    ("only", "count"), [(None, len(CASES)), ("W2", 4), ("W2-push", 2), ("w2-PULL@far", 1), ("W6,W7", 4)]
)
def test_cases_are_chosen_by_name(only: str | None, count: int) -> None:
    assert len(cases.chosen(only)) == count


def test_an_unknown_case_is_an_error() -> None:
    with pytest.raises(ValueError, match="w9"):
        cases.chosen("W2,W9")


def test_cases_of_one_network_and_of_one_tree_are_adjacent() -> None:
    pairs = [(case.network.title, case.shape.title) for case in CASES]
    grouped = [pair for number, pair in enumerate(pairs) if number == 0 or pairs[number - 1] != pair]
    assert len(grouped) == len(set(grouped))
    assert {case.network for case in CASES} == {LOOPBACK, FAR, CAPPED}


def test_the_short_form_is_small_and_on_loopback() -> None:
    assert {case.shape for case in short.cases()} == set(SHORT.values())
    assert all(case.network is LOOPBACK and case.shape.total <= 64 << 20 for case in short.cases())


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        (Figures(120, 2.4), []),
        (Figures(121, 2.0), ["121 requests instead of 100"]),
        (Figures(100, 2.41), ["2.41 times az version's processor time instead of 2.00"]),
    ],
)
def test_more_than_a_fifth_is_a_regression(here: Figures, expected: list[str]) -> None:
    found = short.regressions({"W1": here}, {"W1": Figures(100, 2.0)})
    assert found == [f"W1: {text}" for text in expected]


def test_found_and_recorded_figures_are_shown_together() -> None:
    found = short.lines({"W1": Figures(8, 2.0), "W2": Figures(1, 1.0)}, {"W1": Figures(9, 1.5)})
    assert found == ["W1: 8 requests (9), 2.00 times az (1.50)"]


def test_a_missing_or_unknown_case_is_a_regression() -> None:
    assert len(short.regressions({"a": Figures(1, 1.0)}, {"b": Figures(1, 1.0)})) == 2


def test_processor_time_is_the_median_multiple_of_az_in_the_same_round() -> None:
    walls = [run(1.0, 2.0, 9), run(1.0, 1.0, 8), run(1.0, 3.0, 8)]
    slow_then_fast = [Usage(1, 1.0, 1), Usage(1, 0.25, 1), Usage(1, 1.0, 1)]
    found = short.figures(short.measured([Result(CASES[0], {OURS: walls}, slow_then_fast)]))
    assert found == {short.name_of(CASES[0]): Figures(8, 3.0)}


def test_repeated_rounds_count_with_the_first_ones() -> None:
    before = {"a": (Figures(9, 3.0),), "b": (Figures(1, 1.0),)}
    again = {"a": (Figures(8, 1.0), Figures(8, 2.0))}
    assert short.figures(short.together(before, again)) == {"a": Figures(8, 2.0), "b": Figures(1, 1.0)}
