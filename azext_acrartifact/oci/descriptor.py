"""Descriptors (OCI image specification, descriptor.md)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InvalidManifestError, ProtocolError
from .digest import Digest, parse_digest
from .mediatypes import TITLE, TYPE_LIMIT, is_type_text

LARGEST_SIZE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference to content by its media type, its digest and its *size* in bytes."""

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
        return self.annotations.get(TITLE)

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
    media_type, size = fields.get("mediaType"), fields.get("size")
    if not isinstance(media_type, str) or not media_type:
        raise InvalidManifestError("A descriptor has no media type", where=path)
    _require_type(media_type, path)
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= LARGEST_SIZE:
        raise InvalidManifestError("A descriptor has no valid size", where=path, why=str(size)[:40])
    return Descriptor(
        media_type,
        _digest(fields.get("digest"), path),
        size,
        string_map(fields.get("annotations"), f"{path}.annotations"),
        _data(fields.get("data"), path),
        optional_type(fields.get("artifactType"), f"{path}.artifactType"),
        _platform(fields.get("platform"), path),
    )


def as_object(value: object, path: str) -> dict[str, Any]:
    """Return *value* if it is a JSON object."""
    if not isinstance(value, dict):
        raise InvalidManifestError("Not a JSON object", where=path)
    return value


def optional_type(value: object, path: str) -> str | None:
    """Return *value* if it is a media type or absent; an empty string counts as absent."""
    if value is not None and not isinstance(value, str):
        raise InvalidManifestError("Not a string", where=path)
    if value:
        _require_type(value, path)
    return value or None


def _require_type(text: str, path: str) -> None:
    if not is_type_text(text):
        why = f"'{text[:40]}' is not 1 to {TYPE_LIMIT} printable ASCII characters"
        raise InvalidManifestError("Not a media type", where=path, why=why)


def string_map(value: object, path: str) -> dict[str, str]:
    """Return *value* if it is an object of strings, or an empty object if it is absent."""
    fields = {} if value is None else as_object(value, path)
    if not all(isinstance(item, str) for item in fields.values()):
        raise InvalidManifestError("Not all values are strings", where=path)
    return fields


def _digest(value: object, path: str) -> Digest:
    try:
        return parse_digest(value, path)
    except ProtocolError as error:
        raise InvalidManifestError(error.what, where=path, why=error.why) from error


def _data(value: object, path: str) -> bytes | None:
    if value is None:
        return None
    try:
        return base64.b64decode(value if isinstance(value, str) else "?", validate=True)
    except ValueError as error:
        raise InvalidManifestError("A descriptor's data is not base64", where=path) from error


def _platform(value: object, path: str) -> Mapping[str, str] | None:
    if value is None:
        return None
    fields = as_object(value, f"{path}.platform")
    return {key: item for key, item in fields.items() if isinstance(item, str)}
