"""Scopes that are asked for, and the `access` that a token grants.

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
        """Whether this allows *action* on that resource; the name `*` stands for every repository."""
        right_name = self.name == name or self.name == ANY_REPOSITORY
        return self.kind == kind and right_name and (action in self.actions or "*" in self.actions)

    def claim(self) -> dict[str, Any]:
        """The entry of the `access` claim."""
        return {"type": self.kind, "name": self.name, "actions": list(self.actions)}

    @classmethod
    def from_claim(cls, entry: dict[str, Any]) -> Grant:
        """The grant that `claim` wrote."""
        return cls(entry["type"], entry["name"], tuple(entry["actions"]))


class Caller(Protocol):
    """Whoever sent a data-plane request."""

    @property
    def anonymous(self) -> bool:
        """Whether it pulls without an identity."""

    def permits(self, kind: str, name: str, action: str) -> bool:
        """Whether it may do *action*."""


@dataclass(frozen=True)
class TokenCaller:
    """The bearer of an access token: exactly what the token's `access` says, whatever the roles are by now."""

    grants: list[Grant]
    anonymous: bool

    def permits(self, kind: str, name: str, action: str) -> bool:
        """Whether a grant covers it."""
        return any(grant.covers(kind, name, action) for grant in self.grants)


@dataclass(frozen=True)
class IdentityCaller:
    """Someone with Basic credentials: what the identity may do now."""

    identity: Identity
    anonymous: bool = False

    def permits(self, kind: str, name: str, action: str) -> bool:
        """Whether the identity holds it."""
        if kind == "registry":
            return self.identity.may_list
        return action in self.identity.actions(name)


def parse_scopes(values: Iterable[str]) -> list[Grant]:
    """Scopes as asked for, each value holding one or several; what is no scope is left out, as the service does."""
    wanted = []
    for text in " ".join(values).split():
        kind, _, rest = text.partition(":")
        name, _, actions = rest.rpartition(":")
        if kind and name and actions:
            wanted.append(Grant(kind, name, tuple(actions.split(","))))
    return wanted


def granted(registry: Registry, identity: Identity, wanted: Iterable[Grant]) -> list[Grant]:
    """What of *wanted* the identity may have. Nothing is refused: the rest is left out without a word."""
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
    held = identity.actions(wanted.name)
    actions = sorted(held) if "*" in wanted.actions else [action for action in wanted.actions if action in held]
    return Grant("repository", wanted.name, tuple(actions))
