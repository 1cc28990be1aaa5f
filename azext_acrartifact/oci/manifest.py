"""Manifests and indexes: built strictly for a push, and parsed as `descriptor` says.

OCI image specification 1.1, manifest.md and image-index.md. A document with both layers and manifests, with duplicate
keys, or with another type than its Content-Type is ambiguous (CVE-2021-41190), so it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import ArtifactError, InvalidInputError, InvalidManifestError
from ..transport.bounded_json import as_list, parse_json, unique_keys
from .descriptor import Descriptor, as_object, optional_type, parse_descriptor, texts_in
from .digest import Digest, digest_of
from .mediatypes import (
    EMPTY_CONFIG,
    FOREIGN_LAYERS,
    IMAGE_MANIFEST,
    INDEXES,
    MANIFESTS,
    OCI_ARTIFACT_MANIFEST,
    ORAS_ARTIFACT_MANIFEST,
)

MANIFEST_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True)
class Manifest:
    """A manifest and the bytes that its digest was computed from. An index has *manifests*, all others *layers*;
    the two legacy artifact types call them blobs and have no *config*."""

    media_type: str
    raw: bytes = field(repr=False)
    digest: Digest
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] = ()
    subject: Descriptor | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    declared_artifact_type: str | None = None

    @property
    def artifact_type(self) -> str | None:
        """The artifactType of the manifest, or else the config's media type (manifest.md § artifactType)."""
        if self.declared_artifact_type or self.config is None:
            return self.declared_artifact_type
        return None if self.config.media_type == EMPTY_CONFIG else self.config.media_type or None

    @property
    def is_index(self) -> bool:
        """Whether this lists manifests rather than files."""
        return self.media_type in INDEXES

    @property
    def size(self) -> int:
        """Total bytes of config and layers; a blob that is listed twice counts once."""
        blobs = {blob.digest: blob.size for blob in (*self.layers, *([self.config] if self.config else []))}
        return sum(blobs.values())

    @property
    def descriptor(self) -> Descriptor:
        """The descriptor of this manifest."""
        return Descriptor(self.media_type, self.digest, len(self.raw))


def blobs_of(manifests: Iterable[Manifest]) -> list[Descriptor]:
    """Return the blobs that *manifests* need, without duplicates and without layers that are stored elsewhere."""
    found: dict[Digest, Descriptor] = {}
    for manifest in manifests:
        config = [manifest.config] if manifest.config else []
        others = [child for child in manifest.manifests if not is_manifest(child)]
        for blob in (*config, *manifest.layers, *others):
            if not is_foreign(blob):
                found.setdefault(blob.digest, blob)
    return list(found.values())


def is_foreign(blob: Descriptor) -> bool:
    """Return whether *blob* is a layer that its manifest says to fetch from elsewhere. That URL is never used."""
    return blob.media_type.startswith(FOREIGN_LAYERS)


def is_manifest(child: Descriptor) -> bool:
    """Return whether *child* of an index is a manifest, as one without a type is. An index may also list blobs, such as
    a build's cache (https://github.com/moby/buildkit/pull/3724)."""
    return child.media_type in (*MANIFESTS, *INDEXES, "")


