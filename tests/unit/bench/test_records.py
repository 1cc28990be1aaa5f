"""The file of recorded cases."""

from __future__ import annotations

import json
from pathlib import Path

from bench import records
from bench.checks import Cost
from bench.records import CHECKS, Origin, Record
from tests.unit.bench.tables import ORIGIN, ours, record, row


def test_a_case_measured_again_replaces_its_record(tmp_path: Path) -> None:
    file = tmp_path / "new" / "results.jsonl"
    assert records.read(file) == {}
    first, other = record("W1-push@near", ours(2.0)), record("W2-push@near", ours(3.0), row("oras", 4.0))
    for one in (first, other, record("W1-push@near", ours(1.0))):
        records.put(file, one)
    found = records.read(file)
    assert list(found) == ["W1-push@near", "W2-push@near"]
    assert found["W2-push@near"] == other
    assert found["W1-push@near"].rows[0].wall == 1.0
    assert [json.loads(line)["case"] for line in file.read_text().splitlines()] == list(found)


def test_the_costs_of_the_checks_are_a_record_too(tmp_path: Path) -> None:
    costs = Record(CHECKS, 5, ORIGIN, costs=(Cost("read a manifest", 2.0, 1.0),))
    records.put(tmp_path / "results.jsonl", costs)
    assert records.read(tmp_path / "results.jsonl") == {CHECKS: costs}


def test_a_record_names_the_wheel_or_the_commit() -> None:
    assert (
        Origin.now(Path("dist/acrartifact-1.0.0-py3-none-any.whl"), "").version == "acrartifact-1.0.0-py3-none-any.whl"
    )
    assert Origin.now(None, "").version
