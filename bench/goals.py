"""The goals of a case, and whether the measured times reach them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.ratios import Row, best_oras, default_oras, ours, speed, upper_bound

REACHED, NOT_VISIBLE, MISSED, NONE = "reached", "not visible", "missed", "–"
SPARE_CONNECTIONS = 2
"""Connections on a host beyond the requests in flight that no case may exceed."""


@dataclass(frozen=True)
class Goal:
    """The limits of a case, without az's start-up. Speeds are multiples of oras's; None sets no limit."""

    best: float | None = None
    """The least speed, compared with oras at its better setting."""
    default: float | None = None
    """The least speed, compared with oras at its default."""
    cpu: float | None = None
    """The most processor time, as a multiple of that of oras."""
    seconds: float | None = None
    """The most seconds of wall time."""
    requests: int | None = None
    """The most requests to all hosts."""
    no_blobs: bool = False
    """Whether no request may move blob data."""

    def __str__(self) -> str:
        limits = [
            f"≥ {self.best:g}" if self.best else "",
            f"default ≥ {self.default:g}" if self.default else "",
            f"CPU ≤ {self.cpu:g}" if self.cpu else "",
            f"≤ {self.seconds:g} s" if self.seconds else "",
            f"≤ {self.requests} requests" if self.requests else "",
            "no blob requests" if self.no_blobs else "",
        ]
        return ", ".join(limit for limit in limits if limit) or NONE


NO_GOAL = Goal()


@dataclass(frozen=True)
class Verdict:
    """One of REACHED, NOT_VISIBLE, MISSED and NONE, with the *reasons* for MISSED."""

    state: str
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ": ".join([self.state, *([", ".join(self.reasons)] if self.reasons else [])])


def judge(goal: Goal, in_flight: int, table: Sequence[Row], cores: int, rate: int = 0) -> Verdict:
    """Return whether our row of *table* reaches *goal* with at most *in_flight* requests in flight.

    A speed that the machine's *cores* allow to no client, or one connection of *rate*, is not visible, rather than
    missed.
    """
    mine = ours(table)
    if mine is None or (default_oras(table) is None and (goal.best or goal.default or goal.cpu)):
        return Verdict(NONE)
    slow = list(_slow(goal, table, cores, rate))
    reasons = [reason for reason, visible in slow if visible] + list(_exceeded(goal, in_flight, mine, table))
    if reasons:
        return Verdict(MISSED, tuple(reasons))
    if slow:
        return Verdict(NOT_VISIBLE)
    return Verdict(NONE if goal == NO_GOAL else REACHED)


def _slow(goal: Goal, table: Sequence[Row], cores: int, rate: int) -> Iterator[tuple[str, bool]]:
    """Yield each speed that is missed, and whether the machine allows it."""
    for wanted, theirs, name in ((goal.best, best_oras(table), "oras"), (goal.default, default_oras(table), "default")):
        reached, most = speed(table, theirs), upper_bound(table, theirs, cores, rate)
        if wanted is not None and reached is not None and reached < wanted:
            yield f"{reached:.2f} × {name}", most is None or most >= wanted


def _exceeded(goal: Goal, in_flight: int, mine: Row, table: Sequence[Row]) -> Iterator[str]:
    theirs = best_oras(table)
    if goal.cpu and theirs and mine.own_cpu > goal.cpu * theirs.cpu:
        yield f"CPU {mine.own_cpu / theirs.cpu:.2f} ×"
    if goal.seconds and mine.own_wall > goal.seconds:
        yield f"{mine.own_wall:.2f} s"
    if goal.requests and mine.requests > goal.requests:
        yield f"{mine.requests} requests"
    if goal.no_blobs and mine.blob_requests:
        yield f"{mine.blob_requests} blob requests"
    for name, traffic in mine.hosts.items():
        if traffic.connections > in_flight + SPARE_CONNECTIONS:
            yield f"{traffic.connections} connections to {name}"
