"""The hosts of the tests, and the secrets that must not leave their owner."""

from __future__ import annotations

import base64
import json

SERVER = "myregistry.azurecr.io"
"""The registry that the user names: hostile, or taken over."""
STORAGE = "myregistrystore.blob.core.windows.net"
"""Its blob storage, which may be any public host."""
EVIL = "evil.example"
"""An attacker's host with a public name."""
OTHER_REGISTRY = "otherregistry.azurecr.io"
METADATA = "169.254.169.254"
"""The address at which clouds issue tokens for their machines' identities."""
HOSTS = (SERVER, STORAGE, EVIL, OTHER_REGISTRY, f"{SERVER}.{EVIL}")
ADDRESSES = (METADATA, "127.0.0.1", "10.0.0.5", "::1")

REPOSITORY = "samples/artifact"
TAG = "1.0"
FRONT = f"{SERVER}/{REPOSITORY}"
REFERENCE = f"{FRONT}:{TAG}"

USER = "ci-token"
PASSWORD = "S3cret-of-the-user-0123456789"
SIGNATURE = "c2lnbmF0dXJlLW9mLXRoZS1hZGRyZXNz"
STATE = "U3RhdGUtb2YtdGhlLXVwbG9hZA-0123456789"


def token(kind: str, **claims: object) -> str:
    """Return a token as the registry issues it: nothing here checks its signature, and the judge recognizes it."""
    parts = [{"alg": "RS256", "typ": "JWT"}, {"jti": kind, "iss": "Azure Container Registry", **claims}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, f"signature-of-{kind}-0123456789abcdef"])


_ALL = ["pull", "push", "delete", "metadata_read", "metadata_write"]
ACCESS_TOKEN = token(
    "access",
    access=[
        {"type": "repository", "name": "*", "actions": _ALL},
        {"type": "registry", "name": "catalog", "actions": ["*"]},
    ],
)
REFRESH_TOKEN = token("refresh", grant_type="refresh_token")
SECRETS = (
    PASSWORD,
    ACCESS_TOKEN[:70],
    REFRESH_TOKEN[:70],
    "signature-of-",
    base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
    base64.b64encode(PASSWORD.encode()).decode()[:-4],
)
"""Only the registry may receive these, and no output may contain them."""
SHOWN_NOWHERE = (SIGNATURE, STATE)
"""Secrets in URLs: their own host knows them, an output must not contain them."""
