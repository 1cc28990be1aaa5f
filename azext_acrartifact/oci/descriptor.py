"""Descriptors (OCI image specification, descriptor.md).

Registries store almost any JSON, and other clients read it, so that what is read may be odd: null instead of a list, no
media type, annotations that are no text. That counts as absent. Only digests, sizes and types must be valid, as they
become URLs, limits and output; what is written has all that the specification requires.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InvalidManifestError, ProtocolError
from .digest import Digest, parse_digest, short
from .mediatypes import MODEL_PATHS, TITLE, TYPE_LIMIT, is_type_text

LARGEST_SIZE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference to content by its media type, its digest and its *size* in bytes. A *media_type* that was read is
    empty if there is none."""

    media_type: str
    digest: Digest
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    data: bytes | None = None
    artifact_type: str | None = None
    platform: Mapping[str, str] | None = None

    @property
    def title(self) -> str | None:
        """The file name in the layer's annotations. It is not checked here; `files.names` does that."""
        return self.annotations.get(TITLE) or next(filter(None, map(self.annotations.get, MODEL_PATHS)), None)

    @property
    def name(self) -> str:
        """The content's name for messages and progress: its title, its type or its digest."""
        return self.title or self.media_type or short(self.digest)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object, with its keys in the order in which oras writes them."""
        fields: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        if self.annotations:
            fields["annotations"] = dict(sorted(self.annotations.items()))
        if self.data is not None:
            fields["data"] = base64.b64encode(self.data).decode("ascii")
        if self.platform:
            fields["platform"] = dict(self.platform)
        if self.artifact_type:
            fields["artifactType"] = self.artifact_type
        return fields


def parse_descriptor(value: object, path: str) -> Descriptor:
    """Return *value*, from the JSON path *path* of a manifest, as a descriptor; raise `InvalidManifestError` if it is
    none."""
    fields = as_object(value, path)
    size = fields.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= LARGEST_SIZE:
        raise InvalidManifestError("A descriptor has no valid size", where=path, why=str(size)[:40])
    return Descriptor(
        optional_type(fields.get("mediaType"), f"{path}.mediaType") or "",
        _digest(fields.get("digest"), path),
        size,
        texts_in(fields.get("annotations")),
        _data(fields.get("data")),
        optional_type(fields.get("artifactType"), f"{path}.artifactType"),
        texts_in(fields["platform"]) if isinstance(fields.get("platform"), dict) else None,
    )


def as_object(value: object, path: str) -> dict[str, Any]:
    """Return *value* if it is a JSON object."""
    if not isinstance(value, dict):
        raise InvalidManifestError("Not a JSON object", where=path)
    return value


def optional_type(value: object, path: str) -> str | None:
    """Return *value* if it is a media type, or None if it is absent, empty or no text. Raises `InvalidManifestError`
    for a text that is long or not printable."""
    if not isinstance(value, str) or not value:
        return None
    if not is_type_text(value):
        why = f"'{value[:40]}' is not 1 to {TYPE_LIMIT} printable ASCII characters"
        raise InvalidManifestError("Not a media type", where=path, why=why)
    return value


def texts_in(value: object) -> dict[str, str]:
    """Return the members of *value* that are texts; none if it is no object."""
    fields = value if isinstance(value, dict) else {}
    return {key: item for key, item in fields.items() if isinstance(item, str)}


def _digest(value: object, path: str) -> Digest:
    try:
        return parse_digest(value, path)
    except ProtocolError as error:
        raise InvalidManifestError(error.what, where=path, why=error.why) from error


def _data(value: object) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except ValueError:
        return None
