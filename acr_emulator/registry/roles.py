"""Permissions: built-in roles in both permission modes, scope maps, admin and anonymous pull.

https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-overview
https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions
https://learn.microsoft.com/azure/container-registry/container-registry-token-based-repository-permissions
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from acr_emulator.world import Principal, Registry, RoleAssignment, ScopeMapToken

READ = frozenset({"pull", "metadata_read"})
WRITE = READ | {"push", "metadata_write"}
ALL = WRITE | {"delete", "deleted_read", "deleted_restore"}
NONE: frozenset[str] = frozenset()
ANY_REPOSITORY = "*"
"""The repository name of a wildcard scope."""

_LEGACY = {
    "Owner": ALL,
    "Contributor": ALL,
    "Reader": READ,
    "AcrPull": READ,
    "AcrPush": WRITE,
    "AcrDelete": frozenset({"delete"}),
    "Container Registry Data Importer and Data Reader": READ,
}
_ABAC = {
    "Container Registry Repository Reader": READ,
    "Container Registry Repository Writer": WRITE,
    "Container Registry Repository Contributor": WRITE | {"delete"},
}
_ABAC_LISTER = "Container Registry Repository Catalog Lister"
_SCOPE_MAP = {
    "content/read": "pull",
    "content/write": "push",
    "content/delete": "delete",
    "metadata/read": "metadata_read",
    "metadata/write": "metadata_write",
}


class Identity(Protocol):
    """An identity that a registry knows."""

    @property
    def subject(self) -> str:
        """The `sub` of its tokens."""

    @property
    def may_list(self) -> bool:
        """Whether the identity may list the catalog."""

    def actions(self, repository: str, /) -> frozenset[str]:
        """Return the identity's actions on *repository* (or on `ANY_REPOSITORY`)."""


@dataclass(frozen=True)
class Admin:
    """The admin user, with all actions in either mode."""

    subject: str
    may_list: bool = True

    def actions(self, _repository: str, /) -> frozenset[str]:
        """Return all actions."""
        return ALL


@dataclass(frozen=True)
class EntraIdentity:
    """A user, service principal or managed identity, with its role assignments."""

    principal: Principal
    registry: Registry

    @property
    def subject(self) -> str:
        """The object id."""
        return self.principal.object_id

    @property
    def may_list(self) -> bool:
        """Whether a role lists the catalog: in legacy mode every role that reads, in ABAC mode only the lister."""
        if is_abac(self.registry):
            return any(assignment.role == _ABAC_LISTER for assignment in self._assignments())
        return "metadata_read" in self.actions(ANY_REPOSITORY)

    def actions(self, repository: str, /) -> frozenset[str]:
        """Return the actions of all role assignments that apply in the registry's mode."""
        abac = is_abac(self.registry)
        assigned = [a for a in self._assignments() if not abac or _covers(a, repository)]
        return NONE.union(*((_ABAC if abac else _LEGACY).get(assignment.role, NONE) for assignment in assigned))

    def _assignments(self) -> list[RoleAssignment]:
        return [a for a in self.registry.roles if a.object_id == self.principal.object_id]


@dataclass(frozen=True)
class MapTokenIdentity:
    """A repository token with its scope map; it cannot list the catalog."""

    token: ScopeMapToken
    may_list: bool = False

    @property
    def subject(self) -> str:
        """The token's name."""
        return self.token.name

    def actions(self, repository: str, /) -> frozenset[str]:
        """Return the scope map's actions on *repository*."""
        pairs = [action.rsplit("/", 2) for action in self.token.actions]
        return frozenset(_SCOPE_MAP[f"{kind}/{verb}"] for name, kind, verb in pairs if matches(name, repository))


@dataclass(frozen=True)
class Anonymous:
    """The anonymous identity: it pulls from every repository if the registry allows it."""

    subject: str = "acr_anon_pull"
    may_list: bool = False

    def actions(self, _repository: str, /) -> frozenset[str]:
        """Return `pull` only."""
        return frozenset({"pull"})


def is_abac(registry: Registry) -> bool:
    """Return whether the registry is in ABAC mode, where only the repository roles apply."""
    return registry.role_assignment_mode == "AbacRepositoryPermissions"


def _covers(assignment: RoleAssignment, repository: str) -> bool:
    # The roles' documented conditions are StringEqualsIgnoreCase and StringStartsWithIgnoreCase.
    patterns = [pattern.lower() for pattern in assignment.repositories]
    return not patterns or any(_starts(pattern, repository.lower()) for pattern in patterns)


def _starts(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def matches(pattern: str, name: str) -> bool:
    """Return whether the repository *name* fits *pattern*: a name, `*` or `prefix/*`, as in scope maps."""
    if pattern == "*" or pattern.endswith("/*"):
        return name.startswith(pattern[:-1])
    return name == pattern
