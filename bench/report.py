"""The report as Markdown: one table a case, and one of all cases against their goals."""

from __future__ import annotations

import os
from collections.abc import Iterable

from bench.checks import Cost
from bench.rounds import Result
from bench.summary import OURS, Row, reference, rows, speed, upper_bound

HEAD = (
    "client", "wall s", "least s", "less az's start s", "CPU s", "less az's start s", "of oras's CPU",
    "service's CPU s", "memory MiB", "MiB down", "requests", "of them blob data", "connections",
    "times oras", "less az's start",
)  # fmt: skip
LEGEND = """\
Wall and CPU (user and system, of the client alone) are medians of the rounds, *least* is the shortest round, memory
is the highest peak. *Less az's start* subtracts the median of `az version` in the same rounds. *Times oras* is speed as
a multiple of oras at the better of two settings: its default, and the concurrency that was fastest in one run each
before the rounds. *Service's CPU* is the processor time of the registry and the simulated network, which share the
client's processors. Requests, connections and bytes down are from the registry's log. A client is missing if it cannot
do the work (crane and regctl pack no folders, crane reuses nothing from an earlier pull) or would take minutes on a
simulated network. crane pushes an OCI layout that is hashed beforehand. All clients pull what oras pushed."""


MOST = """\
*At most* is the limit of the machine: the registry and the network share its processors with the client, and their
processor time alone already takes this long."""


CHECKS = """\
A pull trusts nothing. This is its processor time, in one process and without a network, compared with the same work by
the standard library alone, which checks nothing and can leave a damaged older file. It is part of the times above."""


def text(results: list[Result], costs: list[Cost], machine: str, command: str) -> str:
    """Return the whole report, with the description of the *machine* and the *command* that made it."""
    parts = ["# Measurements", machine, f"Made by `{command}`.", "![Times as fast as oras](results.svg)"]
    parts += ["## Against oras at its better setting", overview(results), MOST]
    if costs:
        parts += ["## What the checks cost", CHECKS, checks(costs)]
    parts += ["## All clients", LEGEND]
    for result in results:
        parts += [f"### {result.case.title}", details(result)]
    return "\n\n".join(parts) + "\n"


def checks(costs: list[Cost]) -> str:
    """Return a table with one line for each check, in milliseconds."""
    head = ("work", "checked ms", "unchecked ms", "difference ms")
    lines = [(cost.what, *map(_whole, (cost.checked, cost.unchecked, cost.checked - cost.unchecked))) for cost in costs]
    return table(head, lines)


def overview(results: list[Result]) -> str:
    """Return a table with one line for each case: our time, that of oras, the ratio, the goal."""
    head = ("case", "ours s", "az's start s", "oras s", "times oras", "less az's start", "at most", "goal", "reached")
    return table(head, [_overview(result) for result in results])


def details(result: Result) -> str:
    """Return the table of one case, with one line for each client."""
    if result.obstacle:
        return f"Not measured: a simulated network {result.obstacle}."
    found = rows(result)
    best = reference(found)
    return table(HEAD, [_client(row, best) for row in found])


def table(head: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table, with the first column aligned left and the others right."""
    names = list(head)
    rule = ["---", *["--:"] * (len(names) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [names, rule, *lines])


def _overview(result: Result) -> list[str]:
    case, found = result.case, rows(result)
    goal = f"{case.goal:g}" if case.goal else "–"
    mine, best, times = next((row for row in found if row.client == OURS), None), reference(found), speed(found)
    if mine is None or best is None or times is None:
        return [case.title, *["–"] * 6, goal, "not measured" if result.obstacle else "–"]
    room = upper_bound(found, os.cpu_count() or 1)
    reached = "–" if case.goal is None else "yes" if times >= case.goal else "no"
    numbers = [_seconds(mine.wall), _seconds(mine.az_wall), f"{_seconds(best.wall)} ({best.client})"]
    ratios = [_times(best.wall / mine.wall), _times(times), _times(room) if room else "–"]
    return [case.title, *numbers, *ratios, goal, reached]


def _client(row: Row, best: Row | None) -> list[str]:
    is_ours = row.client == OURS
    seconds = [
        _seconds(row.wall), _seconds(row.least), _seconds(row.own_wall) if is_ours else "–",
        _seconds(row.cpu), _seconds(row.own_cpu) if is_ours else "–",
        f"{row.own_cpu / best.cpu:.0%}" if best and is_ours else "–", _seconds(row.service_cpu),
    ]  # fmt: skip
    sizes = [f"{row.memory / 2**20:.0f}", f"{row.bytes_down / 2**20:.0f}"]
    counts = [*sizes, str(row.requests), str(row.blob_requests), str(row.connections)]
    times = [_times(best.wall / row.wall), _times(best.wall / row.own_wall) if is_ours else "–"] if best else ["–"] * 2
    return [row.client, *seconds, *counts, *times]


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _seconds(value: float) -> str:
    return f"{value:.2f}"


def _times(value: float) -> str:
    return f"{value:.2f} ×" if value < 10 else f"{value:.1f} ×"
