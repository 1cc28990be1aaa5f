"""What every command takes, gathered into two objects so that no command lists it again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .argument_names import OF_ARTIFACT, OF_LOGIN


@dataclass(frozen=True)
class ArtifactArgument:
    """An artifact as typed: *reference*, or *registry* with *image*."""

    reference: str | None
    registry: str | None
    image: str | None
    suffix: str | None


@dataclass(frozen=True)
class LoginArgument:
    """A sign-in as typed; without a user name, by *auth_mode*, of which None is the configured one."""

    username: str | None
    password: str | None = field(default=None, repr=False)
    password_stdin: bool = False
    auth_mode: str | None = None


@dataclass(frozen=True)
class TargetArgument:
    """Where a copy goes, as typed: *reference*, or *registry* with what is in it. *login* None is the source's."""

    reference: str
    registry: str | None
    login: LoginArgument | None


CONTENT = (
    "files", "artifact_type", "manifest_config", "media_type", "annotations", "annotation_file", "image_spec",
    "exclude", "split", "empty", "compression", "stdin_name", "concurrency",
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
    split: bool
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


@dataclass(frozen=True)
class RegistryArgument:
    """A registry as typed: a name, or a login server."""

    name: str
    suffix: str | None


def gather_registry(namespace: Any) -> None:
    """Replace the arguments by *namespace*.artifact, and *namespace*.login if the command signs in."""
    if hasattr(namespace, "username"):
        gather_login(namespace)
    name, suffix = _taken(namespace, ("registry_name", "suffix"))
    namespace.artifact = RegistryArgument(name, suffix)


def gather(namespace: Any) -> None:
    """Replace the arguments by *namespace*.artifact and *namespace*.login."""
    gather_login(namespace)
    reference, registry, image, suffix = _taken(namespace, OF_ARTIFACT)
    namespace.artifact = ArtifactArgument(reference, registry, image, suffix)


def gather_login(namespace: Any) -> None:
    """Replace the arguments of a sign-in by *namespace*.login."""
    username, password, password_stdin, auth_mode = _taken(namespace, OF_LOGIN)
    namespace.login = LoginArgument(username, password, password_stdin, auth_mode)


def gather_target(namespace: Any) -> None:
    """Replace the arguments of a copy's target by *namespace*.target."""
    reference, registry, *login = _taken(namespace, ("to", "to_name", *(f"to_{name}" for name in OF_LOGIN)))
    namespace.target = TargetArgument(reference, registry, LoginArgument(*login) if any(login) else None)


def _taken(namespace: Any, names: tuple[str, ...]) -> list[Any]:
    values = [getattr(namespace, name) for name in names]
    for name in names:
        delattr(namespace, name)
    return values
