"""show: the manifest, the tags and the properties of an artifact."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidManifestError
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.manifest import Manifest, blobs_of
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transfer.concurrency import Concurrency
from ..transport.authorization import METADATA_READ, PULL, Scope
from .artifact_reference import require_version
from .parallel import run_all
from .repository_inventory import tags_in

IN_FLIGHT = 4
MOST_CHILDREN = 100
"""Artifacts of an index that are read for its size."""


@dataclass(frozen=True)
class Shown:
    """A manifest with the registry's *properties* of the tag, or of the manifest when a digest was given, and
    *of_manifest*, those of the manifest in any case. *size* is in bytes of all blobs, for an index of all that it
    lists. *referrers* are None unless they were asked for."""

    reference: Reference
    manifest: Manifest
    properties: Mapping[str, Any]
    of_manifest: Mapping[str, Any]
    size: int
    referrers: Sequence[Descriptor] | None = None

    @property
    def tags(self) -> Sequence[str]:
        """All tags of the manifest."""
        return tags_in(self.of_manifest)


def show(registry: Registry, reference: Reference, detailed: bool = False) -> Shown:
    """Read the manifest, its properties and its tags; if *detailed*, also list its referrers, a hundred per request.
    Raises `NotFoundError` if it does not exist."""
    version = require_version(reference)
    repository = reference.repository
    registry.authorizer.authorization(Scope.of(repository, PULL, METADATA_READ))
    manifest = registry.manifests.get(repository, version)
    of_manifest = registry.metadata.manifest(repository, manifest.digest)
    by_tag = registry.metadata.tag(repository, reference.tag) if reference.tag and not reference.digest else None
    referrers = list(registry.referrers.of(repository, manifest.digest)) if detailed else None
    return Shown(
        reference, manifest, by_tag or of_manifest, of_manifest, _size(registry, repository, manifest), referrers
    )


def _size(registry: Registry, repository: str, manifest: Manifest) -> int:
    """Return the bytes of all blobs; of an index, one request for each artifact that it lists, up to `MOST_CHILDREN`.
    What cannot be read does not count: this is no reason to show nothing."""
    children: list[Manifest] = []

    def read(digest: Digest) -> None:
        with contextlib.suppress(InvalidManifestError):
            children.extend(filter(None, [registry.manifests.find(repository, digest)]))

    listed = [child.digest for child in manifest.manifests[:MOST_CHILDREN]]
    run_all(Concurrency(registry.http, IN_FLIGHT), read, listed)
    return sum(blob.size for blob in blobs_of(children)) if manifest.is_index else manifest.size


def show_raw(registry: Registry, reference: Reference) -> bytes:
    """Return the manifest byte for byte as the registry stores it, if they have its digest, and whatever they say."""
    return registry.manifests.stored(reference.repository, require_version(reference)).raw
