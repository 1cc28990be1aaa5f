"""One layer of an artifact on its way to the disk."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import DigestMismatchError
from ..files.archive.extract import Extraction, size_limit
from ..files.writing.destination import Destination
from ..files.writing.resumable_file import KeptPart
from ..oci.content import Source
from ..oci.mediatypes import CONTENT_DIGEST, UNPACK
from ..transfer.concurrency import MANY_BULK, Pace
from ..transfer.download import BlobDownload
from ..transfer.progress import Progress
from ..transfer.ranged_download import RANGED_FROM, SEGMENT, RangedDownload, most_workers
from ..transfer.scheduler import Job
from ..transfer.upload import SINGLE_LIMIT
from ..transport.client import HttpClient
from ..transport.messages import BLOCK
from .pull_plan import Planned


@dataclass(frozen=True)
class Fetcher:
    """Writes layers into *destination*; each takes its name when all of it is there and right."""

    source: Source
    http: HttpClient
    destination: Destination
    progress: Progress
    pace: Pace
    max_unpacked_size: int | None = None

    def jobs(self, item: Planned) -> Sequence[Job]:
        """What has to be done for *item*, as work that may run side by side."""
        size = item.blob.size
        if item.folder:
            return [Job(functools.partial(self._folder, item), size, size > SINGLE_LIMIT)]
        if size < RANGED_FROM:
            return [Job(functools.partial(self._file, item), size, size > SINGLE_LIMIT)]
        large = _LargeFile(self, item)
        workers = min(MANY_BULK, most_workers(size))
        return [Job(large.work, size, True, helps) for helps in range(workers)]

    def moved(self, item: Planned, size: int) -> None:
        """Account for *size* bytes of *item*."""
        self.pace.moved(size)
        self.progress.advanced(item.blob, size)

    def _file(self, item: Planned) -> None:
        self.progress.started(item.blob, "Downloading")
        with self.destination.open_part(item.name) as part:
            self._download(item).into(part)
            part.commit()
        self.progress.finished(item.blob, "Downloaded")

    def _folder(self, item: Planned) -> None:
        """Unpack beside the download; nothing is moved into place before the layer's digest is confirmed."""
        self.progress.started(item.blob, "Downloading")
        limit = self.max_unpacked_size or size_limit(item.blob.size)
        digest = item.blob.annotations.get(CONTENT_DIGEST)
        bare = UNPACK not in item.blob.annotations
        with Extraction(self.destination, item.name, max_size=limit, digest=digest, bare=bare) as extraction:
            with contextlib.closing(self._download(item)) as download:
                layer = _Layer(download)
                extraction.read(layer.read)
                layer.finish()
            extraction.commit()
        self.progress.finished(item.blob, "Downloaded")

    def _download(self, item: Planned) -> BlobDownload:
        advance = functools.partial(self.moved, item)
        return BlobDownload(self.source, item.blob, self.http.attempts(), advance)


class _Layer:
    """A folder's layer as something to read, with its digest checked at the end."""

    def __init__(self, download: BlobDownload) -> None:
        self._download = download

    def read(self, size: int) -> bytes:
        """The next bytes, at most *size*; none at the end."""
        buffer = bytearray(min(size, BLOCK))
        count = self._download.readinto(memoryview(buffer))
        return bytes(memoryview(buffer)[:count])

    def finish(self) -> None:
        """Read what the archive did not need and check the whole; raises `DigestMismatchError`."""
        while self.read(BLOCK):
            pass
        self._download.finish()


class _LargeFile:
    """A file that several threads fetch. The first opens it, the last one verifies it and gives it its name."""

    def __init__(self, fetcher: Fetcher, item: Planned) -> None:
        self._fetcher, self._item = fetcher, item
        self._lock = threading.Lock()
        self._part: KeptPart | None = None
        self._download: RangedDownload | None = None
        self._active = 0
        self._failed = self._ended = False

    def work(self) -> None:
        """Take part until no piece is left."""
        with self._lock:
            if self._ended:
                return
            self._active += 1
        try:
            self._opened().work()
        except BaseException:
            self._failed = True
            raise
        finally:
            self._leave()

    def _opened(self) -> RangedDownload:
        with self._lock:
            if self._download is None:
                fetcher, blob = self._fetcher, self._item.blob
                fetcher.progress.started(blob, "Downloading")
                self._part = fetcher.destination.open_kept(self._item.name, blob.digest, blob.size, SEGMENT)
                advance = functools.partial(fetcher.moved, self._item)
                http = fetcher.http
                self._download = RangedDownload(
                    fetcher.source, blob, self._part, http.attempts, http.waiter.cancelled, advance
                )
            return self._download

    def _leave(self) -> None:
        with self._lock:
            self._active -= 1
            if self._active or self._ended:
                return
            self._ended = True
        if self._part is not None and self._download is not None:
            self._end(self._part, self._download)

    def _end(self, part: KeptPart, download: RangedDownload) -> None:
        try:
            if self._failed:
                return
            while not download.finish():
                download.work()
            part.commit()
        except DigestMismatchError:
            part.forget()
            raise
        finally:
            part.discard()
        self._fetcher.progress.finished(self._item.blob, "Downloaded")
