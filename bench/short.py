"""The short form: what does not depend on the machine's mood, against what was recorded.

Requests are counted. Processor time is taken as a multiple of `az version`'s in the same run, which the same
interpreter spends on the same machine; of both the least of all rounds, since nothing makes a program take less.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

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
    """What one case took: requests, and processor time, in seconds or as a multiple of what `az version` takes."""

    requests: int
    cpu: float


@dataclass(frozen=True)
class Measured:
    """What each case and `az version` took, in seconds."""

    cases: dict[str, Figures]
    az: float

    def relative(self) -> dict[str, Figures]:
        """By case, as it is recorded."""
        return {name: Figures(one.requests, round(one.cpu / self.az, 3)) for name, one in self.cases.items()}


def cases() -> tuple[Case, ...]:
    """The cases on loopback, made small."""
    return tuple(
        replace(case, shape=SHORT[case.shape], goal=None) for case in CASES if case.line is LOOPBACK and not case.isal
    )


def measured(results: list[Result]) -> Measured:
    """The least of all rounds."""
    az = min(took.cpu for result in results for took in result.az_starts)
    return Measured({name_of(result.case): _figures(result) for result in results if result.runs}, az)


def better(one: Measured, other: Measured) -> Measured:
    """The lesser of both, case by case: what disturbs a run only ever adds to it."""
    found = {**one.cases, **other.cases}
    for name in one.cases.keys() & other.cases.keys():
        here, there = one.cases[name], other.cases[name]
        found[name] = Figures(min(here.requests, there.requests), min(here.cpu, there.cpu))
    return Measured(found, min(one.az, other.az))


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


def _figures(result: Result) -> Figures:
    runs = result.runs[OURS]
    return Figures(min(run.seen.requests for run in runs), min(run.took.cpu for run in runs))


def _worse(name: str, found: dict[str, Figures], recorded: dict[str, Figures]) -> list[str]:
    here, there = found[name], recorded[name]
    texts = []
    if here.requests > there.requests * WORSE:
        texts.append(f"{name}: {here.requests} requests instead of {there.requests}")
    if here.cpu > there.cpu * WORSE:
        texts.append(f"{name}: {here.cpu:.2f} times az version's processor time instead of {there.cpu:.2f}")
    return texts
