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
ENTRA = "login.microsoftonline.com"
ARM = "management.azure.com"
HOSTS = (SERVER, STORAGE, EVIL, OTHER_REGISTRY, f"{SERVER}.{EVIL}", ENTRA, ARM)
ADDRESSES = (METADATA, "127.0.0.1", "10.0.0.5", "::1")

REPOSITORY = "samples/artifact"
TAG = "1.0"
FRONT = f"{SERVER}/{REPOSITORY}"
REFERENCE = f"{FRONT}:{TAG}"

USER = "ci-token"
PASSWORD = "S3cret-of-the-user-0123456789"
SIGNATURE = "c2lnbmF0dXJlLW9mLXRoZS1hZGRyZXNz"
STATE = "U3RhdGUtb2YtdGhlLXVwbG9hZA-0123456789"
TENANT = "11111111-1111-1111-1111-111111111111"
SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
CLIENT_ID = "33333333-3333-3333-3333-333333333333"
CLIENT_SECRET = "secret-of-the-service-principal-0123456789"


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
ENTRA_TOKEN = token("entra", aud="https://containerregistry.azure.net", tid=TENANT)
ARM_TOKEN = token("arm", aud="https://management.core.windows.net/", tid=TENANT)
NETRC = ("netrc-secret-0123456789", "bmV0cmMtc2VjcmV0")
SECRETS = (
    PASSWORD,
    CLIENT_SECRET,
    ACCESS_TOKEN[:70],
    REFRESH_TOKEN[:70],
    "signature-of-",
    base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
    base64.b64encode(PASSWORD.encode()).decode()[:-4],
)
"""No output may contain these, and no host may receive them but their owner."""
OWN = {f"https://{ENTRA}": (CLIENT_SECRET, *NETRC), f"https://{ARM}": (ARM_TOKEN,)}
"""By origin, the secrets that it may receive. All others are for the registry. Entra gets netrc's entry by msal, which
uses requests as it comes; every command of Azure CLI sends it."""
SHOWN_NOWHERE = (SIGNATURE, STATE)
"""Secrets in URLs: their own host knows them, an output must not contain them."""
