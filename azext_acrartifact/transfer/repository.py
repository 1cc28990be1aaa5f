"""One repository of a registry as a source and a target of blobs."""

from __future__ import annotations

from ..oci.blobs import BlobStream
from ..oci.content import Advance, Content
from ..oci.descriptor import Descriptor
from ..oci.registry import Registry
from .upload import BlobUpload


class RepositoryStorage:
    """`oci.content.Source` and `Target` of one repository."""

    def __init__(self, registry: Registry, repository: str) -> None:
        self._http = registry.http
        self._blobs = registry.blobs(repository)
        self._uploads = registry.uploads(repository)

    def exists(self, blob: Descriptor) -> bool:
        """Whether the repository has *blob*."""
        return self._blobs.exists(blob)

    def fetch(self, blob: Descriptor, offset: int = 0) -> BlobStream:
        """*blob*'s bytes from *offset* on."""
        return self._blobs.fetch(blob, offset)

    def push(self, blob: Descriptor, content: Content, advance: Advance) -> None:
        """Upload *content* as *blob*."""
        BlobUpload(self._uploads, blob, content, self._http.attempts(), advance).run()
