"""Missing permissions in words, and what an identity must ask for: a role, or an action in its scope map.

A registry has one of two sets of roles. Those of the one have no effect in the other:
https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import Enum
from typing import Any

from ..errors import PermissionDeniedError
from ..transport.authorization import DELETE, METADATA_READ, METADATA_WRITE, PULL, PUSH

CATALOG = "*"
UNTAG = "untag"
"""The right to remove a tag, which is no action of a scope: it depends on the registry which one is needed."""
WORDS = {
    PULL: "pull",
    PUSH: "push",
    DELETE: "delete manifests",
    METADATA_READ: "list tags",
    METADATA_WRITE: "change locks",
    UNTAG: "remove tags",
    CATALOG: "list repositories",
}
"""Each action as a sentence has it."""
_READER, _WRITER = "Container Registry Repository Reader", "Container Registry Repository Writer"
_CONTRIBUTOR = "Container Registry Repository Contributor"
_OF_REGISTRY = {
    PULL: "AcrPull",
    PUSH: "AcrPush",
    DELETE: "AcrDelete",
    METADATA_READ: "AcrPull",
    METADATA_WRITE: "AcrPush",
    UNTAG: "AcrDelete",
    CATALOG: "AcrPull",
}
_OF_REPOSITORIES = {
    PULL: _READER,
    PUSH: _WRITER,
    DELETE: _CONTRIBUTOR,
    METADATA_READ: _READER,
    METADATA_WRITE: _WRITER,
    UNTAG: _WRITER,
    CATALOG: "Container Registry Repository Catalog Lister",
}
_INCLUDED = {"AcrPull": {"AcrPush"}, _READER: {_WRITER, _CONTRIBUTOR}, _WRITER: {_CONTRIBUTOR}}
"""The roles that allow all that a role does."""
_SCOPE_MAP = {
    PULL: "content/read",
    PUSH: "content/write",
    DELETE: "content/delete",
    METADATA_READ: "metadata/read",
    METADATA_WRITE: "metadata/write",
    UNTAG: "content/delete",
}
"""The action in a token's scope map
(https://learn.microsoft.com/azure/container-registry/container-registry-token-based-repository-permissions)."""
_CLIENT_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Granting(Enum):
    """How an identity gets its rights at a registry."""

    REGISTRY_ROLES = "roles of the registry"
    REPOSITORY_ROLES = "roles of its repositories"
    EITHER_ROLES = "roles of an unknown kind"
    SCOPE_MAP = "a scope map"
    NOTHING = "nothing, since it is anonymous"


def granting_of(refresh_claims: dict[str, Any]) -> Granting:
    """Return how a Microsoft Entra ID identity gets its rights, by the claims of the registry's refresh token: those of
    a registry with repository permissions name the identity (https://github.com/Azure/acr-cli, `hasAadIdentityClaim`).
    """
    if not refresh_claims:
        return Granting.EITHER_ROLES
    return Granting.REPOSITORY_ROLES if "aad_identity" in refresh_claims else Granting.REGISTRY_ROLES


def granting_of_user(username: str) -> Granting:
    """Return how a user with a password gets its rights. A service principal signs in with its client id. Any other is
    a token with a scope map, or the admin user, who may do everything."""
    return Granting.EITHER_ROLES if _CLIENT_ID.fullmatch(username) else Granting.SCOPE_MAP


def needed_for(actions: Collection[str], granting: Granting) -> str:
    """Return the role or the actions of a scope map that allow *actions*; empty if there are none."""
    if granting is Granting.NOTHING:
        return ""
    if granting is Granting.SCOPE_MAP:
        return " and ".join(_SCOPE_MAP[action] for action in WORDS if action in actions and action in _SCOPE_MAP)
    of_registry, of_repositories = _roles(actions, _OF_REGISTRY), _roles(actions, _OF_REPOSITORIES)
    if granting is Granting.EITHER_ROLES:
        return f"{of_registry}, or {of_repositories} in a registry with repository permissions"
    return of_registry if granting is Granting.REGISTRY_ROLES else of_repositories


def denied(
    actions: Collection[str], granting: Granting, name: str, where: str, correlation_id: str = ""
) -> PermissionDeniedError:
    """Return the error for the identity *name* that may not do *actions* at *where*."""
    words = " or ".join(word for action, word in WORDS.items() if action in actions)
    return PermissionDeniedError(
        "No permission",
        where=where,
        why=f"{name} may not {words} here",
        hint=_hint(actions, granting),
        status=401,
        code="insufficient_scope",
        correlation_id=correlation_id,
    )


def _hint(actions: Collection[str], granting: Granting) -> str:
    needed = needed_for(actions, granting)
    if granting is Granting.NOTHING:
        return "Sign in: az login"
    if granting is not Granting.SCOPE_MAP:
        return f"Ask the registry's owner for the role {needed}. A new role works after up to 10 minutes."
    if not needed:
        return "A token with a scope map cannot do that. Sign in: az login"
    return f"Ask the registry's owner to add {needed} to the scope map of the token."


def _roles(actions: Collection[str], roles: dict[str, str]) -> str:
    wanted = list(dict.fromkeys(roles[action] for action in WORDS if action in actions))
    return " and ".join(role for role in wanted if not _INCLUDED.get(role, set()) & set(wanted))
