"""Download the layers of an artifact to the disk."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..files.archive.budget import UnpackBudget, stated_limit
from ..files.names import RelativeName
from ..files.writing.comparing import Comparing
from ..files.writing.destination import Destination
from ..files.writing.resumable_file import ResumableFile
from ..oci.mediatypes import CONTENT_DIGEST, UNPACK
from ..oci.parts import PartsVerifier
from ..transfer.concurrency import Concurrency
from ..transfer.download import BlobDownload
from ..transfer.large_blob import LargeBlob
from ..transfer.parts_source import PartsSource, fitting_sizes
from ..transfer.progress import Progress
from ..transfer.read_ahead import ReadAhead
from ..transfer.repository_storage import RepositoryStorage
from ..transfer.scheduler import Job, Scheduler
from .pull_plan import Planned

if TYPE_CHECKING:
    from ..files.archive.extract import Extraction, Unpacked

Layer = BlobDownload | ReadAhead
"""How the bytes of a folder's layer are read."""


@dataclass(frozen=True)
class Downloader:
    """Writes layers into *destination*. Each gets its name when it is complete and verified. The folders share
    *budget*."""

    source: RepositoryStorage
    destination: Destination
    progress: Progress
    concurrency: Concurrency
    max_unpacked_size: int | None = None
    budget: UnpackBudget | None = None
    members: dict[RelativeName, Sequence[str]] = field(default_factory=dict)
    """Of each folder of which only some members were selected, the names of those below the destination."""
    _sources: dict[RelativeName, PartsSource] = field(default_factory=dict)
    _staged: list[tuple[Planned, Extraction]] = field(default_factory=list)

    def run(self, items: Sequence[Planned]) -> None:
        """Download all *items*."""
        Scheduler(self.concurrency).run([job for item in items for job in self.jobs(item)])

    def search(self, folders: Sequence[Planned], check: Callable[[], None]) -> None:
        """Download *folders*, and move what is selected of them to its names only if *check* does not raise."""
        jobs = [job for item in folders for job in self._folder_jobs(item, self._stage)]
        try:
            Scheduler(self.concurrency).run(jobs)
            check()
            for item, extraction in self._staged:
                self._commit(item, extraction)
        finally:
            for _, extraction in self._staged:
                extraction.discard()

    def jobs(self, item: Planned) -> Sequence[Job]:
        """Return the jobs that download *item*, which may run at the same time."""
        size, sizes = item.blob.size, self.source.sizes
        if item.folder:
            return self._folder_jobs(item, self._folder)
        if item.parts:
            return self._parts_jobs(item)
        if size < sizes.ranged:
            return [Job(functools.partial(self._file, item), size, size > sizes.single)]
        open_file, moved = functools.partial(self._open, item, sizes.block), functools.partial(self._moved, item)
        return self._large_jobs(item, LargeBlob(self.source, item.blob, open_file, self.concurrency.http, moved, sizes))

    def _large_jobs(self, item: Planned, large: LargeBlob) -> Sequence[Job]:
        work = functools.partial(self._large_file, item, large)
        return [Job(work, item.blob.size, True, helps) for helps in range(large.most_workers)]

    def _parts_jobs(self, item: Planned) -> Sequence[Job]:
        """Return the jobs that write the parts of *item* into one file: the same as for a blob of its size."""
        http, sizes = self.concurrency.http, fitting_sizes(item.parts, self.source.sizes)
        parts = PartsSource(self.source, item.parts, http.waiter.cancelled)

        def open_file() -> ResumableFile:
            file = self._open(item, sizes.block)
            parts.write_to(file, sizes.block)
            self._sources[item.name] = parts
            return file

        moved, verifier = functools.partial(self._moved, item), functools.partial(PartsVerifier, item.blob, item.parts)
        return self._large_jobs(item, LargeBlob(parts, item.blob, open_file, http, moved, sizes, verifier))

    def bytes_copied(self, name: RelativeName) -> int:
        """Return how many bytes of the file *name* came from the disk instead of the network."""
        return self._sources[name].copied if name in self._sources else 0

    def _folder_jobs(self, item: Planned, work: Callable[[Planned, Layer], None]) -> Sequence[Job]:
        """Return the jobs that download the layer of *item*; *work* reads it."""
        size, sizes = item.blob.size, self.source.sizes
        if size < sizes.ranged or self.concurrency.fixed == 1:
            run = functools.partial(work, item, self._download(item))
            return [Job(run, size, size > sizes.single)]
        moved = functools.partial(self._moved, item)
        download = ReadAhead(self.source, item.blob, self.concurrency.http, moved, sizes)
        helpers = [Job(download.help, size, True, helps) for helps in range(1, download.most_helpers + 1)]
        return [Job(functools.partial(work, item, download), size, True), *helpers]

    def _file(self, item: Planned) -> None:
        self.progress.started(item.blob, "Downloading")
        with self.destination.open_temporary(item.name, item.bits) as file:
            self._download(item).into(file)
            file.commit()
        self.progress.finished(item.blob, "Downloaded")

    def _large_file(self, item: Planned, large: LargeBlob) -> None:
        if large.work():
            self.progress.finished(item.blob, "Downloaded")

    def _open(self, item: Planned, block: int) -> ResumableFile:
        self.progress.started(item.blob, "Downloading")
        return self.destination.open_resumable(item.name, item.blob.digest, item.blob.size, block, item.bits)

    def _folder(self, item: Planned, download: Layer) -> None:
        """Unpack during the download. Nothing is moved into place before the layer's digest is verified."""
        with self._extraction(item) as extraction:
            self._read_folder(item, download, extraction)
            self._commit(item, extraction)

    def _stage(self, item: Planned, download: Layer) -> None:
        """Unpack during the download; `search` moves it into place, or removes it."""
        extraction = self._extraction(item)
        self._staged.append((item, extraction))
        self._read_folder(item, download, extraction)

    def _read_folder(self, item: Planned, download: Layer, extraction: Extraction) -> None:
        self.progress.started(item.blob, "Downloading")
        unpacked = self._unpack(download, extraction)
        if item.members:
            self.members[item.name] = unpacked.members

    def _commit(self, item: Planned, extraction: Extraction) -> None:
        extraction.commit()
        self.progress.finished(item.blob, "Downloaded")

    def compare(self, item: Planned, comparing: Comparing) -> None:
        """Download the folder *item* and let *comparing* compare its members with the disk. Nothing is written."""
        self.progress.started(item.blob, "Comparing")
        with self._extraction(item, comparing) as extraction:
            members = self._unpack(self._download(item), extraction).members
        if item.members:
            self.members[item.name] = members
        self.progress.finished(item.blob, "Compared")

    def _extraction(self, item: Planned, comparing: Comparing | None = None) -> Extraction:
        # Imported here: what only folders need takes longer to import than a small file to download.
        from ..files.archive.extract import Extraction

        return Extraction(
            self.destination,
            item.name,
            max_size=self.max_unpacked_size or stated_limit([(item.blob.size, item.stated_size)]),
            digest=item.blob.annotations.get(CONTENT_DIGEST),
            bare=UNPACK not in item.blob.annotations,
            budget=self.budget,
            selection=item.members,
            comparing=comparing,
        )

    def _unpack(self, download: Layer, extraction: Extraction) -> Unpacked:
        with contextlib.closing(download):
            unpacked = extraction.read(download.read)
            download.drain()
        return unpacked

    def _download(self, item: Planned) -> BlobDownload:
        advance = functools.partial(self._moved, item)
        return BlobDownload(self.source, item.blob, self.concurrency.http.attempts(), advance, self.source.sizes)

    def _moved(self, item: Planned, size: int) -> None:
        self.concurrency.moved(size)
        self.progress.advanced(item.blob, size)
