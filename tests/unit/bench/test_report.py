"""The report: one line for each case, and all figures below."""

from __future__ import annotations

from bench import report
from bench.accesslog import Traffic
from bench.cases import CASES
from bench.checks import Cost
from bench.records import CHECKS, Record
from tests.unit.bench.tables import ORIGIN, ours, record, row

CASE = next(case for case in CASES if case.name == "W1-push@loopback")
RECORD = record(CASE.name, ours(2.5), row("oras", 4.0), row("oras --concurrency 8", 5.0), row("regctl", 3.0))


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_line_shows_the_ratio_without_az_start_and_the_verdict() -> None:
    line = report.overview([CASE], {CASE.name: RECORD}).splitlines()[-1]
    numbers = ["2.50 (0.50)", "4.00 (default)", "3.00", "–", "2.00 ×", "8.00 ×"]
    what = "W1 push: one file of 1 GiB"
    assert cells(line) == [what, "loopback", *numbers, "≥ 1, CPU ≤ 1.1", "reached"]


def test_the_better_setting_of_oras_is_named() -> None:
    faster = record(CASE.name, ours(2.5), row("oras", 4.0), row("oras --concurrency 8", 3.0))
    assert "| 3.00 (8) |" in report.overview([CASE], {CASE.name: faster})


def test_requests_and_connections_are_shown_for_each_host() -> None:
    hosts = {"registry": Traffic(2001, 4, 2000, 1 << 20, 0), "storage": Traffic(2000, 5, 2000, 0, 8 << 20)}
    line = report.details([CASE], {CASE.name: record(CASE.name, row("crane", 1.0, hosts=hosts))}).splitlines()[-1]
    assert cells(line)[-6:] == ["1", "1", "8", "2,001 + 2,000", "4 + 5", "2026-01-02, abc1234, 5 rounds"]


def test_the_whole_report_orders_lines_by_workload_and_names_what_is_missing() -> None:
    names = ["W2-pull@far", "W2-pull@plain", "W1-push@near", "W2-pull@loopback", "W1-push@loopback"]
    found = {name: record(name, ours(2.5), row("oras", 4.0)) for name in names}
    text = report.text({**found, CHECKS: Record(CHECKS, 5, ORIGIN, costs=(Cost("hash", 2.0, 1.5),))})
    shown = [line for line in text.splitlines() if line.startswith(("| W1 ", "| W2 "))]
    assert [cells(line)[1] for line in shown] == ["loopback", "near", "loopback", "far", "plain"]
    assert "Not measured yet: W1-push@far, " in text
    assert "W1-push@near, " not in text.partition("Not measured yet")[2].partition("\n")[0]
    assert text.count("<details>") == text.count("</details>") == 2
    assert text.count("a machine\n") == 1
    assert "| hash | 2 | 2 | 0 |" in text
