"""An image under construction (configuration, layers, history), and its final Docker v2 manifest.

https://github.com/moby/docker-image-spec/blob/main/spec.md,
https://distribution.github.io/distribution/spec/manifest-v2-2/
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from acr_emulator.tasks.layer import Layer
from acr_emulator.tasks.registry_client import RegistryClient

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Image:
    """A mutable image; *settings* is the `config` object of the image configuration."""

    architecture: str
    variant: str | None
    settings: dict[str, Any] = field(default_factory=lambda: {"Env": [DEFAULT_PATH]})
    layers: list[Layer] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)

    def record(self, created_by: str, layer: Layer | None = None) -> None:
        """Add an instruction to the history, with its layer if it has one."""
        entry: dict[str, Any] = {"created": _now(), "created_by": created_by}
        if layer is None:
            entry["empty_layer"] = True
        else:
            self.layers.append(layer)
        self.history.append(entry)

    def environment(self) -> dict[str, str]:
        """Return ENV as a mapping."""
        return {name: value for name, _, value in (item.partition("=") for item in self.settings["Env"])}

    def set_environment(self, name: str, value: str) -> None:
        """Add or replace a variable."""
        others = [item for item in self.settings["Env"] if item.partition("=")[0] != name]
        self.settings["Env"] = [*others, f"{name}={value}"]

    def configuration(self) -> bytes:
        """Return the image configuration."""
        value: dict[str, Any] = {
            "architecture": self.architecture,
            "config": self.settings,
            "created": _now(),
            "history": self.history,
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in self.layers]},
        }
        if self.variant:
            value["variant"] = self.variant
        return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True)
class FinishedImage:
    """The parts of a push: the configuration as a file, the layers, the manifest's bytes."""

    config: Path
    config_digest: str
    layers: tuple[Layer, ...]
    manifest: bytes

    @property
    def digest(self) -> str:
        """The manifest's digest."""
        return f"sha256:{hashlib.sha256(self.manifest).hexdigest()}"

    def push(self, client: RegistryClient, repository: str, tag: str) -> None:
        """Push the layers, the configuration and the manifest; raise `RegistryError`."""
        for layer in self.layers:
            client.push_blob(repository, layer.digest, layer.file)
        client.push_blob(repository, self.config_digest, self.config)
        client.push_manifest(repository, tag, MANIFEST_TYPE, self.manifest)


def finish(image: Image, folder: Path) -> FinishedImage:
    """Finish *image*: write its configuration into *folder* and make its manifest."""
    configuration = image.configuration()
    file = folder / "config.json"
    file.write_bytes(configuration)
    digest = f"sha256:{hashlib.sha256(configuration).hexdigest()}"
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {"mediaType": CONFIG_TYPE, "size": len(configuration), "digest": digest},
        "layers": [
            {"mediaType": layer.media_type, "size": layer.size, "digest": layer.digest} for layer in image.layers
        ],
    }
    return FinishedImage(file, digest, tuple(image.layers), json.dumps(manifest, indent=3).encode())


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
