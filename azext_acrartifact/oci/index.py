"""Indexes that are written: lists of manifests (OCI image specification, image-index.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InvalidManifestError
from .descriptor import Descriptor
from .manifest import MANIFEST_LIMIT, Manifest, encoded, parse_manifest
from .mediatypes import IMAGE_INDEX


def build_index(
    manifests: Sequence[Descriptor],
    *,
    artifact_type: str | None = None,
    subject: Descriptor | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    """An index of *manifests*, in their order.

    Raises `InvalidManifestError` above the size that a registry takes, and for text that cannot be written.
    """
    fields: dict[str, Any] = {"schemaVersion": 2, "mediaType": IMAGE_INDEX}
    if artifact_type:
        fields["artifactType"] = artifact_type
    fields["manifests"] = [child.to_json() for child in manifests]
    if subject:
        fields["subject"] = subject.to_json()
    if annotations:
        fields["annotations"] = dict(sorted(annotations.items()))
    raw = encoded(fields)
    if len(raw) > MANIFEST_LIMIT:
        raise InvalidManifestError(
            "The index is larger than a registry takes", why=f"{len(raw)} bytes; the limit is {MANIFEST_LIMIT}"
        )
    return parse_manifest(raw, IMAGE_INDEX, "the new index")
