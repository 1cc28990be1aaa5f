"""An OCI image layout as the target of a backup: what is there and right is not fetched again."""

from __future__ import annotations

import contextlib
import functools
import threading

from ..errors import CancelledError, DigestMismatchError
from ..oci.content import Advance, Content, Source
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest, Verifier
from ..oci.manifest import Manifest, blobs_of
from ..oci.storage import COPIED, SKIPPED
from ..transfer.concurrency import MANY_BULK, Pace
from ..transfer.download import BlobDownload
from ..transfer.ranged_download import RANGED_FROM, RangedDownload, most_workers
from ..transfer.scheduler import Job, Scheduler
from ..transport.client import HttpClient
from ..transport.messages import BLOCK
from .files import LayoutFiles
from .index import blob_name
from .store import LayoutStore


class LayoutTarget:
    """`oci.storage.GraphTarget`. Without a *store* it only tells what is there."""

    def __init__(self, place: str, before: LayoutFiles | None, http: HttpClient, concurrency: int | None) -> None:
        """*before* is the layout that is at *place*, if any."""
        self.place = place
        self.store: LayoutStore | None = None
        """Where what is missing goes; set before anything is received."""
        self._before = before
        self._http = http
        self._pace = Pace(http, concurrency)
        self._right: set[Digest] = set()
        self._large = threading.Lock()

    def resolve(self, _version: str) -> Descriptor | None:
        """None: whoever writes the index decides about tags, and manifests are asked for by `holds`."""
        return None

    def holds(self, manifest: Manifest) -> bool:
        """Whether *manifest* and all that it needs are there: a layout, unlike a registry, may have lost some."""
        return self.exists(manifest.descriptor) and all(map(self.exists, blobs_of([manifest])))

    def exists(self, blob: Descriptor) -> bool:
        """Whether *blob* is there, all of it and right. Reads it, once."""
        if blob.digest in self._right:
            return True
        if not self._is_right(blob):
            return False
        self._right.add(blob.digest)
        return True

    def receive(self, blob: Descriptor, source: Source, advance: Advance) -> str:
        """Fetch *blob*, unless it is there. A large one comes in pieces over several connections, which outlive a
        failure; one such blob at a time, since it takes all connections that the line is worth."""
        if self.exists(blob):
            return SKIPPED
        if blob.size < RANGED_FROM:
            self._fetch(blob, source, advance)
        else:
            with self._large:
                self._fetch_pieces(blob, source, advance)
        self._right.add(blob.digest)
        return COPIED

    def put(self, manifest: Manifest, _version: str) -> None:
        """Store *manifest*. Under which tag is known to whoever writes the index."""
        if self.exists(manifest.descriptor):
            return
        part = self._opened().open_part(manifest.descriptor)
        try:
            part.write(memoryview(manifest.raw))
            part.commit()
        finally:
            part.discard()
        self._right.add(manifest.digest)

    def _is_right(self, blob: Descriptor) -> bool:
        file = self._before.open(blob_name(blob.digest)) if self._before else None
        if file is not None:
            with contextlib.closing(file):
                if file.size == blob.size and self._has_digest(file, blob):
                    return True
        return self.store is not None and self.store.holds(blob)

    def _fetch(self, blob: Descriptor, source: Source, advance: Advance) -> None:
        part = self._opened().open_part(blob)
        try:
            BlobDownload(source, blob, self._http.attempts(), advance).into(part)
            part.commit()
        finally:
            part.discard()

    def _fetch_pieces(self, blob: Descriptor, source: Source, advance: Advance) -> None:
        pieces = self._opened().open_pieces(blob)
        http = self._http
        moved = functools.partial(self._moved, advance)
        try:
            download = RangedDownload(source, blob, pieces, http.attempts, http.waiter.cancelled, moved)
            workers = min(MANY_BULK, most_workers(blob.size))
            Scheduler(http, self._pace).run([Job(download.work, blob.size, True)] * workers)
            while not download.finish():
                download.work()
            pieces.commit()
        except DigestMismatchError:
            pieces.forget()
            raise
        finally:
            pieces.discard()

    def _moved(self, advance: Advance, size: int) -> None:
        self._pace.moved(size)
        advance(size)

    def _opened(self) -> LayoutStore:
        assert self.store is not None
        return self.store

    def _has_digest(self, content: Content, blob: Descriptor) -> bool:
        """Whether the bytes of *content*, which has the size of *blob*, are those of *blob*."""
        verifier = Verifier(blob.digest, blob.size)
        buffer = memoryview(bytearray(min(BLOCK, blob.size + 1)))
        with content.open_range(0, blob.size) as reader:
            while count := reader.readinto(buffer):  # type: ignore[union-attr]
                if self._http.waiter.cancelled.is_set():
                    raise CancelledError("Stopped")
                verifier.update(buffer[:count])
        try:
            verifier.finish()
        except DigestMismatchError:
            return False
        return True
