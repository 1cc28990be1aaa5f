"""A registry that is up, and every client of it: `az acr artifact`, oras, crane, regctl, skopeo."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.interop.programs import AZ, Ended, run


@dataclass(frozen=True)
class User:
    """Who signs in."""

    name: str
    password: str


@dataclass(frozen=True)
class Place:
    """A registry at *server* as seen by programs with *variables*; *plain* is HTTP, to be asked for by some of them.

    `az` gets *az_user* on the command line; without it, it is signed in already or needs not be.
    """

    server: str
    variables: Mapping[str, str]
    plain: bool = False
    az_user: User | None = None

    def at(self, repository: str, tag: str = "1.0") -> str:
        """A reference that every client takes; *tag* may be a digest."""
        return f"{self.server}/{repository}{'@' if ':' in tag else ':'}{tag}"

    def az(self, folder: Path, *arguments: str, code: int | None = 0) -> Ended:
        """`az acr artifact ARGUMENTS`."""
        user = self.az_user
        sign_in = ["--username", user.name, "--password-stdin"] if user else []
        return run(
            [*AZ, "acr", "artifact", *arguments, *sign_in],
            folder,
            self.variables,
            stdin=user.password if user else "",
            code=code,
        )

    def push(self, folder: Path, reference: str, *arguments: str) -> dict[str, Any]:
        """What `az acr artifact push` prints."""
        return dict(json.loads(self.az(folder, "push", reference, *arguments).stdout))

    def pull(self, folder: Path, reference: str, *arguments: str) -> dict[str, Any]:
        """What `az acr artifact pull` prints."""
        return dict(json.loads(self.az(folder, "pull", reference, *arguments).stdout))

    def oras(self, folder: Path, *arguments: str, code: int | None = 0, stdin: str = "") -> Ended:
        """`oras ARGUMENTS`. Of itself it speaks HTTP to localhost, and TLS to everything else."""
        return run(["oras", *arguments], folder, self.variables, code=code, stdin=stdin)

    def crane(self, folder: Path, *arguments: str, code: int | None = 0, stdin: str = "") -> Ended:
        """`crane ARGUMENTS`. Of itself it tries TLS and then HTTP on localhost."""
        return run(["crane", *arguments], folder, self.variables, code=code, stdin=stdin)

    def regctl(self, folder: Path, *arguments: str, code: int | None = 0, stdin: str = "") -> Ended:
        """`regctl ARGUMENTS`. It retries for minutes, which nothing here needs."""
        return run(["regctl", *arguments], folder, self.variables, code=code, stdin=stdin)

    def skopeo(self, folder: Path, command: str, *arguments: str, code: int | None = 0, stdin: str = "") -> Ended:
        """`skopeo COMMAND ARGUMENTS`, without a policy of this machine's."""
        return run(
            ["skopeo", "--insecure-policy", command, *self._tls(command), *arguments],
            folder, self.variables, code=code, stdin=stdin,
        )  # fmt: skip

    def sign_in(self, folder: Path, user: User) -> None:
        """Sign *user* in with each of the peers, by its own login command."""
        if self.plain:
            self.regctl(folder, "registry", "set", self.server, "--tls", "disabled")
        name = ["-u", user.name, "--password-stdin"]
        self.oras(folder, "login", self.server, *name, stdin=user.password)
        self.crane(folder, "auth", "login", self.server, *name, stdin=user.password)
        self.regctl(folder, "registry", "login", self.server, "-u", user.name, "--pass-stdin", stdin=user.password)
        self.skopeo(folder, "login", "-u", user.name, "--password-stdin", self.server, stdin=user.password)

    def manifest(self, folder: Path, reference: str) -> dict[str, Any]:
        """The manifest, as oras fetches it; keys in the order in which they stand there."""
        return dict(json.loads(self.oras(folder, "manifest", "fetch", reference).stdout))

    def _tls(self, command: str) -> list[str]:
        if not self.plain:
            return []
        return ["--src-tls-verify=false", "--dest-tls-verify=false"] if command == "copy" else ["--tls-verify=false"]
