"""The local Azure in this process, without sockets, with calls to Resource Manager and the registries."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from acr_emulator.app import App
from acr_emulator.messages import Headers, Request
from acr_emulator.tasks.registry_client import Credential, RegistryClient
from acr_emulator.world import ACR_AUDIENCE, ARM_AUDIENCE, SUBSCRIPTION, Registry, default_world
from tests.emulator.exchange import Received
from tests.functional.origin import digest_of as digest

VERSION = "2023-01-01-preview"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/local/providers/Microsoft.ContainerRegistry/registries"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
TITLE = "org.opencontainers.image.title"
WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class Layer:
    """A layer to push: its file name (None: unnamed) and more annotations."""

    title: str | None
    content: bytes
    annotations: tuple[tuple[str, str], ...] = ()
    media_type: str = "application/vnd.oci.image.layer.v1.tar"

    def descriptor(self) -> dict[str, Any]:
        """Return the layer's descriptor."""
        annotations = {**({TITLE: self.title} if self.title else {}), **dict(self.annotations)}
        size, named = len(self.content), {"annotations": annotations} if annotations else {}
        return {"mediaType": self.media_type, "digest": digest(self.content), "size": size, **named}


class LocalAzure:
    """The whole emulator with its state in a folder, and methods to call it."""

    def __init__(self, state: Path) -> None:
        self.world = default_world()
        self.app = App(self.world, state)
        self._scratch = state / "scratch"
        self._scratch.mkdir()

    def scratch_file(self) -> Path:
        """Return the path of a file that any test may overwrite."""
        return self._scratch / "scratch"

    def registry(self, name: str = "myregistry") -> Registry:
        """Return the registry with this name."""
        found = self.world.registry(name)
        assert found is not None
        return found

    def token(self, who: str, audience: str = ARM_AUDIENCE, **claims: Any) -> str:
        """Return an Entra access token of the principal *who*."""
        principal = self.world.principal(who)
        assert principal is not None
        now = int(time.time())
        given = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{principal.tenant_id}/",
            "tid": principal.tenant_id,
            "oid": principal.object_id,
            "appid": principal.client_id,
            "iat": now,
            "nbf": now,
            "exp": now + 600,
        }
        return self.app.signer.sign({**given, **claims})

    def send(self, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Received:
        """Send a request to the service that owns the URL's host."""
        parts = urlsplit(url)
        fields = Headers([("Host", parts.hostname or ""), *(headers or {}).items()])
        request = Request(
            method, "https", parts.hostname or "", parts.port or 443, parts.path, parts.query, fields, io.BytesIO(body),
            len(body),
        )  # fmt: skip
        return Received.of(self.app.dispatch(request))

    def arm(self, method: str, path: str, body: Any = None, who: str = "pusher", token: str | None = None) -> Received:
        """Send a Resource Manager request; *path* may have a query."""
        joint = "&" if "?" in path else "?"
        url = f"https://management.azure.com{path}{joint}api-version={VERSION}"
        payload = b"" if body is None else json.dumps(body).encode()
        return self.send(method, url, payload, {"Authorization": f"Bearer {token or self.token(who)}"})

    def poll(self, response: Received, who: str = "pusher") -> Received:
        """Follow a 202's Location until the operation ends."""
        url, deadline = response.location, time.monotonic() + WAIT_SECONDS
        while response.status == 202 and time.monotonic() < deadline:
            time.sleep(0.01)
            response = self.send("GET", url, headers={"Authorization": f"Bearer {self.token(who)}"})
        return response

    def client(self, registry: str = "myregistry", who: str = "pusher") -> RegistryClient:
        """Return a data-plane client."""
        credential = Credential("token", "", self.token(who, ACR_AUDIENCE))
        return RegistryClient(self.app.dispatch, self.registry(registry).login_server, credential, "test")

    def push(
        self, repository: str, tag: str, layers: list[Layer], config: bytes = b"{}", registry: str = "myregistry",
        **manifest: Any,
    ) -> str:  # fmt: skip
        """Push an artifact and return its digest."""
        client = self.client(registry)
        for content in {layer.content for layer in layers} | {config}:
            file = self._scratch / digest(content)
            file.write_bytes(content)
            client.push_blob(repository, digest(content), file)
        value = {
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest(config), "size": len(config)},
            "layers": [layer.descriptor() for layer in layers], **manifest,
        }  # fmt: skip
        content = json.dumps(value).encode()
        client.push_manifest(repository, tag, MANIFEST, content)
        return digest(content)


def folder_layer(title: str, files: dict[str, bytes], wrong_digest: bool = False) -> Layer:
    """Pack *files* as oras packs a folder."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, content in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    unpacked = digest(b"other" if wrong_digest else plain.getvalue())
    annotations = (("io.deis.oras.content.digest", unpacked), ("io.deis.oras.content.unpack", "true"))
    kind = "application/vnd.oci.image.layer.v1.tar+gzip"
    return Layer(title, gzip.compress(plain.getvalue(), mtime=0), annotations, kind)
