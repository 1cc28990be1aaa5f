"""Sends what a push is made of, and learns on the way what each piece is."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..files.archive.compression import GZIP, NONE, ZSTD, Codec
from ..oci.content import Content
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.manifest import Manifest
from ..oci.mediatypes import CONTENT_DIGEST, LAYER, LAYER_GZIP, LAYER_ZSTD, TITLE, UNPACK
from ..oci.registry import Registry
from ..transfer.concurrency import Pace
from ..transfer.progress import Progress
from ..transfer.repository_storage import RepositoryStorage
from ..transfer.scheduler import Job, Scheduler
from ..transfer.upload import ASKED_FROM, SINGLE_LIMIT
from ..transfer.upload_sessions import Journal
from ..transfer.upload_source import Feed, FileFeed, Identity
from .inputs import FolderFeed, Input, is_same_folder

_FOLDER_TYPES = {GZIP: LAYER_GZIP, ZSTD: LAYER_ZSTD, NONE: LAYER}
UPLOADED = "uploaded"
SKIPPED = "skipped"


@dataclass
class Shipment:
    """One blob to send: a file or folder of the user's, or *content* that is at hand. Once it has been sent,
    *descriptor* says what it is, and *state* whether it was."""

    media_type: str
    annotations: Mapping[str, str]
    item: Input | None = None
    content: Content | None = None
    data: bytes | None = None
    descriptor: Descriptor | None = None
    state: str = SKIPPED

    @property
    def size(self) -> int:
        """Bytes to read."""
        return self.item.size if self.item else self.content.size if self.content else 0


def shipment_of(item: Input, default_type: str | None, codec: Codec) -> Shipment:
    """What *item* is sent as; *default_type* is the media type where the user named none."""
    kind = item.spec.media_type or default_type or (_FOLDER_TYPES[codec.name] if item.folder else LAYER)
    return Shipment(kind, {TITLE: item.title, **item.annotations}, item=item)


@dataclass
class Shipper:
    """Sends shipments to one repository. *present* is what the tag holds now: none of it is sent, nor asked for. In a
    *dry_run* it only reads the files, and finds out what it would send."""

    registry: Registry
    repository: str
    present: Manifest | None
    journal: Journal
    progress: Progress
    codec: Codec
    concurrency: int | None = None
    dry_run: bool = False
    _claims: dict[Digest, Shipment] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        blobs = (*self.present.layers, self.present.config) if self.present else ()
        self._held = {blob.digest for blob in blobs if blob}
        self._known = {blob.title: blob for blob in blobs if blob and blob.title}
        self._pace = Pace(self.registry.http, self.concurrency)
        self._storage = RepositoryStorage(self.registry, self.repository, self.journal)

    def ship(self, shipments: Sequence[Shipment]) -> None:
        """Send them all, the largest first; each has its descriptor afterwards."""
        self.progress.expect(sum(shipment.size for shipment in shipments))
        jobs = [
            Job(functools.partial(self._ship, shipment), shipment.size, shipment.size > SINGLE_LIMIT)
            for shipment in shipments
        ]
        Scheduler(self.registry.http, self._pace).run(jobs)

    def _ship(self, shipment: Shipment) -> None:
        item = shipment.item
        if item is not None and item.folder is not None:
            self._ship_folder(shipment, item)
            return
        content = shipment.content or (item.file if item else None)
        assert content is not None
        parked = item.file if item and item.file and item.file.is_parked else None
        feed = FileFeed(content, self._key(item), self._cancelled, self._is_likely(item))
        try:
            identity, sent = self._send(shipment, feed)
        finally:
            if parked:
                parked.park()
        self._settle(shipment, identity, sent, {})

    def _ship_folder(self, shipment: Shipment, item: Input) -> None:
        assert item.folder is not None
        known = self._known.get(item.title)
        if known is not None and is_same_folder(item.folder, known):
            marks = _folder_marks(known.annotations[CONTENT_DIGEST])
            self._settle(shipment, Identity(known.digest, known.size), False, marks)
            self.progress.advanced(_named(shipment, known.digest), shipment.size)
            return
        feed = FolderFeed(item.folder, self.codec, self._storage.place)
        identity, sent = self._send(shipment, feed)
        self._settle(shipment, identity, sent, _folder_marks(feed.tar_digest))

    def _send(self, shipment: Shipment, feed: Feed) -> tuple[Identity, bool]:
        shown = _named(shipment, Digest(""))
        self.progress.started(shown, "Reading" if self.dry_run else "Uploading")
        held = functools.partial(self._is_held, shipment)
        if self.dry_run:
            identity = feed.settle()
            return identity, not held(identity)
        return self._storage.upload(feed, held, functools.partial(self._moved, shown))

    def _moved(self, blob: Descriptor, size: int) -> None:
        self._pace.moved(size)
        self.progress.advanced(blob, size)

    def _settle(self, shipment: Shipment, identity: Identity, sent: bool, marks: Mapping[str, str]) -> None:
        annotations = {**shipment.annotations, **marks}
        shipment.descriptor = Descriptor(
            shipment.media_type, identity.digest, identity.size, annotations, data=shipment.data
        )
        shipment.state = UPLOADED if sent else SKIPPED
        self.progress.finished(shipment.descriptor, "Exists" if not sent else "New" if self.dry_run else "Uploaded")

    def _is_held(self, shipment: Shipment, identity: Identity) -> bool:
        """Whether the registry has the blob, or another shipment of the same bytes is on its way."""
        if identity.digest in self._held:
            return True
        with self._lock:
            owner = self._claims.setdefault(identity.digest, shipment)
        if owner is not shipment:
            return True
        asked = identity.size >= ASKED_FROM
        return asked and self._storage.exists(Descriptor("", identity.digest, identity.size))

    def _is_likely(self, item: Input | None) -> bool:
        """Whether the registry probably has the file: then it is hashed before anything is sent."""
        known = self._known.get(item.title) if item else None
        return known is not None and item is not None and known.size == item.size

    def _key(self, item: Input | None) -> str:
        """What a journal knows the upload by; a blob that goes in one request needs none."""
        if item is None or item.file is None or item.size <= SINGLE_LIMIT:
            return ""
        return f"{self._storage.place}|{item.file.version}"

    @property
    def _cancelled(self) -> threading.Event:
        return self.registry.http.waiter.cancelled


def _folder_marks(tar_digest: str) -> dict[str, str]:
    """The annotations by which ORAS and ACR Tasks know a folder's layer."""
    return {UNPACK: "true", CONTENT_DIGEST: tar_digest}


def _named(shipment: Shipment, digest: Digest) -> Descriptor:
    return Descriptor(shipment.media_type, digest, shipment.size, shipment.annotations)
