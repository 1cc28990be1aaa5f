"""An OCI image layout as the source of a restore.

The layout is not trusted: every manifest is hashed when it is read, and every blob while it is uploaded.
"""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ..errors import DigestMismatchError, InvalidManifestError, LocalFileError, NotFoundError, RefusedError
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest, algorithm_of, digest_of
from ..oci.manifest import MANIFEST_LIMIT, Manifest, is_manifest, parse_manifest
from ..oci.mediatypes import IMAGE_INDEX, IMAGE_MANIFEST
from ..oci.referrers import is_referrers_tag
from ..text import first_of
from .files import LayoutFile, LayoutFiles, read_layout, read_small
from .index import blob_name

_MOST_LISTED = 100_000
"""Manifests whose media type is remembered."""
_NAMED = 5
"""Tags or digests that an error lists."""


class LayoutSource:
    """`oci.storage.GraphSource`. Several threads may use it at once."""

    def __init__(self, files: LayoutFiles) -> None:
        """Read the index of the layout *files*. Raises as `read_layout` does."""
        self.label = files.path
        self.index = read_layout(files)
        self._files = files
        self._types = {entry.descriptor.digest: entry.descriptor.media_type for entry in self.index.entries}
        self._referrers: dict[Digest, list[Descriptor]] | None = None
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        """One manifest is parsed after another: the objects of a large one take many times its bytes."""

    def tags(self) -> dict[str, Descriptor]:
        """Return the artifact of each tag, without lists of referrers. Raises as `LayoutIndex.tags` does."""
        return {tag: found for tag, found in self.index.tags(self.label).items() if not is_referrers_tag(tag)}

    def resolve(self, version: str) -> Descriptor | None:
        """Return the descriptor of the manifest under *version*, a tag or a digest, or None."""
        if ":" not in version:
            return self.index.tags(self.label).get(version)
        try:
            return self.manifest(version).descriptor
        except NotFoundError:
            return None

    def manifest(self, version: str) -> Manifest:
        """Return the manifest under *version*. Raises `NotFoundError` when there is none, `DigestMismatchError` for
        wrong bytes, `InvalidManifestError` for one that cannot be parsed."""
        digest = Digest(version) if ":" in version else self._tagged(version)
        with self._reading:
            manifest = self._read(digest)
        with self._lock:
            for child in manifest.manifests:
                self._types.setdefault(child.digest, child.media_type)
            if len(self._types) > _MOST_LISTED:
                raise RefusedError("The layout lists too many manifests", where=self.label, why=f"{len(self._types):,}")
        return replace(manifest, digest=digest)

    def _read(self, digest: Digest) -> Manifest:
        raw = read_small(self._files, blob_name(digest), MANIFEST_LIMIT)
        where = os.path.join(self.label, blob_name(digest))
        if raw is None:
            raise NotFoundError(
                "The layout has no such artifact", where=where, hint="Give a tag or digest of the layout."
            )
        if digest_of(raw, algorithm_of(digest)) != digest:
            raise DigestMismatchError("The layout is damaged", where=where, why="the bytes do not match the digest")
        return parse_manifest(raw, self._types.get(digest) or _declared_type(raw), where)

    def fetch(self, blob: Descriptor, offset: int = 0, length: int | None = None) -> FileStream:
        """Open *length* bytes of *blob* from *offset* on, by default to its end. Raises `LocalFileError` when the file
        is missing, `DigestMismatchError` when it has another size."""
        name = blob_name(blob.digest)
        file = self._files.open(name)
        where = os.path.join(self.label, name)
        if file is None:
            raise LocalFileError("A file of the layout is missing", where=where, hint="Make a new backup.")
        if file.size != blob.size:
            file.close()
            raise DigestMismatchError(
                "The layout is damaged", where=where, why=f"{file.size} bytes instead of {blob.size}"
            )
        return FileStream(file, offset, blob.size - offset if length is None else length)

    def require(self, blobs: Iterable[Descriptor]) -> None:
        """Check that all *blobs* exist with the right size, before any is read. Raises as `fetch` does."""
        for blob in blobs:
            self.fetch(blob).close()

    def referrers(self, digest: Digest) -> Sequence[Descriptor]:
        """Return the manifests that refer to *digest*, among all that the layout lists."""
        with self._lock:
            known = self._referrers
        if known is None:
            known = self._find_referrers()
            with self._lock:
                self._referrers = known
        return known.get(digest, [])

    def close(self) -> None:
        """Close the layout."""
        self._files.close()

    def _tagged(self, tag: str) -> Digest:
        tags = self.index.tags(self.label)
        if tag in tags:
            return tags[tag].digest
        names, without = list(self.tags()), [item.digest for item in self.index.untagged() if is_manifest(item)]
        found = names or without
        raise NotFoundError(
            "The layout has no such tag",
            where=f"{self.label}:{tag}",
            why="" if names else "its artifacts have no tags" if without else "it lists no artifact",
            hint=f"Name the artifact by --source-tag: {first_of(found, _NAMED)}" if found else "Make a new backup.",
        )

    def _find_referrers(self) -> dict[Digest, list[Descriptor]]:
        found: dict[Digest, list[Descriptor]] = {}
        for digest in dict.fromkeys(self._listed()):
            manifest = self.manifest(digest)
            if manifest.subject is not None:
                found.setdefault(manifest.subject.digest, []).append(manifest.descriptor)
        return found

    def _listed(self) -> Iterator[Digest]:
        """Yield every manifest that may be a referrer. oras lists referrers in `index.json`, regctl in an index under a
        tag made of the subject's digest (OCI distribution specification, § Referrers Tag Schema)."""
        for entry in self.index.entries:
            if not is_manifest(entry.descriptor):
                continue
            if entry.tag is not None and is_referrers_tag(entry.tag):
                yield from (child.digest for child in self.manifest(entry.descriptor.digest).manifests)
            else:
                yield entry.descriptor.digest


class FileStream:
    """The bytes of one file of a layout, an `oci.content.Stream`."""

    def __init__(self, file: LayoutFile, offset: int, length: int) -> None:
        """Read *length* bytes of *file* from *offset* on. `close` closes the file."""
        self.offset = offset
        self._file = file
        self._reader: io.RawIOBase = file.open_range(offset, length)

    def readinto(self, buffer: memoryview) -> int:
        """Fill *buffer* with the next bytes; return 0 at the end."""
        return self._reader.readinto(buffer) or 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _declared_type(raw: bytes) -> str:
    """Return the media type of a manifest without a descriptor: its own `mediaType`, otherwise by its content."""
    try:
        fields = json.loads(raw)
        declared = fields.get("mediaType") or (IMAGE_INDEX if fields.get("manifests") is not None else IMAGE_MANIFEST)
    except (ValueError, RecursionError, AttributeError) as error:
        raise InvalidManifestError("Not a manifest", why="it is not a JSON object") from error
    return str(declared)
