"""The recorded cases: one JSON object a line, replaced when its case is measured again."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.accesslog import Traffic
from bench.checks import Cost
from bench.ratios import Row
from devtools import steps

CHECKS = "checks"
"""The record of what a pull's checks cost."""


@dataclass(frozen=True)
class Origin:
    """The day, the product's commit or wheel, and the machine of a measurement."""

    date: str
    version: str
    cores: int
    machine: str

    @classmethod
    def now(cls, wheel: Path | None, machine: str) -> Origin:
        """Return that of a measurement of *wheel*, or of the checkout, on the described *machine*, today."""
        date = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        return cls(date, wheel.name if wheel else _commit(), os.cpu_count() or 1, machine)


@dataclass(frozen=True)
class Record:
    """The medians of *rounds* of one case by client, or of the *costs* of the checks."""

    case: str
    rounds: int
    origin: Origin
    rows: tuple[Row, ...] = ()
    costs: tuple[Cost, ...] = ()


def read(file: Path) -> dict[str, Record]:
    """Return the records in *file* by the name of their case; none if there is no file."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {record.case: record for record in map(_record, map(json.loads, lines))}


def put(file: Path, record: Record) -> None:
    """Add *record* to *file*, or replace that of the same case. The file is complete at any time."""
    records = {**read(file), record.case: record}
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_text("".join(json.dumps(_rounded(asdict(one))) + "\n" for one in records.values()), encoding="utf-8")
    new.replace(file)


def _record(given: dict[str, Any]) -> Record:
    return Record(
        given["case"],
        given["rounds"],
        Origin(**given["origin"]),
        tuple(_row(row) for row in given["rows"]),
        tuple(Cost(**cost) for cost in given["costs"]),
    )


def _row(given: dict[str, Any]) -> Row:
    return Row(**{**given, "hosts": {name: Traffic(**traffic) for name, traffic in given["hosts"].items()}})


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return round(value, 4) if isinstance(value, float) else value


def _commit() -> str:
    """Return the checkout's short commit, with a + if the product was changed since."""
    commit = _git("rev-parse", "--short", "HEAD")
    return commit + ("+" if _git("status", "--porcelain", "azext_acrartifact") else "") if commit else "no checkout"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=steps.ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""
