"""What a registry's access token says of itself. Its signature is the registry's affair and is not checked."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ..transport.bounded_json import parse_json

EVERY_REPOSITORY = "*"
# Renewed this long before the end, or after four fifths of a short life.
EARLY = 300.0
UNKNOWN_LIFETIME = 60.0


def claims_of(token: str) -> dict[str, Any]:
    """The token's claims; empty for a token that is no JWT, since not every registry's is."""
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
    """The actions that `access` grants on *repository*, or on what else of another *kind* has that name.

    ACR has written both `Type/Name/Actions` and `type/name/actions`, and null for none.
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
    """Seconds that the token is still good for at *now* (Unix time); None when it does not say.

    `exp - iat` is no lifetime: ACR dates `iat` back by 15 minutes.
    """
    expires = claims.get("exp")
    try:
        return float(expires) - now if isinstance(expires, (int, float)) else None
    except OverflowError:
        return None


def renewal_delay(left: float | None) -> float:
    """Seconds after which a token that is good for *left* seconds is renewed.

    A clock that is wrong must not make a good token useless: what looks expired is used for a minute.
    """
    sure = left if left is not None and left > 0 else UNKNOWN_LIFETIME
    return max(sure - EARLY, sure * 0.8 if sure < 2 * EARLY else 0)


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
