"""The repositories of one run on a registry in Azure, in a file until they are deleted.

A killed run leaves the file, and an identity without the right to list repositories cannot find them otherwise.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from devtools import steps

FOLDER = steps.ROOT / ".cache" / "live"
"""The folder of the files, one for each run that is not finished."""
PREFIX = "acrartifact-live"
"""The first part of the name of every repository, for a role that is limited to them."""


class Leftovers:
    """The repositories below `acrartifact-live/RANDOM` on *server* that this run may have created."""

    def __init__(self, server: str, folder: Path = FOLDER) -> None:
        self.server = server
        self.name = secrets.token_hex(4)
        self.root = f"{PREFIX}/{self.name}"
        self.file = folder / f"{self.name}.txt"
        self.repositories: list[str] = []

    @classmethod
    def of(cls, server: str, repositories: list[str], folder: Path = FOLDER) -> Leftovers:
        """Return the run on *server* that left *repositories* behind."""
        run = cls(server, folder)
        run.repositories = list(repositories)
        run.file = folder / f"{repositories[0].split('/')[1]}.txt"
        return run

    def repository(self, name: str) -> str:
        """Return the repository *name* of this run. It is in the file before anything can be pushed to it."""
        full = f"{self.root}/{name}"
        if full not in self.repositories:
            self.repositories.append(full)
            self._save()
        return full

    def deleted(self, repository: str) -> None:
        """Remove *repository* from the file; remove the file with the last one."""
        self.repositories.remove(repository)
        self._save()

    @property
    def command(self) -> str:
        """The command that deletes all repositories that are left."""
        return f"python3 dev.py live {self.server} --delete {' '.join(self.repositories)}"

    def announce(self) -> str:
        """Return where this run writes, and what a killed run leaves."""
        file = self.file.relative_to(steps.ROOT) if self.file.is_relative_to(steps.ROOT) else self.file
        return (
            f"Everything is written below {self.server}/{self.root}, and deleted at the end.\n"
            f"If this run is killed, {file} has the command that deletes what is left."
        )

    def report(self, problems: dict[str, str]) -> str:
        """Return the message for repositories that could not be deleted, with the reason for each."""
        lines = [f"  {self.server}/{repository}: {why.strip()}" for repository, why in problems.items()]
        return "\n".join(["These repositories are left:", *lines, f"Delete them: {self.command}"])

    def _save(self) -> None:
        if not self.repositories:
            self.file.unlink(missing_ok=True)
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(f"{self.command}\n", encoding="utf-8")
