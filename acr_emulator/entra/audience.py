"""Which audiences there are, and how a scope or a resource names one.

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
    """The resource that a token request asks for: v1's *resource*, or v2's *scope* without its last segment."""
    if resource:
        return resource
    wanted = [part for part in (scope or "").split() if part not in _PROTOCOL_SCOPES]
    return wanted[0].rpartition("/")[0] if wanted and "/" in wanted[0] else next(iter(wanted), None)


def is_known(audience: str, known: tuple[str, ...] = AUDIENCES) -> bool:
    """Whether tokens are issued for *audience*, with or without a slash at its end."""
    return audience.rstrip("/") in known
