"""Requested scopes, and the `access` that a token grants.

https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md, distribution's token scope documentation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from acr_emulator.registry.roles import ANY_REPOSITORY, Anonymous, Identity, is_abac
from acr_emulator.world import Registry


@dataclass(frozen=True)
class Grant:
    """*actions* on the resource *name* of type *kind* (`repository` or `registry`)."""

    kind: str
    name: str
    actions: tuple[str, ...]

    def covers(self, kind: str, name: str, action: str) -> bool:
        """Return whether this allows *action* on that resource; the name `*` means every repository."""
        right_name = self.name == name or self.name == ANY_REPOSITORY
        return self.kind == kind and right_name and (action in self.actions or "*" in self.actions)

    def claim(self) -> dict[str, Any]:
        """Return the entry of the `access` claim."""
        return {"type": self.kind, "name": self.name, "actions": list(self.actions)}

    @classmethod
    def from_claim(cls, entry: dict[str, Any]) -> Grant:
        """Read a grant that `claim` wrote."""
        return cls(entry["type"], entry["name"], tuple(entry["actions"]))


class Caller(Protocol):
    """The sender of a data-plane request."""

    @property
    def anonymous(self) -> bool:
        """Whether it has no identity."""

    def permits(self, kind: str, name: str, action: str) -> bool:
        """Return whether the caller may do *action*."""


@dataclass(frozen=True)
class TokenCaller:
    """The bearer of an access token: it may do what the token's `access` says, even if its roles have changed."""

    grants: list[Grant]
    anonymous: bool

    def permits(self, kind: str, name: str, action: str) -> bool:
        """Return whether a grant covers the action."""
        return any(grant.covers(kind, name, action) for grant in self.grants)


@dataclass(frozen=True)
class IdentityCaller:
    """A caller with Basic credentials: it may do what its identity may do now."""

    identity: Identity
    anonymous: bool = False

    def permits(self, kind: str, name: str, action: str) -> bool:
        """Return whether the identity may do the action."""
        if kind == "registry":
            return self.identity.may_list
        return action in self.identity.actions(name)


def parse_scopes(values: Iterable[str]) -> list[Grant]:
    """Parse requested scopes, one or more in each value; ignore malformed ones, as the service does."""
    wanted = []
    for text in " ".join(values).split():
        kind, _, rest = text.partition(":")
        name, _, actions = rest.rpartition(":")
        if kind and name and actions:
            wanted.append(Grant(kind, name, tuple(actions.split(","))))
    return wanted


def granted(registry: Registry, identity: Identity, wanted: Iterable[Grant]) -> list[Grant]:
    """Return the part of *wanted* that the identity may have. The rest is left out silently: no scope is an error."""
    if isinstance(identity, Anonymous):
        return [Grant("repository", ANY_REPOSITORY, ("pull",))]
    grants = [_grant(registry, identity, grant) for grant in wanted]
    return [grant for grant in grants if grant.actions]


def _grant(registry: Registry, identity: Identity, wanted: Grant) -> Grant:
    if wanted.kind == "registry":
        listed = wanted.name == "catalog" and identity.may_list
        return Grant("registry", wanted.name, ("*",) if listed else ())
    if wanted.kind != "repository" or (wanted.name == ANY_REPOSITORY and is_abac(registry)):
        return Grant(wanted.kind, wanted.name, ())
    allowed = identity.actions(wanted.name)
    actions = sorted(allowed) if "*" in wanted.actions else [action for action in wanted.actions if action in allowed]
    return Grant("repository", wanted.name, tuple(actions))
