"""An OCI image layout as the target of a backup: blobs that exist and are intact are not downloaded again."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence

from ..oci.content import Advance, Content, Source
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest, Verifier
from ..oci.manifest import Manifest, blobs_of
from ..oci.storage import COPIED, SKIPPED, Receiver
from ..threads import require_running
from ..transfer.blob_file import RangedFile
from ..transfer.download import BlobDownload
from ..transfer.large_blob import LargeBlob
from ..transfer.sizes import DEFAULT_SIZES, TransferSizes
from ..transport.client import HttpClient
from .files import LayoutFiles
from .index import blob_name
from .store import LayoutStore


class LayoutTarget:
    """`oci.storage.GraphTarget`. Without a *store* it only checks what exists."""

    def __init__(
        self, label: str, before: LayoutFiles | None, http: HttpClient, sizes: TransferSizes = DEFAULT_SIZES
    ) -> None:
        """*label* is the layout's path, *before* the layout that exists there, if any."""
        self.label = label
        self.store: LayoutStore | None = None
        """Stores what is missing; set before anything is received."""
        self._before = before
        self._http, self._sizes = http, sizes
        self._intact: set[Digest] = set()

    def resolve(self, _version: str) -> Descriptor | None:
        """Return None: tags are decided when the index is written, and manifests are checked by `is_complete`."""
        return None

    def is_complete(self, manifest: Manifest) -> bool:
        """Return whether *manifest* and all that it needs exist: a layout, unlike a registry, may have lost a blob."""
        return self.exists(manifest.descriptor) and all(map(self.exists, blobs_of([manifest])))

    def exists(self, blob: Descriptor) -> bool:
        """Return whether *blob* exists and is intact. Reads it, once."""
        if blob.digest in self._intact:
            return True
        if not self._is_intact(blob):
            return False
        self._intact.add(blob.digest)
        return True

    def receivers(self, blob: Descriptor, source: Source, advance: Advance) -> Sequence[Receiver]:
        """Return the jobs that download *blob*, unless it exists: several for the ranges of a large one."""
        if blob.size < self._sizes.ranged:
            return [functools.partial(self._receive, blob, source, advance)]
        large = LargeBlob(source, blob, functools.partial(self._open_large, blob), self._http, advance, self._sizes)
        return [functools.partial(self._receive_large, large, blob)] * large.most_workers

    def put(self, manifest: Manifest, _version: str) -> None:
        """Store *manifest*. Its tag is written with the index."""
        if self.exists(manifest.descriptor):
            return
        file = self._opened().open_blob(manifest.descriptor)
        try:
            file.write(memoryview(manifest.raw))
            file.commit()
        finally:
            file.discard()
        self._intact.add(manifest.digest)

    def _is_intact(self, blob: Descriptor) -> bool:
        file = self._before.open(blob_name(blob.digest)) if self._before else None
        if file is not None:
            with contextlib.closing(file):
                if file.size == blob.size and self._has_digest(file, blob):
                    return True
        return self.store is not None and self.store.has(blob)

    def _receive(self, blob: Descriptor, source: Source, advance: Advance) -> str:
        if self.exists(blob):
            return SKIPPED
        file = self._opened().open_blob(blob)
        try:
            BlobDownload(source, blob, self._http.attempts(), advance, self._sizes).into(file)
            file.commit()
        finally:
            file.discard()
        self._intact.add(blob.digest)
        return COPIED

    def _receive_large(self, large: LargeBlob, blob: Descriptor) -> str | None:
        state = large.work()
        if state == COPIED:
            self._intact.add(blob.digest)
        return state

    def _open_large(self, blob: Descriptor) -> RangedFile | None:
        return None if self.exists(blob) else self._opened().open_ranged(blob)

    def _opened(self) -> LayoutStore:
        assert self.store is not None
        return self.store

    def _has_digest(self, content: Content, blob: Descriptor) -> bool:
        """Return whether *content*, which has the size of *blob*, has its digest."""
        verifier = Verifier(blob.digest, blob.size)
        buffer = memoryview(bytearray(min(self._sizes.buffer, blob.size + 1)))
        with content.open_range(0, blob.size) as reader:
            while count := reader.readinto(buffer):  # type: ignore[union-attr]
                require_running(self._http.waiter.cancelled)
                verifier.update(buffer[:count])
        return verifier.is_right()
