"""What a case is: a server's doing, a command, and what counts as right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.hostile.names import SERVER, STORAGE
from tests.hostile.site import GOOD, Site

Command = Literal[
    "pull", "pull-index", "pull-referrer", "pull-digest", "check", "push", "push-folder", "show", "raw", "list",
    "list-table", "repositories", "referrers", "delete", "tag", "untag", "update", "attach", "login", "check-access",
    "backup", "copy", "purge",
]  # fmt: skip
Identity = Literal["password", "refresh", "anonymous"]

REGISTRY = f"https://{SERVER}"
BLOBS = f"https://{STORAGE}"


@dataclass(frozen=True)
class Right:
    """What counts as right: *files* in the destination (None: a refusal). A refusal is right too where *or_refuses*:
    both are safe, and the specification leaves the choice."""

    files: Mapping[str, bytes] | None = None
    or_refuses: bool = False

    def __str__(self) -> str:
        if self.files is None:
            return "refuses"
        names = ", ".join(sorted(self.files)[:3]) + (", …" if len(self.files) > 3 else "")
        told = f"succeeds with {names}" if names else "succeeds"
        return f"{told}, or refuses" if self.or_refuses else told


REFUSES = Right()
SUCCEEDS = Right({})
GETS_IT = Right({"a.txt": GOOD})
EITHER = Right({}, or_refuses=True)


def either(**files: bytes) -> Right:
    """The *files* or a refusal."""
    return Right(files or {"a.txt": GOOD}, or_refuses=True)


@dataclass(frozen=True)
class Case:
    """One line of the table. *does* says in words what happens; *requirement* is what it asks of the client (R1 to
    R21 of docs/security-cases.md). Only *hosts* may be contacted, and none of them but the registry may learn a secret.
    *before* prepares the playground, *variables* and *arguments* are added to the command."""

    name: str
    requirement: str
    does: str
    site: Callable[[], Site]
    right: Right = REFUSES
    command: Command = "pull"
    hosts: frozenset[str] = frozenset({REGISTRY})
    identity: Identity = "password"
    arguments: tuple[str, ...] = ()
    before: Callable[[Path], None] = lambda folder: None
    variables: Mapping[str, str] = field(default_factory=dict)
    ours_only: bool = False
    """The command, or what is tried, has no like among the peers."""
    slow: bool = False
    """It makes this machine work, and so is left to `dev.py hostile` on request."""
