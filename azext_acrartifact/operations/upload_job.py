"""Upload the blobs of an artifact, and find their digests on the way."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..files.archive.budget import size_limit
from ..files.archive.compression import GZIP, NONE, ZSTD, Codec
from ..oci.content import Advance, Content
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest, digest_of
from ..oci.manifest import Manifest
from ..oci.mediatypes import CONTENT_DIGEST, FOLDER_SIZE, LAYER, LAYER_GZIP, LAYER_ZSTD, TITLE, UNPACK
from ..transfer.concurrency import Concurrency
from ..transfer.progress import Progress
from ..transfer.repository_storage import RepositoryStorage
from ..transfer.scheduler import Job, Scheduler
from ..transfer.sizes import TransferSizes
from ..transfer.upload_source import FileSource, Identity, UploadSource
from .file_in_parts import FileInParts, PartOfFile
from .inputs import FolderSource, Input, is_same_folder
from .part_size import is_in_parts

_FOLDER_TYPES = {GZIP: LAYER_GZIP, ZSTD: LAYER_ZSTD, NONE: LAYER}
UPLOADED = "uploaded"
SKIPPED = "skipped"
_STAND_IN = digest_of(b"")


@dataclass
class PendingUpload:
    """One blob to upload: a file or folder of the user's, a *part* of a file, or *content* in memory. When the upload
    has ended, *descriptor* describes the blob, and *state* says whether it was sent."""

    media_type: str
    annotations: Mapping[str, str]
    item: Input | None = None
    content: Content | None = None
    data: bytes | None = None
    part: PartOfFile | None = None
    descriptor: Descriptor | None = None
    state: str = SKIPPED

    @property
    def size(self) -> int:
        """Bytes to read."""
        return self.item.size if self.item else self.content.size if self.content else 0

    @property
    def expected(self) -> Descriptor:
        """The descriptor that it will have, with another digest of the same length. A folder's size is 0."""
        if self.part is not None:
            return self.part.described(_STAND_IN)
        folder = self.item is not None and self.item.folder is not None
        marks = _folder_marks(_STAND_IN) if folder else {}
        size = 0 if folder else self.size
        return Descriptor(self.media_type, _STAND_IN, size, {**self.annotations, **marks}, data=self.data)


def pending_uploads(
    item: Input, default_type: str | None, codec: Codec, part_size: int | None = None
) -> list[PendingUpload]:
    """Return the uploads of *item*: one, or one for each part of *part_size* bytes of a file that is larger.
    *default_type* is the media type if the user named none."""
    kind = item.spec.media_type or default_type or (_FOLDER_TYPES[codec.name] if item.folder else LAYER)
    if part_size is not None and is_in_parts(item, part_size):
        parts = FileInParts(item, kind, part_size).parts
        return [PendingUpload(kind, {TITLE: part.title}, content=part.content, part=part) for part in parts]
    return [PendingUpload(kind, item.marks, item=item)]


def notes_on_parts(uploads: Sequence[PendingUpload]) -> list[str]:
    """Return what other tools will see of each file in parts among *uploads*."""
    files = [one.part.file for one in uploads if one.part is not None and one.part.number == 1]
    return [
        f"{file.whole.title} will be {len(file.parts)} parts. az acr artifact pull makes one file of them. oras pull "
        f"and az acr build oci://… will see {file.seen_as}, which cat joins."
        for file in files
    ]