def build_manifest(
    config: Descriptor,
    layers: Sequence[Descriptor],
    *,
    artifact_type: str | None = None,
    subject: Descriptor | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    """Build an OCI image manifest. It has no creation time, so that the same files always have the same digest.

    Raises `InvalidManifestError` above 4 MiB, which is more than a registry accepts, and for a descriptor without a
    type, and `InvalidInputError` for text that is not UTF-8.
    """
    require_types(config, *layers, *([subject] if subject else []))
    content = {"config": config.to_json(), "layers": [layer.to_json() for layer in layers]}
    raw = encoded(fields_of(IMAGE_MANIFEST, content, artifact_type, subject, annotations), InvalidInputError)
    if len(raw) > MANIFEST_LIMIT:
        raise InvalidManifestError(
            "The manifest is larger than a registry accepts",
            why=f"{len(layers)} files make {len(raw)} bytes; the limit is {MANIFEST_LIMIT}",
            hint="Push a folder as one layer (--file FOLDER) instead of its files one by one.",
        )
    return parse_manifest(raw, IMAGE_MANIFEST, "the new manifest")


def require_types(*descriptors: Descriptor) -> None:
    """Raise `InvalidManifestError` unless all *descriptors* have a media type, as what is written must."""
    for one in descriptors:
        if not one.media_type:
            raise InvalidManifestError("A descriptor without a media type is not written", where=one.digest)


def fields_of(
    media_type: str,
    content: Mapping[str, Any],
    artifact_type: str | None,
    subject: Descriptor | None,
    annotations: Mapping[str, str] | None,
) -> dict[str, Any]:
    """Return the JSON object of a manifest or an index, with its keys in the order in which oras writes them.
    *content* holds the keys that differ between the two."""
    optional = {"subject": subject and subject.to_json(), "annotations": dict(sorted((annotations or {}).items()))}
    return {
        "schemaVersion": 2,
        "mediaType": media_type,
        **({"artifactType": artifact_type} if artifact_type else {}),
        **content,
        **{name: value for name, value in optional.items() if value},
    }


def encoded(fields: Mapping[str, Any], refusal: type[ArtifactError] = InvalidManifestError) -> bytes:
    """Encode *fields* as the bytes of a manifest or an index. Raises *refusal* for a lone surrogate, which comes from
    undecodable bytes in an argument, or from an escape in a registry's JSON."""
    try:
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise refusal("A name, a type or an annotation is not valid UTF-8", why=str(error)) from error


def parse_manifest(raw: bytes, content_type: str, where: str) -> Manifest:
    """Parse *raw* as a manifest of the type *content_type*. Raises `InvalidManifestError`, which names *where*."""
    media_type = content_type.partition(";")[0].strip().lower()
    fields = as_object(_load(raw, where), where)
    _check_type(fields, media_type, where)
    if media_type not in (*MANIFESTS, *INDEXES):
        raise InvalidManifestError(
            "The manifest's type is not supported", where=where, why=f"its type is '{media_type or 'missing'}'"
        )
    content = _index(fields, where) if media_type in INDEXES else _manifest(fields, media_type, where)
    subject = fields.get("subject")
    return Manifest(
        media_type,
        raw,
        digest_of(raw),
        subject=None if subject is None else parse_descriptor(subject, f"{where} subject"),
        annotations=texts_in(fields.get("annotations")),
        declared_artifact_type=optional_type(fields.get("artifactType"), f"{where} artifactType"),
        **content,
    )


def _check_type(fields: dict[str, Any], media_type: str, where: str) -> None:
    declared = fields.get("mediaType")
    if declared not in (None, "") and declared != media_type:
        raise InvalidManifestError(
            "The manifest's mediaType is not the one announced", where=where, why=f"'{declared}', not '{media_type}'"
        )
    if media_type in (OCI_ARTIFACT_MANIFEST, ORAS_ARTIFACT_MANIFEST):
        return
    version = fields.get("schemaVersion")
    if version != 2 or not isinstance(version, int):
        raise InvalidManifestError("The manifest's schemaVersion is not 2", where=where)


def _index(fields: dict[str, Any], where: str) -> dict[str, Any]:
    if any(fields.get(name) is not None for name in ("layers", "config", "blobs")):
        raise InvalidManifestError("An index must not have layers", where=where)
    return {"manifests": _descriptors(fields.get("manifests"), f"{where} manifests")}


def _manifest(fields: dict[str, Any], media_type: str, where: str) -> dict[str, Any]:
    if fields.get("manifests") is not None:
        raise InvalidManifestError("Only an index may list manifests", where=where)
    if media_type in (OCI_ARTIFACT_MANIFEST, ORAS_ARTIFACT_MANIFEST):
        return {"layers": _descriptors(fields.get("blobs"), f"{where} blobs")}
    config = fields.get("config")
    return {
        "config": None if config is None else parse_descriptor(config, f"{where} config"),
        "layers": _descriptors(fields.get("layers"), f"{where} layers"),
    }


def _descriptors(value: object, path: str) -> tuple[Descriptor, ...]:
    try:
        found = as_list(value)
    except ValueError as error:
        raise InvalidManifestError("Not a list", where=path) from error
    return tuple(parse_descriptor(item, f"{path}[{number}]") for number, item in enumerate(found))


def _load(raw: bytes, where: str) -> object:
    try:
        return parse_json(raw, unique_keys)
    except ValueError as error:
        raise InvalidManifestError("The manifest is not valid JSON", where=where, why=str(error)) from error
