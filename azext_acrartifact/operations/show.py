"""show: the manifest, the tags and the properties of an artifact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..oci.descriptor import Descriptor
from ..oci.manifest import Manifest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transport.authorization import METADATA_READ, PULL, Scope
from .artifact_reference import require_version
from .repository_inventory import names_of_tags, tags_in


@dataclass(frozen=True)
class Detail:
    """The part of the result that `--detail` adds: the registry's *properties* of the manifest, and its *referrers*."""

    properties: Mapping[str, Any]
    referrers: Sequence[Descriptor]


@dataclass(frozen=True)
class Shown:
    """A manifest with the registry's *properties* of the tag, or of the manifest when a digest was given."""

    reference: Reference
    manifest: Manifest
    properties: Mapping[str, Any]
    tags: Sequence[str]
    detail: Detail | None = None


def show(registry: Registry, reference: Reference, detailed: bool = False) -> Shown:
    """Read the manifest, its properties and its tags; if *detailed*, also list its referrers, a hundred per request.
    Raises `NotFoundError` if it does not exist."""
    version = require_version(reference)
    repository = reference.repository
    registry.authorizer.authorization(Scope.of(repository, PULL, METADATA_READ))
    manifest = registry.manifests.get(repository, version)
    by_tag = registry.metadata.tag(repository, reference.tag) if reference.tag and not reference.digest else None
    if by_tag is not None and not detailed:
        return Shown(reference, manifest, by_tag, names_of_tags(registry, repository, manifest.digest))
    properties = registry.metadata.manifest(repository, manifest.digest)
    found = Shown(reference, manifest, properties if by_tag is None else by_tag, tags_in(properties))
    if not detailed:
        return found
    return replace(found, detail=Detail(properties, list(registry.referrers.of(repository, manifest.digest))))


def show_raw(registry: Registry, reference: Reference) -> bytes:
    """Return the manifest byte for byte as the registry stores it, if they have its digest, and whatever they say."""
    return registry.manifests.stored(reference.repository, require_version(reference)).raw
