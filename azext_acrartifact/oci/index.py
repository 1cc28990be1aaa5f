"""Image indexes: lists of manifests (OCI image specification, image-index.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import InvalidManifestError
from .descriptor import Descriptor
from .manifest import MANIFEST_LIMIT, Manifest, encoded, fields_of, parse_manifest, require_types
from .mediatypes import IMAGE_INDEX


def build_index(
    manifests: Sequence[Descriptor],
    *,
    artifact_type: str | None = None,
    subject: Descriptor | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    """Build an index of *manifests*, in their order.

    Raises `InvalidManifestError` above 4 MiB, which is more than a registry accepts, for a descriptor without a type,
    and for text that is not UTF-8.
    """
    require_types(*manifests, *([subject] if subject else []))
    listed = {"manifests": [child.to_json() for child in manifests]}
    raw = encoded(fields_of(IMAGE_INDEX, listed, artifact_type, subject, annotations))
    if len(raw) > MANIFEST_LIMIT:
        raise InvalidManifestError(
            "The index is larger than a registry accepts", why=f"{len(raw)} bytes; the limit is {MANIFEST_LIMIT}"
        )
    return parse_manifest(raw, IMAGE_INDEX, "the new index")
