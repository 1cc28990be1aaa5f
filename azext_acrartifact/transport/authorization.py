"""Scopes of requests, and the protocol of their authorization.

`auth` implements `Authorizer` and `oci` calls it. Neither imports the other.
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
LIST_TAGS = (PULL, METADATA_READ)
"""The actions for the list of a repository's tags, of which ACR requires the second, and other registries the first."""


@dataclass(frozen=True)
class Scope:
    """Actions on one repository, as in `repository:NAME:pull,push` of the distribution token specification
    (https://distribution.github.io/distribution/spec/auth/scope/)."""

    repository: str
    actions: frozenset[str]
    kind: str = "repository"
    source: str | None = None
    """A repository that the same token must allow to read, since blobs are mounted from it."""
    either: tuple[str, ...] = ()
    """Further actions, one of which is enough; it depends on the registry which one. The first is the usual one."""

    @classmethod
    def of(cls, repository: str, *actions: str, either: tuple[str, ...] = ()) -> Scope:
        """Return the scope of *actions*, and of one of *either*, on *repository*."""
        return cls(repository, frozenset(actions), either=either)

    @classmethod
    def of_untagging(cls, repository: str, *actions: str) -> Scope:
        """Return the scope of *actions* and of removing a tag, which a Writer of a repository may, who may not delete.

        https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-overview
        """
        return cls.of(repository, METADATA_READ, *actions, either=(DELETE, METADATA_WRITE))

    @property
    def wanted(self) -> frozenset[str]:
        """All actions to ask for."""
        return self.actions.union(self.either)

    def __str__(self) -> str:
        text = f"{self.kind}:{self.repository}:{','.join(sorted(self.wanted))}"
        return f"{text} repository:{self.source}:{PULL}" if self.source else text


CATALOG = Scope("catalog", frozenset({"*"}), "registry")
"""The right to list a registry's repositories."""


class Authorizer(Protocol):
    """Provides the Authorization headers for one registry. Safe to call from many threads."""

    def authorization(self, scope: Scope) -> str | None:
        """Return a header value that grants *scope*, or None if the registry needs none.

        Raises `SignInError` without a usable identity, and `PermissionDeniedError` if the identity may not do one of
        the actions.
        """

    def prepare(self, scopes: Sequence[Scope]) -> None:
        """Get tokens for *scopes* in as few requests as possible; one that is not granted raises when it is used."""

    def renew(self, scope: Scope, refused: str | None, response: Response) -> str | None:
        """Return a new value after *response*, a 401 to the value *refused*. Raises as `authorization` does."""
