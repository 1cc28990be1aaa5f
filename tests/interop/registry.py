"""A running registry, and every client for it: `az acr artifact`, oras, crane, regctl, skopeo."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.interop.programs import AZ, Ended, run


@dataclass(frozen=True)
class User:
    """A user name and password to sign in with."""

    name: str
    password: str


@dataclass(frozen=True)
class Registry:
    """A registry at *server* as seen by programs with *variables*; *plain* means HTTP, which some need an option for.

    `az` gets *az_user* on the command line; without it, it is signed in already or need not be.
    """

    server: str
    variables: Mapping[str, str]
    plain: bool = False
    az_user: User | None = None

    def at(self, repository: str, tag: str = "1.0") -> str:
        """Return a reference that every client accepts; *tag* may be a digest."""
        return f"{self.server}/{repository}{'@' if ':' in tag else ':'}{tag}"

    def az(self, folder: Path, *arguments: str, code: int | None = 0) -> Ended:
        """Run `az acr artifact ARGUMENTS`."""
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
        """Run `az acr artifact push`; return what it prints."""
        return dict(json.loads(self.az(folder, "push", reference, *arguments).stdout))

    def pull(self, folder: Path, reference: str, *arguments: str) -> dict[str, Any]:
        """Run `az acr artifact pull`; return what it prints."""
        return dict(json.loads(self.az(folder, "pull", reference, *arguments).stdout))

    def oras(self, folder: Path, *arguments: str, code: int | None = 0, stdin: str = "") -> Ended:
        """Run `oras ARGUMENTS`. By default it uses HTTP for localhost, and TLS for everything else."""
        return run(["oras", *arguments], folder, self.variables, code=code, stdin=stdin)

    def notation(self, folder: Path, *arguments: str, code: int | None = 0) -> Ended:
        """Run our program around notation-go (tests/interop/notation)."""
        return run(["notation-go", *arguments], folder, self.variables, code=code)

    def crane(self, folder: Path, *arguments: str, code: int | None = 0, stdin: str = "") -> Ended:
        """Run `crane ARGUMENTS`. By default it tries TLS and then HTTP on localhost."""
        return run(["crane", *arguments], folder, self.variables, code=code, stdin=stdin)

    def regctl(self, folder: Path, *arguments: str, code: int | None = 0, stdin: str = "") -> Ended:
        """Run `regctl ARGUMENTS`, without its minutes of retries."""
        return run(["regctl", *arguments], folder, self.variables, code=code, stdin=stdin)

    def skopeo(self, folder: Path, command: str, *arguments: str, code: int | None = 0, stdin: str = "") -> Ended:
        """Run `skopeo COMMAND ARGUMENTS`, without a policy of this machine."""
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
        """Fetch the manifest with oras; keys stay in their order."""
        return dict(json.loads(self.oras(folder, "manifest", "fetch", reference).stdout))

    def _tls(self, command: str) -> list[str]:
        if not self.plain:
            return []
        return ["--src-tls-verify=false", "--dest-tls-verify=false"] if command == "copy" else ["--tls-verify=false"]
