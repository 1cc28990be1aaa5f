"""One repository of a registry as an end of transfers: of blobs, and of whole graphs."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from ..errors import DigestMismatchError
from ..oci.blobs import BlobStream
from ..oci.content import Advance, Source
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.manifest import Manifest
from ..oci.registry import Registry
from ..oci.storage import COPIED, MOUNTED, SKIPPED
from ..oci.uploads import Session
from .relay import RelayFeed
from .upload import SINGLE_LIMIT, BlobUpload, Held
from .upload_sessions import Journal
from .upload_source import Feed, Identity


class RepositoryStorage:
    """`oci.storage.GraphSource` and `GraphTarget`, and the target of uploads."""

    def __init__(self, registry: Registry, repository: str, journal: Journal) -> None:
        self.registry, self.repository = registry, repository
        self.place = f"{registry.server}/{repository}"
        """Server and repository, as a part of keys."""
        self._http = registry.http
        self._blobs = registry.blobs(repository)
        self._uploads = registry.uploads(repository)
        self._journal = journal
        self._listed: dict[Digest, frozenset[Digest]] = {}
        self._lock = threading.Lock()

    def exists(self, blob: Descriptor) -> bool:
        """Whether the repository has *blob*."""
        return self._blobs.exists(blob)

    def fetch(self, blob: Descriptor, offset: int = 0, length: int | None = None) -> BlobStream:
        """*length* bytes of *blob* from *offset* on."""
        return self._blobs.fetch(blob, offset, length)

    def upload(self, feed: Feed, held: Held, advance: Advance, session: Session | None = None) -> tuple[Identity, bool]:
        """Send *feed* unless it is *held*; see `BlobUpload.run`."""
        return BlobUpload(self._uploads, feed, held, self._http.attempts(), self._journal, advance, session).run()

    def resolve(self, version: str) -> Descriptor | None:
        """The descriptor of the manifest under *version*; None when there is none."""
        return self.registry.manifests.resolve(self.repository, version)

    def manifest(self, version: str) -> Manifest:
        """The manifest under *version*, checked."""
        return self.registry.manifests.get(self.repository, version)

    def referrers(self, digest: Digest) -> Sequence[Descriptor]:
        """The manifests that the registry says refer to *digest*."""
        return list(self.registry.referrers.of(self.repository, digest))

    def holds(self, manifest: Manifest) -> bool:
        """Whether *manifest* is there. A registry that keeps no list of referrers may have it without its entry in
        the list that is kept by tag, when a run was killed between the two."""
        if self.resolve(manifest.digest) is None:
            return False
        return manifest.subject is None or manifest.digest in self._referrers_of(manifest.subject.digest)

    def receive(self, blob: Descriptor, source: Source, advance: Advance) -> str:
        """Mount *blob* from a repository of the same registry and identity; otherwise send it as it comes, unless
        it is there. Raises as `BlobUpload.run` does, and what *source* raises."""
        session = None
        if isinstance(source, RepositoryStorage) and source.registry is self.registry:
            session = self._uploads.mount(blob, source.repository)
            if session is None:
                return MOUNTED
        key = f"{self.place}|{blob.digest}" if blob.size > SINGLE_LIMIT else ""
        feed = RelayFeed(source, blob, self._http.attempts(), key)
        try:
            _, sent = self.upload(feed, lambda _: self.exists(blob), advance, session)
        except DigestMismatchError:
            self._journal.forget(key)
            raise
        finally:
            feed.close()
        return COPIED if sent else SKIPPED

    def put(self, manifest: Manifest, version: str) -> None:
        """Store *manifest* under *version*, and keep its subject's list of referrers if the registry does not."""
        self.registry.referrers.store(self.repository, manifest, version)

    def _referrers_of(self, subject: Digest) -> frozenset[Digest]:
        with self._lock:
            if subject not in self._listed:
                self._listed[subject] = frozenset(child.digest for child in self.referrers(subject))
            return self._listed[subject]
