"""Read and write a registry without the code under test: plain requests with Basic credentials."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import requests

from acr_emulator.client import Emulator
from acr_emulator.world import default_world

SERVER = "myregistry.azurecr.io"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
ACCEPT = f"{MANIFEST}, application/vnd.oci.image.index.v1+json"
EMPTY = {
    "mediaType": "application/vnd.oci.empty.v1+json",
    "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "size": 2,
}


def digest_of(content: bytes) -> str:
    """Return the digest of *content*."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Origin:
    """A registry, `myregistry` unless another is named, as its owner sees it."""

    def __init__(self, emulator: Emulator, server: str = SERVER, owner_name: str = "pusher") -> None:
        self._server = server
        owner = default_world().principal(owner_name)
        assert owner is not None
        self.options: dict[str, Any] = {
            "auth": (owner.client_id, owner.secrets[0]),
            "proxies": {"https": emulator.proxy_url},
            "verify": str(emulator.ca_file),
            "timeout": 30,
        }

    def manifest(self, repository: str, version: str) -> bytes | None:
        """Return the bytes of a manifest; None if there is none."""
        response = self._send("GET", repository, f"manifests/{version}", headers={"Accept": ACCEPT})
        return None if response.status_code == 404 else response.content

    def referrers(self, repository: str, digest: str) -> list[str]:
        """Return the digests of the referrers of *digest*."""
        response = self._send("GET", repository, f"referrers/{digest}")
        assert response.status_code == 200
        return [item["digest"] for item in response.json()["manifests"]]

    def blob(self, repository: str, digest: str) -> bytes:
        """Return the bytes of a blob."""
        response = self._send("GET", repository, f"blobs/{digest}")
        assert response.status_code == 200
        return response.content

    def push_blob(self, repository: str, content: bytes) -> dict[str, Any]:
        """Store *content*; return its descriptor without a media type."""
        started = self._send("POST", repository, "blobs/uploads/")
        target = f"https://{self._server}{started.headers['Location']}&digest={digest_of(content)}"
        assert requests.put(target, data=content, **self.options).status_code == 201
        return {"digest": digest_of(content), "size": len(content)}

    def push_manifest(
        self, repository: str, manifest: Mapping[str, Any], tag: str = "", media_type: str = MANIFEST
    ) -> str:
        """Store *manifest* under *tag*, or by its digest alone; return its digest."""
        content = json.dumps(manifest).encode()
        version = tag or digest_of(content)
        response = self._send(
            "PUT", repository, f"manifests/{version}", data=content, headers={"Content-Type": media_type}
        )
        assert response.status_code == 201, response.text
        return digest_of(content)

    def attach(self, repository: str, subject: str, artifact_type: str) -> str:
        """Attach an artifact without files to the manifest *subject*; return its digest."""
        self.push_blob(repository, b"{}")
        content = self.manifest(repository, subject)
        assert content is not None
        target = {"mediaType": MANIFEST, "digest": subject, "size": len(content)}
        return self.push_manifest(repository, {**_plain([EMPTY]), "artifactType": artifact_type, "subject": target})

    def push_files(self, repository: str, files: Mapping[str, bytes], tag: str = "1.0") -> str:
        """Store an artifact whose layers have the titles and contents of *files*; return its digest."""
        self.push_blob(repository, b"{}")
        layers = [
            {**self.push_blob(repository, content), "mediaType": "application/octet-stream",
             "annotations": {"org.opencontainers.image.title": title}}
            for title, content in files.items()
        ]  # fmt: skip
        return self.push_manifest(repository, {**_plain(layers), "artifactType": "application/vnd.test"}, tag)

    def _send(self, method: str, repository: str, path: str, **options: Any) -> requests.Response:
        return requests.request(method, f"https://{self._server}/v2/{repository}/{path}", **self.options, **options)


def _plain(layers: list[dict[str, Any]]) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": MANIFEST, "config": EMPTY, "layers": layers}
