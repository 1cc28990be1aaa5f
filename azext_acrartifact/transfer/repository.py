"""One repository of a registry as a source and a target of blobs."""

from __future__ import annotations

from ..oci.blobs import BlobStream
from ..oci.content import Advance
from ..oci.descriptor import Descriptor
from ..oci.registry import Registry
from .feed import Feed, Identity
from .journal import Journal
from .upload import BlobUpload, Held


class RepositoryStorage:
    """`oci.content.Source` and the target of uploads."""

    def __init__(self, registry: Registry, repository: str, journal: Journal) -> None:
        self._http = registry.http
        self._blobs = registry.blobs(repository)
        self._uploads = registry.uploads(repository)
        self._journal = journal
        self.place = f"{registry.server}/{repository}"
        """Server and repository, as a part of keys."""

    def exists(self, blob: Descriptor) -> bool:
        """Whether the repository has *blob*."""
        return self._blobs.exists(blob)

    def fetch(self, blob: Descriptor, offset: int = 0, length: int | None = None) -> BlobStream:
        """*length* bytes of *blob* from *offset* on."""
        return self._blobs.fetch(blob, offset, length)

    def upload(self, feed: Feed, held: Held, advance: Advance) -> tuple[Identity, bool]:
        """Send *feed* unless it is *held*; see `BlobUpload.run`."""
        return BlobUpload(self._uploads, feed, held, self._http.attempts(), self._journal, advance).run()
