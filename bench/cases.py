"""The measured cases: workloads W1 to W7, each on its network, with its goal against oras."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from bench import trees
from bench.networks import CAPPED, FAR, LOOPBACK, Network
from bench.trees import Shape


class Action(enum.Enum):
    """What a run does, after the registry and the folder are prepared."""

    PUSH = "push"
    PULL = "pull"
    PUSH_AGAIN = "push again, unchanged"
    PULL_AGAIN = "pull again, 90 % present"

    @property
    def pulls(self) -> bool:
        """Whether the action is a pull."""
        return self in (Action.PULL, Action.PULL_AGAIN)


@dataclass(frozen=True)
class Case:
    """One row of the report. *goal* is the wanted speed as a multiple of oras at its best, without az's start-up."""

    workload: str
    action: Action
    shape: Shape
    network: Network
    goal: float | None = None
    oras_only: bool = False
    """Other peers take minutes here and show nothing new compared with loopback."""
    isal: bool = False
    """Whether ours may use the package isal, which is not part of az."""

    @property
    def title(self) -> str:
        """The action, the files and the network."""
        isal = ", with isal" if self.isal else ""
        return f"{self.workload} {self.action.value}: {self.shape.title}, {self.network.title}{isal}"

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
"""Ordered so that each network opens once, and each tree is made once per network."""


def chosen(only: str | None) -> tuple[Case, ...]:
    """Return the cases that *only* names, such as `W2,W6`, `W2-push` or `W2-pull@far`, or all; raise `ValueError`."""
    if only is None:
        return CASES
    names = [name.strip().lower() for name in only.split(",") if name.strip()]
    found = tuple(case for case in CASES if any(_names(name, case) for name in names))
    unknown = [name for name in names if not any(_names(name, case) for case in CASES)]
    if unknown:
        raise ValueError(f"There is no workload {', '.join(unknown)}")
    return found


def _names(name: str, case: Case) -> bool:
    start, _, where = name.partition("@")
    workload, _, action = start.partition("-")
    network = {LOOPBACK: "loopback", FAR: "far", CAPPED: "capped"}[case.network]
    return (
        workload == case.workload.lower()
        and action in ("", case.action.value.split(",")[0].replace(" ", "-"))
        and where in ("", network)
    )
