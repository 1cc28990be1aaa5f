"""Entra's tokens. Claims: learn.microsoft.com/entra/identity-platform/access-token-claims-reference."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from acr_emulator.jwt import Signer, TokenError, encode
from acr_emulator.world import Principal, World

REFRESH_SECONDS = 90 * 86400
_REFRESH = "acr-emulator/entra-refresh-token"


class Issuer:
    """Make access, id and refresh tokens for principals."""

    def __init__(self, world: World, signer: Signer) -> None:
        self._world = world
        self._signer = signer

    def access_token(self, principal: Principal, audience: str) -> tuple[str, dict[str, Any]]:
        """Return an access token for *audience* and its claims; it is valid for `world.lifetimes.entra` seconds."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{principal.tenant_id}/",
            "iat": now,
            "nbf": now,
            "exp": int(time.time() + self._world.lifetimes.entra),
            "appid": principal.client_id,
            "appidacr": "1",
            "idp": f"https://sts.windows.net/{principal.tenant_id}/",
            "idtyp": "app",
            "oid": principal.object_id,
            "sub": principal.object_id,
            "tid": principal.tenant_id,
            "uti": uuid.uuid4().hex[:22],
            "ver": "1.0",
        }
        if principal.kind == "user":
            claims.update(
                idtyp="user", upn=principal.name, unique_name=principal.name, name=principal.name,
                scp="user_impersonation",
            )  # fmt: skip
        return self._signer.sign(claims), claims

    def managed_token(self, principal: Principal, resource: str) -> dict[str, str]:
        """Return an access token for *resource* as identity endpoints do, where all numbers are strings."""
        token, claims = self.access_token(principal, resource)
        times = {"expires_on": str(claims["exp"]), "not_before": str(claims["nbf"])}
        seconds = str(claims["exp"] - claims["iat"])
        return {"access_token": token, "expires_in": seconds, **times, "resource": resource, "token_type": "Bearer"}

    def refresh_token(self, principal: Principal, client_id: str) -> str:
        """Return a refresh token for *principal* and the public client *client_id*."""
        now = int(time.time())
        claims = {"aud": _REFRESH, "oid": principal.object_id, "client_id": client_id, "iat": now}
        return self._signer.sign({**claims, "exp": now + REFRESH_SECONDS})

    def redeem(self, refresh_token: str) -> Principal | None:
        """Return the principal of a refresh token, or None if the token is not valid."""
        try:
            claims = self._signer.verify(refresh_token)
        except TokenError:
            return None
        return self._world.principal(claims["oid"]) if claims.get("aud") == _REFRESH else None

    def id_token(self, principal: Principal, client_id: str) -> str:
        """Return an OpenID Connect id token (v2.0) for the public client *client_id*."""
        now = int(time.time())
        return self._signer.sign(
            {
                "aud": client_id,
                "iss": f"https://login.microsoftonline.com/{principal.tenant_id}/v2.0",
                "iat": now,
                "nbf": now,
                "exp": now + 3600,
                "name": principal.name,
                "oid": principal.object_id,
                "preferred_username": principal.name,
                "sub": principal.object_id,
                "tid": principal.tenant_id,
                "ver": "2.0",
            }
        )

    def external_token(self, subject: str, audience: str, lifetime: float) -> str:
        """Return a token for workload identity federation, as from another issuer (a pipeline, a cluster). With a
        negative *lifetime* it has expired."""
        expires = int(time.time() + lifetime)
        issued = min(int(time.time()), expires) - 1
        claims = {"iss": "https://token.actions.example", "sub": subject, "aud": audience, "jti": uuid.uuid4().hex}
        return self._signer.sign({**claims, "iat": issued, "nbf": issued, "exp": expires})


def client_info(principal: Principal) -> str:
    """Return the account's home ids, which MSAL requests with `client_info=1`."""
    value = {"uid": principal.object_id, "utid": principal.tenant_id}
    return encode(json.dumps(value).encode())
