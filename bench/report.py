"""The report as Markdown: one table a case, and one of all cases against their goals."""

from __future__ import annotations

import os
from collections.abc import Iterable

from bench.checks import Cost
from bench.rounds import Result
from bench.summary import OURS, Row, most, reference, rows, speed

HEAD = (
    "client", "wall s", "least s", "less az's start s", "CPU s", "less az's start s", "of oras's CPU",
    "service's CPU s", "memory MiB", "MiB down", "requests", "of them blob data", "connections",
    "times oras", "less az's start",
)  # fmt: skip
LEGEND = """\
Wall and CPU (user and system, of the client alone) are medians of the rounds, *least* is the shortest round, memory
the highest peak. *Less az's start* takes off the median of `az version` in the same rounds. *Times oras* is how many
times as fast as oras at the better of its two settings: its default, and the concurrency that was fastest in one run
each before the rounds. *Service's CPU* is what the registry and the simulated line took beside the client, on the same
processors. Requests, connections and bytes down are from the registry's log. A client is missing where it has no such
thing (crane and regctl pack no folders, crane keeps nothing from an earlier pull), or would take minutes on a simulated
line; crane pushes an OCI layout whose digests are made before. All pull what oras has pushed."""


MOST = """\
*At most* is what the machine leaves room for: registry and line run beside the client, and by the processor time that
they take alone nobody could be more times as fast as oras is."""


CHECKS = """\
A pull believes nothing: this is the processor time of its checks, in one process and without a line, beside that of the
same work by the standard library alone, which checks nothing and keeps no older file whole. All of it is part of the
times above."""


def text(results: list[Result], costs: list[Cost], machine: str, command: str) -> str:
    """The whole report; *machine* is in words, *command* what made it."""
    parts = ["# Measurements", machine, f"Made by `{command}`.", "![Times as fast as oras](results.svg)"]
    parts += ["## Against oras at its better setting", overview(results), MOST]
    if costs:
        parts += ["## What the checks cost", CHECKS, checks(costs)]
    parts += ["## All clients", LEGEND]
    for result in results:
        parts += [f"### {result.case.title}", details(result)]
    return "\n\n".join(parts) + "\n"


def checks(costs: list[Cost]) -> str:
    """One line a check, in milliseconds."""
    head = ("work", "checked ms", "unchecked ms", "difference ms")
    lines = [(cost.what, *map(_whole, (cost.checked, cost.unchecked, cost.checked - cost.unchecked))) for cost in costs]
    return table(head, lines)


def overview(results: list[Result]) -> str:
    """One line a case: our time, oras's, the ratio, the goal."""
    head = ("case", "ours s", "az's start s", "oras s", "times oras", "less az's start", "at most", "goal", "reached")
    return table(head, [_overview(result) for result in results])


def details(result: Result) -> str:
    """The clients of one case."""
    if result.obstacle:
        return f"Not measured here: a simulated line {result.obstacle}."
    found = rows(result)
    best = reference(found)
    return table(HEAD, [_client(row, best) for row in found])


def table(head: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """A Markdown table, the first column to the left and the others to the right."""
    names = list(head)
    rule = ["---", *["--:"] * (len(names) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [names, rule, *lines])


def _overview(result: Result) -> list[str]:
    case, found = result.case, rows(result)
    goal = f"{case.goal:g}" if case.goal else "–"
    mine, best, times = next((row for row in found if row.client == OURS), None), reference(found), speed(found)
    if mine is None or best is None or times is None:
        return [case.title, *["–"] * 6, goal, "not measured" if result.obstacle else "–"]
    room = most(found, os.cpu_count() or 1)
    reached = "–" if case.goal is None else "yes" if times >= case.goal else "no"
    numbers = [_seconds(mine.wall), _seconds(mine.az_wall), f"{_seconds(best.wall)} ({best.client})"]
    return [
        case.title,
        *numbers,
        _times(best.wall / mine.wall),
        _times(times),
        _times(room) if room else "–",
        goal,
        reached,
    ]


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
