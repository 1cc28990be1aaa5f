"""The measured cases: each workload in its settings, with its goals.

W1 is one large file, W2 many small ones, W3 several large ones, W4 a folder, W8 many of medium size, W9 one tiny file.
W10 is W1 in parts, by ours alone; peers push and pull one blob.
W5 is each of W1 to W3 again, with nothing to transfer.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from azext_acrartifact.transfer.concurrency import MANY_BULK, MOST
from azext_acrartifact.transfer.sizes import TransferSizes
from bench import trees
from bench.goals import NO_GOAL, Goal
from bench.networks import FAR, LOOPBACK, NEAR, Network
from bench.trees import Shape


class Action(enum.Enum):
    """What a run does, after the registry and the folder are prepared."""

    PUSH = "push"
    PULL = "pull"
    PUSH_AGAIN = "push again"
    PULL_AGAIN = "pull again"

    @property
    def again(self) -> bool:
        """Whether there is nothing to transfer."""
        return self in (Action.PUSH_AGAIN, Action.PULL_AGAIN)


@dataclass(frozen=True)
class Setup:
    """The conditions of a case; *name* is for `--only`."""

    name: str
    title: str
    network: Network = LOOPBACK
    plain: bool = False
    """Whether the registry is CNCF distribution alone, which speaks HTTP/2 and redirects nothing."""
    disk: bool = False
    """Whether files are on a disk, instead of in memory."""
    isal: bool = False
    """Whether ours may use the package isal, which is not part of az."""


ON_LOOPBACK = Setup("loopback", LOOPBACK.title)
LINES = (
    ON_LOOPBACK,
    Setup("near", NEAR.title, NEAR),
    Setup("far", FAR.title, FAR),
)
ISAL = Setup("isal", "loopback, with isal", isal=True)
DISK = Setup("disk", "loopback, files on a disk", disk=True)
PLAIN = Setup("plain", "loopback, HTTP/2 without redirects", plain=True)
SETUPS = (*LINES, PLAIN, DISK, ISAL)


@dataclass(frozen=True)
class Case:
    """A workload in one setup."""

    workload: str
    action: Action
    shape: Shape
    setup: Setup
    goal: Goal = NO_GOAL

    @property
    def name(self) -> str:
        """The name in the records and for `--only`, such as `W2-push-again@near`."""
        return f"{self.workload}-{self.action.value.replace(' ', '-')}@{self.setup.name}"

    @property
    def title(self) -> str:
        """The action, the files and the setup."""
        return f"{self.workload} {self.action.value}: {self.shape.title}, {self.setup.title}"

    @property
    def many(self) -> bool:
        """Whether concurrency between files can help."""
        return self.shape.count > 1 and not self.shape.packed

    @property
    def one_connection(self) -> int:
        """Bytes a second of the one connection that all data has to take: that of the only blob of a push, if it is not
        in parts. 0 for no limit."""
        alone = self.shape.packed or (self.shape.count == 1 and not self.shape.part_size)
        return self.setup.network.rate if alone and self.action is Action.PUSH else 0

    @property
    def oras_only(self) -> bool:
        """Whether other peers take minutes here, and show nothing new compared with a nearer registry."""
        return self.setup.network is FAR and self.shape is trees.SMALL

    @property
    def in_flight(self) -> int:
        """The most requests that ours has in flight: one for each blob, and fewer for large ones."""
        bulk = (self.shape.total if self.shape.packed else self.shape.size) > TransferSizes().single
        return MANY_BULK if bulk else min(MOST, self.shape.count + 1)


def _again(best: float, default: float | None = None) -> Goal:
    return Goal(best, default, no_blobs=True)


_ON_LINES: tuple[tuple[str, Action, Shape, tuple[Goal, ...]], ...] = (
    ("W1", Action.PUSH, trees.LARGE, (Goal(1.0, cpu=1.1), Goal(1.0), Goal(1.0))),
    ("W1", Action.PULL, trees.LARGE, (Goal(1.0, cpu=1.1), Goal(3.0), Goal(6.0))),
    ("W1", Action.PUSH_AGAIN, trees.LARGE, (_again(1.0),)),
    ("W1", Action.PULL_AGAIN, trees.LARGE, (_again(1.0),)),
    ("W2", Action.PUSH, trees.SMALL, (Goal(1.0), Goal(1.2, default=2.0), Goal(1.2, default=6.0))),
    ("W2", Action.PULL, trees.SMALL, (Goal(1.0), Goal(1.2, default=2.0), Goal(1.2, default=6.0))),
    ("W2", Action.PUSH_AGAIN, trees.SMALL, (_again(1.0), _again(1.2), _again(1.5, 6.0))),
    ("W2", Action.PULL_AGAIN, trees.SMALL, (_again(1.0), _again(1.2), _again(1.5, 6.0))),
    ("W3", Action.PUSH, trees.MEDIUM, (Goal(1.0), Goal(2.0), Goal(4.0))),
    ("W3", Action.PULL, trees.MEDIUM, (Goal(1.0), Goal(2.0), Goal(4.0))),
    ("W3", Action.PUSH_AGAIN, trees.MEDIUM, (_again(1.0),)),
    ("W3", Action.PULL_AGAIN, trees.MEDIUM, (_again(1.0),)),
    ("W4", Action.PUSH, trees.FOLDER, (Goal(3.5),) * 3),
    ("W4", Action.PULL, trees.FOLDER, (Goal(1.8),) * 3),
    ("W4", Action.PUSH_AGAIN, trees.FOLDER, (_again(20.0),) * 3),
    ("W8", Action.PUSH, trees.QUARTERS, (Goal(1.0), Goal(2.0), Goal(2.0))),
    ("W8", Action.PULL, trees.QUARTERS, (Goal(1.0), Goal(2.0), Goal(2.0))),
    ("W9", Action.PUSH, trees.TINY, (Goal(seconds=0.15, requests=5), Goal(requests=5), Goal(requests=5))),
    ("W9", Action.PULL, trees.TINY, (Goal(seconds=0.15, requests=5), Goal(requests=5), Goal(requests=5))),
    ("W10", Action.PUSH, trees.IN_PARTS, (Goal(1.0), Goal(3.0), Goal(6.0))),
    ("W10", Action.PULL, trees.IN_PARTS, (Goal(1.0), Goal(3.0), Goal(6.0))),
)
"""Workloads with their goals on loopback, near and far. Each tree is made once for all its cases in a setup."""

_WITHOUT_GOALS = ((ISAL, ("W4",)), (DISK, ("W2", "W4")), (PLAIN, ("W1", "W2", "W3")))
"""Pushes and pulls in other setups."""

_WITH_GOALS = tuple(
    Case(workload, action, shape, setup, goals[number])
    for number, setup in enumerate(LINES)
    for workload, action, shape, goals in _ON_LINES
    if number < len(goals)
)
_OTHERS = tuple(
    Case(workload, action, shape, setup)
    for setup, workloads in _WITHOUT_GOALS
    for workload, action, shape, _ in _ON_LINES
    if workload in workloads and not action.again
)
CASES = tuple(sorted((*_WITH_GOALS, *_OTHERS), key=lambda case: (case.setup.network.round_trip, case.setup.plain)))
"""Ordered so that each service starts once on each network."""


def chosen(only: str | None, *, disk: bool) -> tuple[Case, ...]:
    """Return the cases that *only* names, such as `W2,W5`, `W2-push` or `W2-pull@far`, or all; raise `ValueError`.

    Without a *disk*, all cases are those in memory.
    """
    if only is None:
        return tuple(case for case in CASES if disk or not case.setup.disk)
    names = [name.strip().lower() for name in only.split(",") if name.strip()]
    if unknown := [name for name in names if not any(_matches(name, case) for case in CASES)]:
        raise ValueError(f"There is no case {', '.join(unknown)}")
    found = tuple(case for case in CASES if any(_matches(name, case) for name in names))
    if not disk and any(name.endswith(f"@{DISK.name}") for name in names):
        raise ValueError("Cases on a disk need --disk FOLDER")
    return tuple(case for case in found if disk or not case.setup.disk)


def _matches(name: str, case: Case) -> bool:
    start, _, setup = name.partition("@")
    workload, _, action = start.partition("-")
    return (
        (workload in ("", case.workload.lower()) or (workload == "w5" and case.action.again and not case.shape.packed))
        and action in ("", case.action.value.replace(" ", "-"))
        and setup in ("", case.setup.name)
    )
