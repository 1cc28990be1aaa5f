"""Claims of a registry's tokens. The signature is not checked, as only the registry relies on it."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ..transport.bounded_json import parse_json

EVERY_REPOSITORY = "*"
# Seconds before the end at which a token is renewed; a short-lived one is renewed after 80 % of its lifetime.
EARLY = 300.0
UNKNOWN_LIFETIME = 60.0


def claims_of(token: str) -> dict[str, Any]:
    """Return the token's claims, or none if it is not a JWT, as with some registries."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = parse_json(base64.urlsafe_b64decode(padded))
    except (binascii.Error, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def granted_actions(claims: dict[str, Any], repository: str, kind: str = "repository") -> frozenset[str]:
    """Return the actions that the claim `access` grants on *repository*, or on another *kind* of resource of that name.

    ACR has used both `Type/Name/Actions` and `type/name/actions`, and null for no actions.
    """
    actions: set[str] = set()
    for entry in _items(claims.get("access")):
        if not isinstance(entry, dict):
            continue
        lower = {str(key).lower(): value for key, value in entry.items()}
        if lower.get("type") == kind and lower.get("name") in (repository, EVERY_REPOSITORY):
            actions.update(str(action) for action in _items(lower.get("actions")))
    return frozenset(actions)


def lifetime(claims: dict[str, Any], now: float) -> float | None:
    """Return the seconds from *now* (Unix time) until the token expires, or None if it has no valid expiry.

    `exp - iat` is not the lifetime, because ACR sets `iat` 15 minutes into the past.
    """
    expires = claims.get("exp")
    try:
        return float(expires) - now if isinstance(expires, (int, float)) else None
    except OverflowError:
        return None


def renewal_delay(left: float | None) -> float:
    """Return the seconds after which to renew a token that expires in *left* seconds.

    This machine's clock may be wrong, so a token that looks expired is still used for a minute.
    """
    usable = left if left is not None and left > 0 else UNKNOWN_LIFETIME
    return max(usable - EARLY, usable * 0.8 if usable < 2 * EARLY else 0)


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
