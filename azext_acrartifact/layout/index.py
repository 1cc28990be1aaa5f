"""The file names of OCI image layouts, and the content of `oci-layout` and `index.json`.

OCI image specification 1.1, image-layout.md. A tag is a descriptor's annotation; referrers are listed without one, as
oras does. The files themselves are read by `files`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import InvalidManifestError, InvalidReferenceError
from ..oci.descriptor import Descriptor, parse_descriptor
from ..oci.digest import Digest
from ..oci.manifest import MANIFEST_LIMIT, encoded, parse_manifest
from ..oci.mediatypes import IMAGE_INDEX
from ..oci.reference import check_tag
from ..transport.bounded_json import as_list

MARKER_FILE = "oci-layout"
INDEX_FILE = "index.json"
BLOBS = "blobs"
MARKER = b'{"imageLayoutVersion":"1.0.0"}'
MARKER_LIMIT = 4096
"""Bytes of `oci-layout` that are read."""
INDEX_LIMIT = MANIFEST_LIMIT
"""Bytes of `index.json` that are read or written: as many as a registry accepts for an index."""
REF_NAME = "org.opencontainers.image.ref.name"


def blob_name(digest: Digest) -> str:
    """Return the file of the blob or manifest *digest*, as a path with `/` below the layout."""
    algorithm, _, digits = digest.partition(":")
    return f"{BLOBS}/{algorithm}/{digits}"


def check_marker(raw: bytes, where: str) -> None:
    """Raise `InvalidManifestError` unless *raw*, the content of `oci-layout`, has a supported version."""
    try:
        version = json.loads(raw)["imageLayoutVersion"]
    except (ValueError, RecursionError, KeyError, TypeError):
        version = None
    if not isinstance(version, str) or version.split(".")[0] != "1":
        raise InvalidManifestError(
            "Not an OCI image layout of version 1",
            where=where,
            why=f"its version is {version!r:.40}",
            hint="Name a folder or .tar that a backup has written.",
        )


@dataclass(frozen=True)
class Entry:
    """One descriptor of `index.json`, and the JSON object that it was read from, which is written back."""

    descriptor: Descriptor
    fields: Mapping[str, Any]

    @property
    def tag(self) -> str | None:
        """The tag in the annotation, where some tools write REPOSITORY:TAG; None when it is neither."""
        name = self.descriptor.annotations.get(REF_NAME, "")
        try:
            return check_tag(name.rpartition(":")[2])
        except InvalidReferenceError:
            return None

    def untagged(self) -> Entry:
        """Return the same entry without its tag, which another artifact has now."""
        others = {key: value for key, value in self.descriptor.annotations.items() if key != REF_NAME}
        return entry_of(replace(self.descriptor, annotations=others))


def entry_of(descriptor: Descriptor, tag: str | None = None) -> Entry:
    """Return *descriptor* as an entry of `index.json`, with or without *tag*."""
    if tag is not None:
        descriptor = replace(descriptor, annotations={**descriptor.annotations, REF_NAME: tag})
    return Entry(descriptor, descriptor.to_json())


@dataclass(frozen=True)
class LayoutIndex:
    """The content of `index.json`. *fields* are its other members, which are written back unchanged."""

    entries: tuple[Entry, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=lambda: {"schemaVersion": 2, "mediaType": IMAGE_INDEX})

    def tags(self, where: str) -> dict[str, Descriptor]:
        """Return the artifact of each tag. Raises `InvalidManifestError`, with *where*, for a tag of two artifacts."""
        found: dict[str, Descriptor] = {}
        for entry in self.entries:
            if entry.tag is None:
                continue
            first = found.setdefault(entry.tag, entry.descriptor)
            if first.digest != entry.descriptor.digest:
                raise InvalidManifestError(
                    "A tag of the layout names two artifacts",
                    where=where,
                    why=f"{entry.tag} is {first.digest} and {entry.descriptor.digest}",
                    hint="Name the artifact by its digest.",
                )
        return found

    def untagged(self) -> list[Descriptor]:
        """Return the artifacts that are listed without a tag, each once."""
        tagged = {entry.descriptor.digest for entry in self.entries if entry.tag is not None}
        found = {entry.descriptor.digest: entry.descriptor for entry in self.entries}
        return [descriptor for digest, descriptor in found.items() if digest not in tagged]

    def lists_the_same(self, other: LayoutIndex) -> bool:
        """Return whether *other* lists the same artifacts under the same tags."""
        return _listed(self) == _listed(other)

    def with_artifacts(self, tags: Mapping[str, Descriptor], others: Iterable[Descriptor] = ()) -> LayoutIndex:
        """Return the index with *tags* added, and *others* without a tag. No artifact is removed: one whose tag moves
        to another artifact stays, without that tag."""
        entries = [entry.untagged() if _is_other(entry, tags.get(entry.tag or "")) else entry for entry in self.entries]
        entries += [entry_of(found, tag) for tag, found in tags.items()]
        entries += [entry_of(found) for found in others]
        return LayoutIndex(_distinct(entries), self.fields)

    def encoded(self) -> bytes:
        """Return the bytes of the file, the same for equal content. Raises `InvalidManifestError` above the limit."""
        members = [dict(entry.fields) for entry in self.entries]
        raw = encoded({**self.fields, "manifests": members})
        if len(raw) > INDEX_LIMIT:
            raise InvalidManifestError(
                "The layout's index is too long",
                why=f"{len(members)} artifacts make {len(raw)} bytes; the limit is {INDEX_LIMIT}",
                hint="Back up some of the tags to another path.",
            )
        return raw


def parse_index(raw: bytes, where: str) -> LayoutIndex:
    """Parse an `index.json`. Raises `InvalidManifestError` with *where*."""
    # skopeo omits the media type; there is only this one.
    parse_manifest(raw, IMAGE_INDEX, where)
    fields: dict[str, Any] = json.loads(raw)
    members = as_list(fields.pop("manifests", None))
    entries = [Entry(parse_descriptor(item, f"{where} manifests[{n}]"), item) for n, item in enumerate(members)]
    return LayoutIndex(tuple(entries), {name: value for name, value in fields.items() if value not in (None, "")})


def _listed(index: LayoutIndex) -> set[tuple[str | None, Digest]]:
    return {(entry.tag, entry.descriptor.digest) for entry in index.entries}


def _is_other(entry: Entry, wanted: Descriptor | None) -> bool:
    return wanted is not None and wanted.digest != entry.descriptor.digest


def _distinct(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Sort *entries*, tags first, and remove duplicates. An artifact with a tag is not listed without one as well."""
    tagged = {entry.descriptor.digest for entry in entries if entry.tag is not None}
    found: dict[tuple[str | None, Digest], Entry] = {}
    for entry in entries:
        if entry.tag is not None or entry.descriptor.digest not in tagged:
            found.setdefault((entry.tag, entry.descriptor.digest), entry)
    return tuple(sorted(found.values(), key=lambda item: (item.tag is None, item.tag or "", item.descriptor.digest)))
