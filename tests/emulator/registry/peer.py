"""A registry without a network, and a client that calls it request by request."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, unquote, urlencode, urlsplit

from acr_emulator.jwt import Signer
from acr_emulator.messages import Headers, Request
from acr_emulator.registry import RegistryService, StorageHost, Store
from acr_emulator.world import ACR_AUDIENCE, Registry, default_world
from tests.emulator.exchange import Received

SERVER = "myregistry.azurecr.io"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY_CONFIG = b"{}"
ALL = "pull,push,delete,metadata_read,metadata_write"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Cloud:
    """The services with a store in *folder*."""

    def __init__(self, folder: Path, signer: Signer) -> None:
        self.world = default_world()
        self.signer = signer
        self.folder = folder
        self.restart()

    def restart(self) -> None:
        self.store = Store(self.folder / "registry")
        self.service = RegistryService(self.world, self.signer, self.store)
        self.storage = StorageHost(self.world, self.store)

    def registry(self, name: str = "myregistry") -> Registry:
        found = self.world.registry(name)
        assert found is not None
        return found

    def send(
        self,
        method: str,
        url: str,
        body: bytes | BinaryIO = b"",
        headers: dict[str, str] | None = None,
        *,
        host: str = SERVER,
        chunked: bool = False,
        faults: frozenset[str] = frozenset(),
    ) -> Received:
        """Send a request to *url* (absolute, or a path on *host*), as the front would."""
        parts = urlsplit(url)
        host = parts.hostname or host
        stream = io.BytesIO(body) if isinstance(body, bytes) else body
        length = None if chunked else len(body) if isinstance(body, bytes) else None
        request = Request(
            method, "https", host, 443, unquote(parts.path), parts.query,
            Headers((headers or {}).items()), stream, length, faults=faults,
        )  # fmt: skip
        service = next(s for s in (self.service, self.storage) if s.owns(host, 443))
        return Received.of(service.handle(request))

    def entra(self, who: str = "pusher", audience: str = ACR_AUDIENCE, seconds: float = 600, **claims: object) -> str:
        """Return an Entra access token."""
        principal, now = self.world.principal(who), time.time()
        assert principal is not None
        facts = {"aud": audience, "tid": principal.tenant_id, "oid": principal.object_id, "nbf": now - 60}
        return self.signer.sign({**facts, "exp": now + seconds, **claims})

    def post(self, path: str, host: str = SERVER, **fields: str) -> Received:
        """Post a form."""
        return self.send("POST", path, urlencode({"service": host, **fields}).encode(), FORM, host=host)

    def exchange(self, token: str, host: str = SERVER, **fields: str) -> Received:
        return self.post("/oauth2/exchange", host, grant_type="access_token", access_token=token, **fields)

    def refresh_token(self, who: str = "pusher", host: str = SERVER) -> str:
        return str(self.exchange(self.entra(who), host).json["refresh_token"])

    def token(self, scope: str, who: str = "pusher", host: str = SERVER) -> str:
        """Return an access token for *scope*."""
        fields = {"grant_type": "refresh_token", "refresh_token": self.refresh_token(who, host), "scope": scope}
        return str(self.post("/oauth2/token", host, **fields).json["access_token"])

    def peer(self, repository: str = "a", who: str = "pusher", host: str = SERVER, actions: str = ALL) -> Peer:
        return Peer(self, repository, self.token(f"repository:{repository}:{actions}", who, host), host)


@dataclass
class Peer:
    """A client with a token for one repository."""

    cloud: Cloud
    repository: str
    token: str
    host: str = SERVER

    def __call__(self, method: str, url: str, body: bytes | BinaryIO = b"", **options: Any) -> Received:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.cloud.send(method, url, body, headers, host=self.host, **options)

    def v2(self, method: str, rest: str, body: bytes | BinaryIO = b"", **options: Any) -> Received:
        return self(method, f"/v2/{self.repository}/{rest}", body, **options)

    def acr(self, method: str, rest: str = "", body: bytes = b"", **options: Any) -> Received:
        return self(method, f"/acr/v1/{quote(self.repository, safe='')}{rest}", body, **options)

    def start(self, query: str = "") -> Received:
        return self.v2("POST", f"blobs/uploads/{query}")

    def blob(self, content: bytes) -> str:
        """Upload *content* and return its digest."""
        digest = sha256(content)
        response = self("PUT", f"{self.start().location}&digest={quote(digest)}", content)
        assert response.status == 201, response
        return digest

    def manifest(self, reference: str | None, value: dict[str, Any]) -> str:
        """Put the manifest *value* at *reference* (None: at its digest) and return its digest."""
        content = json.dumps(value).encode()
        response = self.put(reference or sha256(content), content, value["mediaType"])
        assert response.status == 201, response
        return sha256(content)

    def put(self, reference: str, content: bytes, media_type: str = OCI_MANIFEST) -> Received:
        return self.v2("PUT", f"manifests/{reference}", content, headers={"Content-Type": media_type})

    def get(self, reference: str, accept: str = OCI_MANIFEST, method: str = "GET") -> Received:
        return self.v2(method, f"manifests/{reference}", headers={"Accept": accept} if accept else {})

    def artifact(self, reference: str | None = "1", text: bytes = b"text", **members: Any) -> str:
        """Push one file as an artifact and return the manifest's digest."""
        return self.manifest(reference, {**image(self.blob(EMPTY_CONFIG), self.blob(text), len(text)), **members})


def image(config: str, layer: str, size: int) -> dict[str, Any]:
    """Return an artifact manifest with one layer."""
    empty = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2}
    file = {"mediaType": "text/plain", "digest": layer, "size": size}
    return {
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/x", "config": empty,
        "layers": [file],
    }  # fmt: skip


def descriptor(digest: str, size: int = 1, media_type: str = OCI_MANIFEST, **members: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size, **members}


def index(*children: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(children), **members}


def sha256(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def sha512(content: bytes) -> str:
    return "sha512:" + hashlib.sha512(content).hexdigest()


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def next_link(response: Received) -> str | None:
    """Return the target of the Link header, or None."""
    link = response.headers.get("Link")
    return link[1 : link.index(">")] if link else None
