"""Descriptors (OCI image specification, descriptor.md)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InvalidManifestError, ProtocolError
from .digest import Digest, digest_of, parse_digest
from .mediatypes import EMPTY_CONFIG, EMPTY_JSON, TITLE

LARGEST_SIZE = 2**63 - 1


@dataclass(frozen=True)
class Descriptor:
    """What a piece of content is: its type, its digest, its *size* in bytes."""

    media_type: str
    digest: Digest
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    data: bytes | None = None
    artifact_type: str | None = None
    platform: Mapping[str, str] | None = None

    @property
    def title(self) -> str | None:
        """The file name that the layer asks for, unchecked: `files.names` decides about it."""
        return self.annotations.get(TITLE)

    def to_json(self) -> dict[str, Any]:
        """The JSON object, in the order of Go's encoder, which oras writes."""
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


def empty_descriptor(with_data: bool = True, media_type: str = EMPTY_CONFIG) -> Descriptor:
    """The empty JSON object `{}` (image specification, manifest.md § Guidance for an Empty Descriptor)."""
    return Descriptor(media_type, digest_of(EMPTY_JSON), len(EMPTY_JSON), data=EMPTY_JSON if with_data else None)


def parse_descriptor(value: object, place: str) -> Descriptor:
    """*value* from a manifest as a descriptor; *place* names it in `InvalidManifestError`."""
    fields = as_object(value, place)
    media_type, size = fields.get("mediaType"), fields.get("size")
    if not isinstance(media_type, str) or not media_type:
        raise InvalidManifestError("A descriptor has no media type", where=place)
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= LARGEST_SIZE:
        raise InvalidManifestError("A descriptor has no usable size", where=place, why=str(size)[:40])
    return Descriptor(
        media_type,
        _digest(fields.get("digest"), place),
        size,
        string_map(fields.get("annotations"), f"{place}.annotations"),
        _data(fields.get("data"), place),
        optional_string(fields.get("artifactType"), f"{place}.artifactType"),
        _platform(fields.get("platform"), place),
    )


def as_object(value: object, place: str) -> dict[str, Any]:
    """*value* if it is a JSON object."""
    if not isinstance(value, dict):
        raise InvalidManifestError("Not a JSON object", where=place)
    return value


def optional_string(value: object, place: str) -> str | None:
    """*value* if it is a string or absent; an empty string counts as absent."""
    if value is None or isinstance(value, str):
        return value or None
    raise InvalidManifestError("Not a string", where=place)


def string_map(value: object, place: str) -> dict[str, str]:
    """*value* if it is an object of strings or absent."""
    fields = {} if value is None else as_object(value, place)
    if not all(isinstance(item, str) for item in fields.values()):
        raise InvalidManifestError("Not all values are strings", where=place)
    return fields


def _digest(value: object, place: str) -> Digest:
    try:
        return parse_digest(value, place)
    except ProtocolError as error:
        raise InvalidManifestError(error.what, where=place, why=error.why) from error


def _data(value: object, place: str) -> bytes | None:
    if value is None:
        return None
    try:
        return base64.b64decode(value if isinstance(value, str) else "?", validate=True)
    except ValueError as error:
        raise InvalidManifestError("A descriptor's data is not base64", where=place) from error


def _platform(value: object, place: str) -> Mapping[str, str] | None:
    if value is None:
        return None
    fields = as_object(value, f"{place}.platform")
    return {key: item for key, item in fields.items() if isinstance(item, str)}
