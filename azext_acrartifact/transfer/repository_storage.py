"""One repository of a registry as the source and the target of transfers: of blobs, and of whole graphs."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Sequence

from ..errors import DigestMismatchError, RejectedError
from ..oci.blobs import BlobStream
from ..oci.content import Advance, Source
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.manifest import Manifest
from ..oci.registry import Registry
from ..oci.storage import COPIED, MOUNTED, SKIPPED, Receiver
from ..oci.uploads import Session
from .chunk_size import ChunkLimits
from .relay import RelaySource
from .sizes import DEFAULT_SIZES, TransferSizes
from .upload import BlobUpload, Exists
from .upload_sessions import UploadSessions
from .upload_source import Identity, UploadSource


class RepositoryStorage:
    """`oci.storage.GraphSource` and `GraphTarget`, and the target of uploads, which are resumed from *sessions*."""

    def __init__(
        self,
        registry: Registry,
        repository: str,
        sessions: UploadSessions | None = None,
        sizes: TransferSizes = DEFAULT_SIZES,
    ) -> None:
        self.registry, self.repository, self.sizes = registry, repository, sizes
        self.label = f"{registry.server}/{repository}"
        self._http = registry.http
        self._blobs = registry.blobs(repository)
        self._uploads = registry.uploads(repository)
        self._sessions = sessions or UploadSessions(None)
        self._limits = ChunkLimits()
        self._listed: dict[Digest, frozenset[Digest]] = {}
        self._lock = threading.Lock()

    def exists(self, blob: Descriptor) -> bool:
        """Return whether the repository has *blob*."""
        return self._blobs.exists(blob)

    def fetch(self, blob: Descriptor, offset: int = 0, length: int | None = None) -> BlobStream:
        """Open *length* bytes of *blob* from *offset* on."""
        return self._blobs.fetch(blob, offset, length)

    def upload(
        self, source: UploadSource, exists: Exists, advance: Advance, session: Session | None = None
    ) -> tuple[Identity, bool]:
        """Upload *source* unless it *exists*; see `BlobUpload.run`."""
        attempts, notice = self._http.attempts(), self._http.waiter.notice
        return BlobUpload(
            self._uploads, source, exists, attempts, self._sessions, advance, session, self.sizes, notice, self._limits
        ).run()

    def resolve(self, version: str) -> Descriptor | None:
        """Return the descriptor of the manifest under *version*, or None."""
        return self.registry.manifests.resolve(self.repository, version)

    def manifest(self, version: str) -> Manifest:
        """Return the verified manifest under *version*."""
        return self.registry.manifests.get(self.repository, version)

    def referrers(self, digest: Digest) -> Iterator[Descriptor]:
        """Yield the manifests that refer to *digest* according to the registry."""
        return self.registry.referrers.of(self.repository, digest)

    def is_complete(self, manifest: Manifest) -> bool:
        """Return whether *manifest* exists and is listed as a referrer of its subject, if it has one. Without referrers
        API the entry in the list under a tag may be missing, when a run was killed before it wrote that."""
        if self.resolve(manifest.digest) is None:
            return False
        return manifest.subject is None or manifest.digest in self._referrers_of(manifest.subject.digest)

    def receivers(self, blob: Descriptor, source: Source, advance: Advance) -> Sequence[Receiver]:
        """Return the one job that receives *blob*."""
        return [functools.partial(self.receive, blob, source, advance)]

    def receive(self, blob: Descriptor, source: Source, advance: Advance) -> str:
        """Mount *blob* from a repository of the same registry and sign-in; otherwise relay it, unless it exists. Raises
        as `BlobUpload.run` does, and what *source* raises."""
        session = None
        if isinstance(source, RepositoryStorage) and source.registry is self.registry:
            session = self._uploads.mount(blob, source.repository)
            if session is None:
                return MOUNTED
        key = f"{self.label}|{blob.digest}" if blob.size > self.sizes.single else ""
        relayed = RelaySource(source, blob, self._http.attempts(), key, self.sizes)
        try:
            _, sent = self.upload(relayed, lambda _: self.exists(blob), advance, session)
        except DigestMismatchError:
            self._sessions.forget(key)
            raise
        finally:
            relayed.close()
        return COPIED if sent else SKIPPED

    def put(self, manifest: Manifest, version: str) -> None:
        """Store *manifest* under *version*, and list it as a referrer of its subject if the registry does not."""
        self.registry.referrers.store(self.repository, manifest, version)

    def _referrers_of(self, subject: Digest) -> frozenset[Digest]:
        with self._lock:
            if subject not in self._listed:
                try:
                    self._listed[subject] = frozenset(child.digest for child in self.referrers(subject))
                except RejectedError as error:
                    if error.status != 404:
                        raise
                    self._listed[subject] = frozenset()  # A referrer may be copied without its subject.
            return self._listed[subject]
