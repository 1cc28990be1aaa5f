"""Known audiences, and the audience of a scope or a resource.

learn.microsoft.com/entra/identity-platform/scopes-oidc#trailing-slash-and-default
"""

from __future__ import annotations

from acr_emulator.world import ACR_AUDIENCE, ARM_AUDIENCES

GRAPH = "https://graph.microsoft.com"
VAULT = "https://vault.azure.net"
CLOUD_SHELL_AUDIENCES = tuple(audience.rstrip("/") for audience in (*ARM_AUDIENCES, GRAPH, VAULT))
AUDIENCES = (ACR_AUDIENCE, *CLOUD_SHELL_AUDIENCES)
_PROTOCOL_SCOPES = ("openid", "profile", "offline_access", "email")


def requested(scope: str | None, resource: str | None) -> str | None:
    """Return the requested resource: v1's *resource*, or v2's *scope* without what follows the last slash."""
    if resource:
        return resource
    wanted = [part for part in (scope or "").split() if part not in _PROTOCOL_SCOPES]
    return wanted[0].rpartition("/")[0] if wanted and "/" in wanted[0] else next(iter(wanted), None)


def is_known(audience: str, known: tuple[str, ...] = AUDIENCES) -> bool:
    """Return whether tokens are issued for *audience*, with or without a trailing slash."""
    return audience.rstrip("/") in known
