"""What is measured: workloads W1 to W7, each on its line, and what is to be reached against oras."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from bench import trees
from bench.lines import CAPPED, FAR, LOOPBACK, Line
from bench.trees import Shape


class Action(enum.Enum):
    """What a run does; before it, the registry and the folder are made to fit."""

    PUSH = "push"
    PULL = "pull"
    PUSH_AGAIN = "push again, unchanged"
    PULL_AGAIN = "pull again, 90 % present"

    @property
    def pulls(self) -> bool:
        """Whether it is a pull."""
        return self in (Action.PULL, Action.PULL_AGAIN)


@dataclass(frozen=True)
class Case:
    """One row of the report. *goal* is how many times as fast as oras at its best it is to be, az's start apart."""

    workload: str
    action: Action
    shape: Shape
    line: Line
    goal: float | None = None
    oras_only: bool = False
    """Other peers take minutes here, and say nothing that they do not say on loopback."""
    isal: bool = False
    """Whether we find the package isal, which az does not come with."""

    @property
    def title(self) -> str:
        """What is done, to what, where."""
        isal = ", with isal" if self.isal else ""
        return f"{self.workload} {self.action.value}: {self.shape.title}, {self.line.title}{isal}"

    @property
    def many(self) -> bool:
        """Whether concurrency between files can help."""
        return self.shape.count > 1 and not self.shape.packed


CASES = (
    Case("W1", Action.PUSH, trees.LARGE, LOOPBACK, 1.05),
    Case("W1", Action.PULL, trees.LARGE, LOOPBACK, 1.2),
    Case("W5", Action.PUSH_AGAIN, trees.LARGE, LOOPBACK, 1.0),
    Case("W2", Action.PUSH, trees.SMALL, LOOPBACK, 1.05),
    Case("W2", Action.PULL, trees.SMALL, LOOPBACK, 1.1),
    Case("W5", Action.PUSH_AGAIN, trees.SMALL, LOOPBACK, 1.0),
    Case("W5", Action.PULL_AGAIN, trees.SMALL, LOOPBACK, 1.0),
    Case("W3", Action.PUSH, trees.MEDIUM, LOOPBACK, 1.1),
    Case("W3", Action.PULL, trees.MEDIUM, LOOPBACK, 1.1),
    Case("W5", Action.PUSH_AGAIN, trees.MEDIUM, LOOPBACK, 1.0),
    Case("W5", Action.PULL_AGAIN, trees.MEDIUM, LOOPBACK, 1.0),
    Case("W4", Action.PUSH, trees.FOLDER, LOOPBACK, 3.5),
    Case("W4", Action.PULL, trees.FOLDER, LOOPBACK, 1.8),
    Case("W4", Action.PUSH_AGAIN, trees.FOLDER, LOOPBACK, 20.0),
    Case("W4", Action.PUSH, trees.FOLDER, LOOPBACK, 8.0, isal=True),
    Case("W4", Action.PULL, trees.FOLDER, LOOPBACK, 2.3, isal=True),
    Case("W6", Action.PULL, trees.LARGE, FAR, 2.5),
    Case("W2", Action.PUSH, trees.SMALL, FAR, 3.0, oras_only=True),
    Case("W2", Action.PULL, trees.SMALL, FAR, 3.0, oras_only=True),
    Case("W5", Action.PUSH_AGAIN, trees.SMALL, FAR, 10.0, oras_only=True),
    Case("W6", Action.PULL, trees.LARGE, CAPPED, 6.0),
    Case("W7", Action.PUSH, trees.LARGE, CAPPED, 1.0),
    Case("W7", Action.PUSH, trees.MEDIUM, CAPPED, 3.0, oras_only=True),
    Case("W3", Action.PULL, trees.MEDIUM, CAPPED, None, oras_only=True),
    Case("W5", Action.PULL_AGAIN, trees.MEDIUM, CAPPED, None, oras_only=True),
)
"""In an order that opens each line once, and makes each tree once a line."""


def chosen(only: str | None) -> tuple[Case, ...]:
    """The cases that *only* names, such as `W2,W6`, `W2-push` or `W2-pull@far` (loopback, far, capped); None: all."""
    if only is None:
        return CASES
    names = [name.strip().lower() for name in only.split(",") if name.strip()]
    found = tuple(case for case in CASES if any(_names(name, case) for name in names))
    unknown = [name for name in names if not any(_names(name, case) for case in CASES)]
    if unknown:
        raise ValueError(f"no workload is called {', '.join(unknown)}")
    return found


def _names(name: str, case: Case) -> bool:
    start, _, where = name.partition("@")
    workload, _, action = start.partition("-")
    place = {LOOPBACK: "loopback", FAR: "far", CAPPED: "capped"}[case.line]
    return (
        workload == case.workload.lower()
        and action in ("", case.action.value.split(",")[0].replace(" ", "-"))
        and where in ("", place)
    )
