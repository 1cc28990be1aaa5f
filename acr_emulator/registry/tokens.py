"""ACR's own tokens: the refresh token for an Entra token, and the access token for a scope.

https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md. Both are issued 15 minutes in the past, as recorded.
"""

from __future__ import annotations

import math
import time
import uuid
from typing import Any

from acr_emulator.jwt import Signer, TokenError
from acr_emulator.registry.access import Grant, TokenCaller
from acr_emulator.registry.roles import Anonymous, EntraIdentity, Identity, is_abac
from acr_emulator.world import ACR_AUDIENCE, ARM_AUDIENCES, Lifetimes, Principal, Registry, World

ISSUER = "Azure Container Registry"
BACK_DATED = 900
ANONYMOUS_LIFETIME = 300.0
"""Seconds; recorded anonymous tokens were valid for about five minutes."""


class TokenIssuer:
    """Issue and verify the tokens of every registry."""

    def __init__(self, world: World, signer: Signer) -> None:
        self._world = world
        self._signer = signer

    def exchange(self, registry: Registry, entra_token: str, tenant: str | None) -> str:
        """Return the refresh token for *entra_token*; raise TokenError if the registry does not accept that."""
        principal = self._principal(registry, self._signer.verify(entra_token), tenant)
        claims = _claims(registry, principal.object_id, "refresh_token", self._lifetimes.acr_refresh)
        claims["appid"] = principal.client_id
        claims["permissions"] = {"Actions": ["read", "write", "delete"], "NotActions": None}
        if is_abac(registry):
            claims["aad_identity"] = principal.object_id
        return self._signer.sign(claims)

    def access_token(self, registry: Registry, identity: Identity, grants: list[Grant]) -> str:
        """Return an access token with exactly *grants*."""
        lifetime = self._lifetimes.acr_access
        if isinstance(identity, Anonymous):
            lifetime = min(lifetime, ANONYMOUS_LIFETIME)
        claims = _claims(registry, identity.subject, "access_token", lifetime)
        claims["access"] = [grant.claim() for grant in grants]
        return self._signer.sign(claims)

    def refresh_identity(self, registry: Registry, token: str) -> Identity:
        """Return the owner of a refresh token; raise TokenError. A change of the permission mode invalidates tokens."""
        claims = self._own(registry, token, "refresh_token")
        if ("aad_identity" in claims) != is_abac(registry):
            raise TokenError("signature", "the registry's role assignment mode has changed")
        return EntraIdentity(self._enabled(claims["sub"]), registry)

    def caller(self, registry: Registry, token: str) -> TokenCaller:
        """Return the bearer of the access token *token*; raise TokenError."""
        claims = self._own(registry, token, "access_token")
        grants = [Grant.from_claim(entry) for entry in claims["access"]]
        return TokenCaller(grants, claims["sub"] == Anonymous().subject)

    @property
    def _lifetimes(self) -> Lifetimes:
        return self._world.lifetimes

    def _own(self, registry: Registry, token: str, kind: str) -> dict[str, Any]:
        claims = self._signer.verify(token)
        expected = (ISSUER, registry.login_server, kind)
        if (claims.get("iss"), claims.get("aud"), claims.get("grant_type")) != expected:
            raise TokenError("signature", f"not an ACR {kind} for {registry.login_server}")
        return claims

    def _principal(self, registry: Registry, claims: dict[str, Any], tenant: str | None) -> Principal:
        audiences = [ACR_AUDIENCE, *(ARM_AUDIENCES if registry.arm_audience_enabled else ())]
        if str(claims.get("aud", "")).rstrip("/") not in [audience.rstrip("/") for audience in audiences]:
            raise TokenError("signature", f"audience {claims.get('aud')} is not accepted by this registry")
        if claims.get("tid") != registry.tenant_id or tenant not in (None, "", registry.tenant_id):
            raise TokenError("signature", "the token is from another tenant than the registry's")
        return self._enabled(claims.get("oid", ""))

    def _enabled(self, object_id: str) -> Principal:
        principal = self._world.principal(object_id)
        if principal is None or not principal.enabled:
            raise TokenError("signature", "the principal does not exist or is disabled")
        return principal


def _claims(registry: Registry, subject: str, kind: str, lifetime: float) -> dict[str, Any]:
    now = time.time()
    return {
        "jti": str(uuid.uuid4()),
        "sub": subject,
        "nbf": int(now - BACK_DATED),
        "exp": math.ceil(now + lifetime),
        "iat": int(now - BACK_DATED),
        "iss": ISSUER,
        "aud": registry.login_server,
        "version": "1.0",
        "rid": uuid.uuid5(uuid.NAMESPACE_URL, registry.resource_id).hex,
        "grant_type": kind,
        "roles": [],
    }
