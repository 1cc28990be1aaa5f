"""What a request needs to be allowed, and who vouches for it.

`auth` implements `Authorizer`; `oci` asks it. Neither imports the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .messages import Response

PULL = "pull"
PUSH = "push"
DELETE = "delete"
METADATA_READ = "metadata_read"
METADATA_WRITE = "metadata_write"


@dataclass(frozen=True)
class Scope:
    """Actions on one repository, as in `repository:NAME:pull,push` of the distribution token specification
    (https://distribution.github.io/distribution/spec/auth/scope/)."""

    repository: str
    actions: frozenset[str]
    kind: str = "repository"
    source: str | None = None
    """A repository that must be readable by the same token, since blobs are mounted from it."""
    either: tuple[str, ...] = ()
    """Further actions, of which one is enough; which one depends on the registry. The first is the usual one."""

    @classmethod
    def of(cls, repository: str, *actions: str, either: tuple[str, ...] = ()) -> Scope:
        """A scope of *actions* on *repository*, and of one of *either*."""
        return cls(repository, frozenset(actions), either=either)

    @classmethod
    def of_untagging(cls, repository: str, *actions: str) -> Scope:
        """What it takes to remove a tag, and *actions*. With repository permissions a Writer may, who may not delete
        (https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-overview)."""
        return cls.of(repository, METADATA_READ, *actions, either=(DELETE, METADATA_WRITE))

    @property
    def wanted(self) -> frozenset[str]:
        """All actions that are asked for."""
        return self.actions.union(self.either)

    def __str__(self) -> str:
        own = f"{self.kind}:{self.repository}:{','.join(sorted(self.wanted))}"
        return f"{own} repository:{self.source}:{PULL}" if self.source else own


CATALOG = Scope("catalog", frozenset({"*"}), "registry")
"""The right to list a registry's repositories."""


class Authorizer(Protocol):
    """Gives Authorization header values for one registry. Safe to call from many threads."""

    def authorization(self, scope: Scope) -> str | None:
        """A value that grants *scope*, or None where the registry asks for none.

        Raises `SignInError` without a usable identity, `PermissionDeniedError` when the identity lacks one
        of the actions.
        """

    def prepare(self, scopes: Sequence[Scope]) -> None:
        """Get ready for *scopes* in as few requests as can be; what is not granted is said when it is used."""

    def renew(self, scope: Scope, refused: str | None, answer: Response) -> str | None:
        """A fresh value after the registry answered 401 to *refused*. Raises as `authorization` does."""
