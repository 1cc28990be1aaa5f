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


CONTENT = (
    "files", "artifact_type", "manifest_config", "media_type", "annotations", "annotation_file", "image_spec",
    "exclude", "empty", "compression", "stdin_name", "concurrency",
)  # fmt: skip
"""Names of the arguments of `push` and `attach` that become `content`."""


@dataclass(frozen=True)
class ContentArgument:
    """What is to be pushed, as typed."""

    files: list[str] | None
    artifact_type: str | None
    manifest_config: str | None
    media_type: str | None
    annotations: list[str] | None
    annotation_file: str | None
    image_spec: str | None
    exclude: list[str] | None
    empty: bool
    compression: str
    stdin_name: str | None
    concurrency: int | None


def gather_content(namespace: Any) -> None:
    """Replace the arguments of `CONTENT` by *namespace*.content."""
    given = {name: getattr(namespace, name) for name in CONTENT}
    for name in CONTENT:
        delattr(namespace, name)
    namespace.content = ContentArgument(**given)


def gather(namespace: Any) -> None:
    """Replace the arguments of `GATHERED` by *namespace*.artifact and *namespace*.login."""
    given = {name: getattr(namespace, name) for name in GATHERED}
    for name in GATHERED:
        delattr(namespace, name)
    namespace.artifact = ArtifactArgument(given["artifact"], given["registry_name"], given["image"], given["suffix"])
    namespace.login = LoginArgument(given["username"], given["password"], given["password_stdin"])
