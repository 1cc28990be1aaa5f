"""A case: what a server does, a command, and the right outcome."""

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
    "backup", "copy", "purge", "purge-untagged", "purge-filter", "show-table", "list-by-name",
]  # fmt: skip
Identity = Literal["password", "refresh", "anonymous", "login", "admin", "environment"]
"""`login` and `admin` need the Azure CLI's login, which `before` prepares, and `environment` needs `variables`."""

REGISTRY = f"https://{SERVER}"
BLOBS = f"https://{STORAGE}"


@dataclass(frozen=True)
class Right:
    """The right outcome: *files* in the destination (None: a refusal). With *or_refuses* a refusal is right too:
    both are safe, and the specification allows both."""

    files: Mapping[str, bytes] | None = None
    or_refuses: bool = False

    def __str__(self) -> str:
        if self.files is None:
            return "refuses"
        names = ", ".join(sorted(self.files)[:3]) + (", …" if len(self.files) > 3 else "")
        text = f"succeeds with {names}" if names else "succeeds"
        return f"{text}, or refuses" if self.or_refuses else text


REFUSES = Right()
SUCCEEDS = Right({})
GETS_IT = Right({"a.txt": GOOD})
EITHER = Right({}, or_refuses=True)


def either(**files: bytes) -> Right:
    """Accept the *files* or a refusal."""
    return Right(files or {"a.txt": GOOD}, or_refuses=True)


@dataclass(frozen=True)
class Case:
    """One row of the table. *does* describes what the server does; *requirement* is R1 to R39 of
    docs/security-cases.md. Only *hosts* may be contacted, and only the registry may receive a secret. *before*
    prepares the playground; *variables* and *arguments* are added to the command."""

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
    """The peers have no such command or feature."""
    slow: bool = False
    """Only `dev.py hostile` runs it: it keeps the machine busy."""
