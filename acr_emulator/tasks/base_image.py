"""`FROM` an image of a local registry: its configuration and layers are the start of a build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from acr_emulator.tasks.context import INDEXES, ContextError, parse_reference
from acr_emulator.tasks.dockerfile import DockerfileError
from acr_emulator.tasks.image import DEFAULT_PATH, Image
from acr_emulator.tasks.layer import Layer
from acr_emulator.tasks.registry_client import RegistryClient, RegistryError


def split_name(name: str) -> tuple[str, str, str]:
    """Return (login server, repository, tag or digest) of an image name; the default tag is `latest`."""
    tagged = name if "@" in name or ":" in name.rpartition("/")[2] else f"{name}:latest"
    try:
        return parse_reference(f"oci://{tagged}")
    except ContextError as error:
        raise DockerfileError(f"failed to parse stage name {name}: invalid reference format") from error


class BasePull:
    """Pull base images for one *architecture* into *folder*."""

    def __init__(self, architecture: str, variant: str | None, folder: Path) -> None:
        self._architecture = architecture
        self._variant = variant
        self._folder = folder

    def pull(self, client: RegistryClient, repository: str, reference: str) -> Image:
        """Pull an image to build upon; raise `DockerfileError`."""
        try:
            media_type, content = client.manifest(repository, reference)
            if media_type in INDEXES:
                _, content = client.manifest(repository, self._choose(json.loads(content)))
            return self._image(client, repository, json.loads(content))
        except RegistryError as error:
            name = f"{client.login_server}/{repository}:{reference}"
            raise DockerfileError(f"Error response from daemon: manifest for {name} not found: {error}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise DockerfileError(f"{client.login_server}/{repository}:{reference} is no container image") from error

    def _choose(self, index: dict[str, Any]) -> str:
        for entry in index["manifests"]:
            platform = entry.get("platform") or {}
            if (platform.get("os"), platform.get("architecture")) == ("linux", self._architecture):
                return str(entry["digest"])
        raise DockerfileError(f"no matching manifest for linux/{self._architecture} in the manifest list entries")

    def _image(self, client: RegistryClient, repository: str, manifest: dict[str, Any]) -> Image:
        configuration = json.loads(self._blob(client, repository, manifest["config"]).read_bytes())
        layers = [
            Layer(self._blob(client, repository, item), item["digest"], diff_id, item["size"], item["mediaType"])
            for item, diff_id in zip(manifest["layers"], configuration["rootfs"]["diff_ids"], strict=True)
        ]
        settings = {"Env": [DEFAULT_PATH], **(configuration.get("config") or {})}
        return Image(self._architecture, self._variant, settings, layers, list(configuration.get("history") or []))

    def _blob(self, client: RegistryClient, repository: str, item: dict[str, Any]) -> Path:
        file = self._folder / f"base-{item['digest'].partition(':')[2]}"
        if not file.exists():
            client.fetch_blob(repository, item["digest"], item["size"], file)
        return file
