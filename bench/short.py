"""The short form: compare figures that hardly depend on the machine with a recorded baseline.

Requests are counted, and connections, which have a limit of their own: requests in flight and two. A shared machine is
faster in one minute than in the next, so processor time is a multiple of that of `az version` in the same round: the
same interpreter on the same machine, seconds before. The median of all rounds counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from bench.cases import CASES, ON_LOOPBACK, Case
from bench.goals import NO_GOAL, SPARE_CONNECTIONS
from bench.ratios import OURS
from bench.rounds import Result
from bench.site import Run
from bench.trees import LARGE, SHORT

BASELINE = Path(__file__).with_name("baseline.json")
WORSE = 1.2
"""The factor over the baseline that counts as a regression."""


@dataclass(frozen=True)
class Figures:
    """The figures of one case: requests to all hosts, connections to the host with the most of them, and processor time
    as a multiple of that of `az version`."""

    requests: int
    connections: int
    cpu: float


Measured = Mapping[str, tuple[Figures, ...]]
"""For each case, the figures of every round."""


def cases() -> tuple[Case, ...]:
    """Return the cases on loopback, with small trees; W3 and a large file again take time and show nothing more."""
    return tuple(
        replace(case, shape=SHORT[case.shape], goal=NO_GOAL)
        for case in CASES
        if case.setup is ON_LOOPBACK and case.shape in SHORT and not (case.shape is LARGE and case.action.again)
    )


def measured(results: Iterable[Result]) -> Measured:
    """Return the figures of all rounds, by the name of the case in the baseline."""
    return {name_of(result.case): _rounds(result) for result in results if result.runs}


def together(one: Measured, other: Measured) -> Measured:
    """Return the rounds of both."""
    return {name: (*one.get(name, ()), *other.get(name, ())) for name in {**one, **other}}


def figures(rounds: Measured) -> dict[str, Figures]:
    """Return the least requests, and the median connections and processor time, of each case, as in the baseline."""
    return {
        name: Figures(
            min(one.requests for one in of_case),
            round(median(one.connections for one in of_case)),
            round(median(one.cpu for one in of_case), 3),
        )
        for name, of_case in rounds.items()
    }


def regressions(found: dict[str, Figures], recorded: dict[str, Figures], limits: Mapping[str, int]) -> list[str]:
    """Return the cases in which *found* is worse than *recorded*, missing, or over its limit of connections; each text
    begins with the case."""
    missing = [f"{name}: in the baseline, but not measured" for name in recorded if name not in found]
    unknown = [f"{name}: measured, but not in the baseline" for name in found if name not in recorded]
    worse = [text for name in found if name in recorded for text in _worse(name, found[name], recorded[name])]
    over = [
        f"{name}: {here.connections} connections to a host, and at most {limits[name]} are needed"
        for name, here in found.items()
        if here.connections > limits[name]
    ]
    return missing + unknown + worse + over


def limits() -> dict[str, int]:
    """Return the most connections to a host, by the name of the case."""
    return {name_of(case): case.in_flight + SPARE_CONNECTIONS for case in cases()}


def lines(found: dict[str, Figures], recorded: dict[str, Figures]) -> list[str]:
    """Return one line for each case in both, with the found and the recorded figures."""
    return [
        f"{name}: {here.requests} requests ({old.requests}), {here.connections} connections ({old.connections}), "
        f"{here.cpu:.2f} times az ({old.cpu:.2f})"
        for name, old in recorded.items()
        if (here := found.get(name))
    ]


def read() -> dict[str, Figures]:
    """Read the baseline; it is empty if there is no file."""
    if not BASELINE.exists():
        return {}
    return {key: Figures(**value) for key, value in json.loads(BASELINE.read_text()).items()}


def record(found: dict[str, Figures]) -> None:
    """Write *found* as the baseline."""
    BASELINE.write_text(json.dumps({key: asdict(value) for key, value in found.items()}, indent=2) + "\n")


def name_of(case: Case) -> str:
    """Return the name of *case* in the baseline."""
    return f"{case.workload} {case.action.value}: {case.shape.title}"


def _rounds(result: Result) -> tuple[Figures, ...]:
    pairs = zip(result.runs[OURS], result.az_starts, strict=True)
    return tuple(_figures(run, run.usage.cpu / az.cpu) for run, az in pairs)


def _figures(run: Run, cpu: float) -> Figures:
    hosts = run.traffic.values()
    return Figures(sum(host.requests for host in hosts), max((host.connections for host in hosts), default=0), cpu)


def _worse(name: str, here: Figures, before: Figures) -> list[str]:
    texts = []
    if here.requests > before.requests * WORSE:
        texts.append(f"{name}: {here.requests} requests instead of {before.requests}")
    if here.cpu > before.cpu * WORSE:
        texts.append(f"{name}: {here.cpu:.2f} times az version's processor time instead of {before.cpu:.2f}")
    return texts
