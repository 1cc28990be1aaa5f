"""Arguments that several commands take, each group of them gathered into one object."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
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
    """A sign-in as typed. Without a user name it is by *auth_mode*, where None means the configured one."""

    username: str | None
    password: str | None = field(default=None, repr=False)
    password_stdin: bool = False
    auth_mode: str | None = None


@dataclass(frozen=True)
class TargetArgument:
    """The target of a copy as typed: *reference*, or *reference* in *registry*. *login* None is the source's."""

    reference: str
    registry: str | None
    login: LoginArgument | None


@dataclass(frozen=True)
class ContentArgument:
    """The content of a push, as typed."""

    files: list[str] | None
    artifact_type: str | None
    manifest_config: str | None
    media_type: str | None
    guess_media_type: bool
    annotations: list[str] | None
    annotation_file: str | None
    image_spec: str | None
    exclude: list[str] | None
    split: bool
    empty: bool
    compression: str
    stdin_name: str | None
    part_size: str | None
    concurrency: int | None


@dataclass(frozen=True)
class RegistryArgument:
    """A registry as typed: a name, or a login server."""

    name: str
    suffix: str | None


@dataclass(frozen=True)
class TrustArgument:
    """Whether to *verify* the artifact's signature, and what is trusted: the certificates in a file, with subjects, or
    else Notation's own files."""

    verify: bool
    certificate_file: str | None
    trusted_identity: list[str] | None


@dataclass(frozen=True)
class KeyArgument:
    """The key to sign with, as typed: *key* in a Key Vault, or *key_file*; and its certificates."""

    key: str | None
    key_file: str | None = None
    certificate_file: str | None = None


def gather_trust(namespace: Namespace) -> None:
    """Replace the arguments about trust by *namespace*.trust. To name what is trusted means to verify."""
    verify = bool(namespace.__dict__.pop("verify", True))
    file, identities = _taken(namespace, ("certificate_file", "trusted_identity"))
    namespace.trust = TrustArgument(verify or bool(file), file, identities)


def gather_key(namespace: Namespace) -> None:
    """Replace the arguments about the key by *namespace*.signing."""
    namespace.signing = KeyArgument(*_taken(namespace, ("key", "key_file", "certificate_file")))


def gather_content(namespace: Namespace) -> None:
    """Replace the arguments of `ContentArgument` by *namespace*.content."""
    namespace.content = ContentArgument(*_taken(namespace, [one.name for one in fields(ContentArgument)]))


def gather_registry(namespace: Namespace) -> None:
    """Replace the arguments of a registry by *namespace*.artifact, and those of a sign-in, if there are any."""
    if hasattr(namespace, "username"):
        namespace.login = LoginArgument(*_taken(namespace, OF_LOGIN))
    namespace.artifact = RegistryArgument(*_taken(namespace, ("registry_name", "suffix")))


def gather_artifact_and_login(namespace: Namespace) -> None:
    """Replace the arguments of an artifact and of a sign-in by *namespace*.artifact and *namespace*.login."""
    namespace.login = LoginArgument(*_taken(namespace, OF_LOGIN))
    namespace.artifact = ArtifactArgument(*_taken(namespace, OF_ARTIFACT))


def gather_target(namespace: Namespace) -> None:
    """Replace the arguments of a copy's target by *namespace*.target."""
    reference, registry, *login = _taken(namespace, ("to", "to_name", *(f"to_{name}" for name in OF_LOGIN)))
    namespace.target = TargetArgument(reference, registry, LoginArgument(*login) if any(login) else None)


def _taken(namespace: Namespace, names: Sequence[str]) -> list[Any]:
    """Remove the arguments *names* from *namespace* and return their values."""
    values = [getattr(namespace, name) for name in names]
    for name in names:
        delattr(namespace, name)
    return values
