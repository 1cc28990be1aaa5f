"""Who is who on the stage, and the secrets that must not leave their owner."""

from __future__ import annotations

import base64
import json

SERVER = "myregistry.azurecr.io"
"""The registry that the user names: hostile, or in a hostile's hands."""
STORAGE = "myregistrystore.blob.core.windows.net"
"""Where it keeps blobs; any public host may be that."""
EVIL = "evil.example"
"""Somebody else's, on a public name."""
OTHER_REGISTRY = "otherregistry.azurecr.io"
METADATA = "169.254.169.254"
"""The address at which clouds hand out their machines' identities."""
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
    """A token as the registry gives it: nobody here checks its signature, and the judge knows it again."""
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
"""What nobody but the registry may see, and what may stand in no output."""
SHOWN_NOWHERE = (SIGNATURE, STATE)
"""What in addresses opens a door: their own host knows it, an output must not."""