@dataclass
class Uploader:
    """Uploads blobs to *storage*. Blobs of *present*, the manifest under the tag, are neither sent nor checked. A
    *dry_run* only reads the files, and finds what it would send."""

    storage: RepositoryStorage
    concurrency: Concurrency
    present: Manifest | None
    progress: Progress
    codec: Codec
    dry_run: bool = False
    _claims: dict[Digest, PendingUpload] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        blobs = (*self.present.layers, self.present.config) if self.present else ()
        self._digests = {blob.digest for blob in blobs if blob}
        self._known = {blob.title: blob for blob in blobs if blob and blob.title}

    def run(self, uploads: Sequence[PendingUpload]) -> None:
        """Upload all *uploads*, the largest first; each has its descriptor afterwards."""
        self.progress.expect(sum(upload.size for upload in uploads))
        single = self.storage.sizes.single
        jobs = [
            Job(functools.partial(self._upload, upload), upload.size, upload.part is not None or upload.size > single)
            for upload in uploads
        ]
        Scheduler(self.concurrency).run(jobs)
        for upload in uploads:
            if upload.part is not None and upload.descriptor is not None:
                upload.descriptor = upload.part.described(upload.descriptor.digest)

    def _upload(self, upload: PendingUpload) -> None:
        item = upload.item
        if item is not None and item.folder is not None:
            self._upload_folder(upload, item)
            return
        if upload.part is not None:
            self._upload_part(upload, upload.part)
            return
        content = upload.content or (item.file if item else None)
        assert content is not None
        parked = item.file if item and item.file and item.file.is_parked else None
        cancelled, sizes = self.concurrency.http.waiter.cancelled, self.storage.sizes
        name = item.title if item else ""
        source = FileSource(content, self._key(item), cancelled, self._is_likely(item), sizes, name)
        try:
            identity, sent = self._send(upload, source)
        finally:
            if parked:
                parked.park()
        self._settle(upload, identity, sent, {})

    def _upload_folder(self, upload: PendingUpload, item: Input) -> None:
        assert item.folder is not None
        known = self._known.get(item.title)
        if known is not None and is_same_folder(item.folder, known):
            marks = _folder_marks(known.annotations[CONTENT_DIGEST])
            self._settle(upload, Identity(known.digest, known.size), False, marks)
            self.progress.advanced(_shown(upload, known.digest), upload.size)
            return
        source = FolderSource(item.folder, self.codec, self.storage.label)
        identity, sent = self._send(upload, source)
        self._settle(upload, identity, sent, _folder_marks(source.tar_digest))

    def state_sizes(self, uploads: Sequence[PendingUpload]) -> None:
        """State the unpacked size of folders that compress so well that a pull would refuse them all together."""
        folders = [one for one in uploads if one.item and one.item.folder and one.descriptor]
        packed = sum(one.descriptor.size for one in folders if one.descriptor)
        if sum(one.size for one in folders) <= size_limit(packed):
            return
        for one in folders:
            assert one.descriptor is not None
            stated = {**one.descriptor.annotations, FOLDER_SIZE: str(one.size)}
            one.descriptor = replace(one.descriptor, annotations=stated)

    def _upload_part(self, upload: PendingUpload, part: PartOfFile) -> None:
        """Upload a part, which is hashed first: that takes far less time than to send it, and no part is sent that the
        registry has. The progress is that of the whole file."""
        file, cancelled, sizes = part.file, self.concurrency.http.waiter.cancelled, self.storage.sizes
        if file.begin(cancelled, sizes):
            self.progress.started(file.whole, self._verb)
        source = file.hashed(part, self._part_source)
        begun = False

        def moved(size: int) -> None:
            nonlocal begun
            if not begun:
                begun = True
                file.hash_more(self._part_source)
            self._moved(file.whole, size)

        identity, sent = self._send_as(upload, source, moved)
        if not begun:
            file.hash_more(self._part_source)
        upload.descriptor = Descriptor(upload.media_type, identity.digest, identity.size)
        upload.state = UPLOADED if sent else SKIPPED
        if self.dry_run or not sent:
            self.progress.advanced(file.whole, part.content.size)
        if file.end(sent):
            self.progress.finished(file.whole, self._outcome(file.sent))

    def _part_source(self, part: PartOfFile, sizes: TransferSizes) -> FileSource:
        key = f"{self.storage.label}|{part.key}" if part.content.size > sizes.single else ""
        return FileSource(part.content, key, self.concurrency.http.waiter.cancelled, False, sizes, part.title)

    @property
    def _verb(self) -> str:
        return "Reading" if self.dry_run else "Uploading"

    def _outcome(self, sent: bool) -> str:
        return "Exists" if not sent else "New" if self.dry_run else "Uploaded"

    def _send(self, upload: PendingUpload, source: UploadSource) -> tuple[Identity, bool]:
        shown = _shown(upload, Digest(""))
        self.progress.started(shown, self._verb)
        return self._send_as(upload, source, functools.partial(self._moved, shown))

    def _send_as(self, upload: PendingUpload, source: UploadSource, moved: Advance) -> tuple[Identity, bool]:
        """Send *source* unless it exists; its bytes count as *moved* does it."""
        exists = functools.partial(self._exists, upload)
        if self.dry_run:
            identity = source.settle()
            return identity, not exists(identity)
        return self.storage.upload(source, exists, moved)

    def _moved(self, blob: Descriptor, size: int) -> None:
        self.concurrency.moved(size)
        self.progress.advanced(blob, size)

    def _settle(self, upload: PendingUpload, identity: Identity, sent: bool, marks: Mapping[str, str]) -> None:
        annotations = {**upload.annotations, **marks}
        upload.descriptor = Descriptor(upload.media_type, identity.digest, identity.size, annotations, data=upload.data)
        upload.state = UPLOADED if sent else SKIPPED
        self.progress.finished(upload.descriptor, self._outcome(sent))

    def _exists(self, upload: PendingUpload, identity: Identity) -> bool:
        """Return whether the registry has the blob, or another upload sends the same bytes."""
        if identity.digest in self._digests:
            return True
        with self._lock:
            owner = self._claims.setdefault(identity.digest, upload)
        if owner is not upload:
            return True
        worth = identity.size >= self.storage.sizes.checked
        return worth and self.storage.exists(Descriptor("", identity.digest, identity.size))

    def _is_likely(self, item: Input | None) -> bool:
        """Return whether the registry probably has the file: then it is hashed before anything is sent."""
        known = self._known.get(item.title) if item else None
        return known is not None and item is not None and known.size == item.size

    def _key(self, item: Input | None) -> str:
        """Return the key of the upload session; a blob that is sent in one request needs none."""
        if item is None or item.file is None or item.size <= self.storage.sizes.single:
            return ""
        return f"{self.storage.label}|{item.file.version}"


def _folder_marks(tar_digest: str) -> dict[str, str]:
    """Return the annotations by which ORAS and ACR Tasks recognize a folder's layer."""
    return {UNPACK: "true", CONTENT_DIGEST: tar_digest}


def _shown(upload: PendingUpload, digest: Digest) -> Descriptor:
    return Descriptor(upload.media_type, digest, upload.size, upload.annotations)
