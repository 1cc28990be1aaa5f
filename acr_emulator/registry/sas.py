"""The hosts of a registry's blobs, and the signed links to them.

https://learn.microsoft.com/rest/api/storageservices/create-service-sas (its parameters, with our own signature),
https://learn.microsoft.com/azure/container-registry/container-registry-dedicated-data-endpoints
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
import uuid
from urllib.parse import urlencode

from acr_emulator.world import Registry

VERSION = "2016-05-31"
_PATH = re.compile(
    r"/[0-9a-f]{32}-[0-9a-f]{10}//docker/registry/v2/blobs/(sha256|sha512)/([0-9a-f]{2})/([0-9a-f]+)/data"
)


def blob_host(registry: Registry) -> str:
    """Return the host that serves the registry's blobs."""
    return data_host(registry) if registry.data_endpoint_enabled else storage_host(registry)


def storage_host(registry: Registry) -> str:
    """Return the host of the registry's storage account."""
    return f"{registry.name}store.blob.core.windows.net"


def data_host(registry: Registry) -> str:
    """Return the registry's dedicated data endpoint, with the hash of the login server if there is one."""
    return f"{registry.login_server.partition('.')[0]}.{registry.location}.data.azurecr.io"


def signed_url(key: bytes, registry: Registry, digest: str, lifetime: float) -> str:
    """Return a link to the content of *digest* that is valid for *lifetime* seconds."""
    rid = uuid.uuid5(uuid.NAMESPACE_URL, registry.resource_id)
    algorithm, _, value = digest.partition(":")
    path = f"/{rid.hex}-{rid.hex[:10]}//docker/registry/v2/blobs/{algorithm}/{value[:2]}/{value}/data"
    expiry = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + lifetime))
    fields = {"se": expiry, "sp": "r", "spr": "https", "sr": "b", "sv": VERSION}
    host = blob_host(registry)
    query = urlencode(sorted({**fields, "sig": _sign(key, host, path, fields)}.items()))
    return f"https://{host}{path}?{query}&regid={rid.hex}"


def digest_in(path: str) -> str | None:
    """Return the digest of the content at *path* of a storage host, or None."""
    match = _PATH.fullmatch(path)
    return f"{match[1]}:{match[3]}" if match and match[3].startswith(match[2]) else None


def is_valid(key: bytes, host: str, path: str, params: dict[str, str]) -> bool:
    """Return whether *params* contain a valid signature of this URL that has not expired."""
    fields = {name: params.get(name, "") for name in ("se", "sp", "spr", "sr", "sv")}
    signed = hmac.compare_digest(_sign(key, host, path, fields).encode(), params.get("sig", "").encode())
    return signed and fields["se"] > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _sign(key: bytes, host: str, path: str, fields: dict[str, str]) -> str:
    text = "\n".join([host, path, *(fields[name] for name in sorted(fields))])
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
