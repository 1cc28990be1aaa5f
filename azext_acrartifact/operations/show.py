"""show: what an artifact is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..oci.manifest import Manifest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transport.authorization import METADATA_READ, PULL, Scope
from .versions import require_version


@dataclass(frozen=True)
class Shown:
    """A manifest with the registry's *properties* of the tag, or of the manifest when a digest was given."""

    reference: Reference
    manifest: Manifest
    properties: Mapping[str, Any]
    tags: Sequence[str]


def show(registry: Registry, reference: Reference) -> Shown:
    """Read the manifest, its properties and its tags. Raises `NotFoundError` when it does not exist."""
    version = require_version(reference)
    repository = reference.repository
    registry.authorizer.authorization(Scope.of(repository, PULL, METADATA_READ))
    manifest = registry.manifests.get(repository, version)
    if reference.digest is None and reference.tag is not None:
        properties = registry.metadata.tag(repository, reference.tag)
        tags = registry.metadata.tags_of(repository, manifest.digest)
    else:
        properties = registry.metadata.manifest(repository, manifest.digest)
        listed = properties.get("tags")
        tags = [tag for tag in listed if isinstance(tag, str)] if isinstance(listed, list) else []
    return Shown(reference, manifest, properties, tags)


def show_raw(registry: Registry, reference: Reference) -> bytes:
    """The manifest's own bytes."""
    return registry.manifests.get(reference.repository, require_version(reference)).raw
