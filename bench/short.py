"""The short form: what does not depend on the machine's mood, against what was recorded.

Requests are counted. Processor time is taken as a multiple of what `az version` takes in the same round: the same
interpreter on the same machine, seconds before, since a machine shared with others is faster in one minute than in the
next. Of all rounds the median counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from bench.cases import CASES, Case
from bench.lines import LOOPBACK
from bench.rounds import Result
from bench.summary import OURS
from bench.trees import SHORT

BASELINE = Path(__file__).with_name("baseline.json")
WORSE = 1.2
"""A fifth more than recorded is a step back."""


@dataclass(frozen=True)
class Figures:
    """What one case took: requests, and processor time as a multiple of what `az version` takes."""

    requests: int
    cpu: float


Measured = Mapping[str, tuple[Figures, ...]]
"""By case, a round each."""


def cases() -> tuple[Case, ...]:
    """The cases on loopback, made small."""
    return tuple(
        replace(case, shape=SHORT[case.shape], goal=None) for case in CASES if case.line is LOOPBACK and not case.isal
    )


def measured(results: list[Result]) -> Measured:
    """All rounds, by what the case is recorded as."""
    return {name_of(result.case): _rounds(result) for result in results if result.runs}


def together(one: Measured, other: Measured) -> Measured:
    """The rounds of both."""
    return {name: (*one.get(name, ()), *other.get(name, ())) for name in {**one, **other}}


def figures(rounds: Measured) -> dict[str, Figures]:
    """The least requests and the median processor time of each case, as they are recorded."""
    return {
        name: Figures(min(one.requests for one in of_case), round(median(one.cpu for one in of_case), 3))
        for name, of_case in rounds.items()
    }


def complaints(found: dict[str, Figures], recorded: dict[str, Figures]) -> list[str]:
    """Where *found* falls back behind *recorded* by a fifth, or is not there at all; each begins with the case."""
    missing = [f"{name}: recorded, but not measured" for name in recorded if name not in found]
    unknown = [f"{name}: measured, but not recorded" for name in found if name not in recorded]
    return missing + unknown + [text for name in found if name in recorded for text in _worse(name, found, recorded)]


def lines(found: dict[str, Figures], recorded: dict[str, Figures]) -> list[str]:
    """What was found beside what was recorded, a line for each case of both."""
    return [
        f"{name}: {found[name].requests} requests ({there.requests}), {found[name].cpu:.2f} times az ({there.cpu:.2f})"
        for name, there in recorded.items()
        if name in found
    ]


def read() -> dict[str, Figures]:
    """What was recorded; nothing where there is no record."""
    if not BASELINE.exists():
        return {}
    return {key: Figures(**value) for key, value in json.loads(BASELINE.read_text()).items()}


def record(found: dict[str, Figures]) -> None:
    """Make *found* the baseline."""
    BASELINE.write_text(json.dumps({key: asdict(value) for key, value in found.items()}, indent=2) + "\n")


def name_of(case: Case) -> str:
    """What the case is recorded as."""
    return f"{case.workload} {case.action.value}: {case.shape.title}"


def _rounds(result: Result) -> tuple[Figures, ...]:
    pairs = zip(result.runs[OURS], result.az_starts, strict=True)
    return tuple(Figures(run.seen.requests, run.took.cpu / az.cpu) for run, az in pairs)


def _worse(name: str, found: dict[str, Figures], recorded: dict[str, Figures]) -> list[str]:
    here, there = found[name], recorded[name]
    texts = []
    if here.requests > there.requests * WORSE:
        texts.append(f"{name}: {here.requests} requests instead of {there.requests}")
    if here.cpu > there.cpu * WORSE:
        texts.append(f"{name}: {here.cpu:.2f} times az version's processor time instead of {there.cpu:.2f}")
    return texts
