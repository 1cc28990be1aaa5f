"""The caller of Resource Manager, by bearer token.

Error codes and texts are those of Resource Manager for a missing, foreign or expired token:
https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-invalid-authentication-token
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from acr_emulator.arm.errors import ArmError
from acr_emulator.jwt import Signer, TokenError, peek
from acr_emulator.messages import Headers
from acr_emulator.world import ARM_AUDIENCES

AUTHORITY = "https://login.microsoftonline.com"
ACCEPTED_AUDIENCES = frozenset(audience.rstrip("/") for audience in ARM_AUDIENCES)


@dataclass(frozen=True)
class Caller:
    """The identity in an accepted token. *client_id* is the application (`appid`)."""

    object_id: str
    client_id: str
    tenant_id: str
    claims: dict[str, Any]


def authenticate(signer: Signer, headers: Headers) -> Caller:
    """Return the caller that the Authorization header proves; raise `ArmError` 401."""
    scheme, _, token = (headers.get("Authorization") or "").partition(" ")
    if not token:
        raise _refused("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
    if scheme.lower() != "bearer":
        message = "Authentication failed. The 'Authorization' header is provided in an invalid format."
        raise _refused("AuthenticationFailed", message)
    claims = _claims(signer, token.strip())
    return Caller(str(claims.get("oid", "")), str(claims.get("appid", "")), str(claims.get("tid", "")), claims)


def wrong_tenant(caller: Caller, tenant_id: str) -> ArmError:
    """Return 401 for a valid token of another tenant than the subscription's."""
    return _refused(
        "InvalidAuthenticationTokenTenant",
        f"The access token is from the wrong issuer 'https://sts.windows.net/{caller.tenant_id}/'. It must match the "
        f"tenant 'https://sts.windows.net/{tenant_id}/' associated with this subscription. Please use the authority "
        f"(URL) '{AUTHORITY}/{tenant_id}' to get the token.",
        tenant_id,
    )


def _claims(signer: Signer, token: str) -> dict[str, Any]:
    try:
        claims = signer.verify(token)
    except TokenError as error:
        raise _token_error(error, token) from error
    if str(claims.get("aud", "")).rstrip("/") not in ACCEPTED_AUDIENCES:
        raise _refused(
            "InvalidAuthenticationTokenAudience",
            f"The access token has been obtained for wrong audience or resource '{claims.get('aud')}'. It should "
            f"exactly match with one of the allowed audiences '{','.join(sorted(ACCEPTED_AUDIENCES))}'.",
        )
    return claims


def _token_error(error: TokenError, token: str) -> ArmError:
    if error.reason != "expired":
        return _refused("InvalidAuthenticationToken", "The access token is invalid.")
    expired, now = _utc(float(peek(token)["exp"])), _utc(time.time())
    return _refused(
        "ExpiredAuthenticationToken",
        f"The access token expiry UTC time '{expired}' is earlier than current UTC time '{now}'.",
    )


def _refused(code: str, message: str, tenant_id: str = "common") -> ArmError:
    challenge = (
        f'Bearer authorization_uri="{AUTHORITY}/{tenant_id}", error="invalid_token", error_description="{message}"'
    )
    return ArmError(401, code, message, [("WWW-Authenticate", challenge)])


def _utc(seconds: float) -> str:
    return time.strftime("%m/%d/%Y %I:%M:%S %p", time.gmtime(seconds))
