"""The figures in the README are those of the bench and of the hostile cases."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.source import ROOT


def rows(document: Path) -> list[list[str]]:
    """Return the cells of every table row of *document*."""
    lines = document.read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]


def seconds(cell: str) -> str:
    """Return the seconds of a *cell* without their unit and the note behind them."""
    return re.split(r"[ (]", cell)[0]


def test_times_are_those_of_the_bench() -> None:
    measured = {
        (row[0].partition(" ")[2], row[1]): [seconds(cell) for cell in row[2:5]]
        for row in rows(ROOT / "bench" / "results.md")
        if re.match(r"W\d+ ", row[0]) and len(row) > 5
    }
    shown = [row for row in rows(ROOT / "README.md") if len(row) == 5 and row[1] in ("far", "near", "loopback")]
    assert len(shown) > 5
    for what, where, *cells in shown:
        assert [seconds(cell) for cell in cells] == measured[what, where], what


def test_cases_are_those_of_the_hostile_registry() -> None:
    [shown] = [row for row in rows(ROOT / "README.md") if row[0].startswith("Hostile responses")]
    verdicts = {row[0]: f"{row[2]} of {row[1]}" for row in rows(ROOT / "docs" / "security-cases.md") if len(row) == 6}
    clients = ("`az acr artifact`", "oras 1.3.6", "regctl 0.11.7")
    assert shown[2:] == [verdicts[client] for client in clients]
