"""What every command takes, gathered into two objects so that no command lists it again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

GATHERED = ("artifact", "registry_name", "image", "suffix", "username", "password", "password_stdin")
"""Names of the arguments that become `artifact` and `login`."""


@dataclass(frozen=True)
class ArtifactArgument:
    """An artifact as typed: *reference*, or *registry* with *image*."""

    reference: str | None
    registry: str | None
    image: str | None
    suffix: str | None


@dataclass(frozen=True)
class LoginArgument:
    """A sign-in as typed; without a user name, Azure CLI's own."""

    username: str | None
    password: str | None = field(default=None, repr=False)
    password_stdin: bool = False


def gather(namespace: Any) -> None:
    """Replace the arguments of `GATHERED` by *namespace*.artifact and *namespace*.login."""
    given = {name: getattr(namespace, name) for name in GATHERED}
    for name in GATHERED:
        delattr(namespace, name)
    namespace.artifact = ArtifactArgument(given["artifact"], given["registry_name"], given["image"], given["suffix"])
    namespace.login = LoginArgument(given["username"], given["password"], given["password_stdin"])
