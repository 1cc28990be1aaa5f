"""pull: an artifact becomes files and folders."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import InvalidInputError, InvalidManifestError
from ..files.extract import Extraction, size_limit
from ..files.globs import Selection
from ..files.names import safe_name
from ..files.place import Destination
from ..oci.descriptor import Descriptor
from ..oci.manifest import Manifest
from ..oci.mediatypes import CONTENT_DIGEST
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transfer.download import BlobDownload
from ..transfer.progress import Progress
from ..transfer.repository import RepositoryStorage
from ..transfer.scheduler import CONCURRENCY, run_all
from ..transport.messages import BLOCK
from .plan import Plan, Planned, Skipped, plan_pull

DOWNLOADED = "downloaded"
UNCHANGED = "unchanged"


@dataclass(frozen=True)
class PullOrder:
    """What the user asked for. *config_path* is where the config blob goes, if anywhere; *max_unpacked_size* is
    in bytes for each folder."""

    reference: Reference
    destination: str
    selection: Selection = field(default_factory=Selection)
    config_path: str | None = None
    max_unpacked_size: int | None = None
    concurrency: int = CONCURRENCY


@dataclass(frozen=True)
class PulledFile:
    """One layer on the disk at the absolute *path*; *state* is `downloaded`, or `unchanged` when it was there."""

    path: str
    blob: Descriptor
    state: str


@dataclass(frozen=True)
class PullResult:
    """What is on the disk now, and what of the artifact was left out."""

    reference: Reference
    manifest: Manifest
    files: Sequence[PulledFile]
    skipped: Sequence[Skipped]
    bytes_downloaded: int
    bytes_skipped: int


def pull(registry: Registry, order: PullOrder, progress: Progress) -> PullResult:
    """Write the artifact's files. Each takes its final name when all of it is there and right.

    Everything that can be known to be wrong is found before the first byte is written: names, space, rights.
    Raises any `ArtifactError`.
    """
    reference = order.reference
    if reference.version is None:
        raise InvalidInputError(
            "No tag and no digest", where=str(reference), hint=f"Write {reference}:TAG or {reference}@sha256:…"
        )
    manifest = registry.manifests.get(reference.repository, reference.version)
    plan = plan_pull(manifest, order.selection, str(reference))
    storage = RepositoryStorage(registry, reference.repository)
    with Destination.open(order.destination) as destination:
        files = _Puller(registry, storage, destination, order, progress).all(plan)
    if order.config_path:
        _save_config(registry, storage, manifest, order.config_path)
    fetched = sum(file.blob.size for file in files if file.state == DOWNLOADED)
    return PullResult(
        reference, manifest, files, plan.skipped, fetched, sum(file.blob.size for file in files) - fetched
    )


class _Puller:
    """Writes the planned files into one folder."""

    def __init__(
        self,
        registry: Registry,
        storage: RepositoryStorage,
        destination: Destination,
        order: PullOrder,
        progress: Progress,
    ) -> None:
        self._http, self._storage, self._destination = registry.http, storage, destination
        self._order, self._progress = order, progress

    def all(self, plan: Plan) -> list[PulledFile]:
        """Every planned file, in the artifact's order."""
        self._destination.require_writable([item.name for item in plan.files if not item.folder])
        present = [item for item in plan.files if self._is_there(item)]
        missing = [item for item in plan.files if item not in present]
        self._destination.require_space(sum(item.blob.size for item in missing))
        self._progress.expect(sum(item.blob.size for item in missing))
        missing.sort(key=lambda item: -item.blob.size)
        tasks = [functools.partial(self._fetch, item) for item in missing]
        run_all(tasks, self._http.waiter.cancelled, self._order.concurrency)
        return [self._result(item, UNCHANGED if item in present else DOWNLOADED) for item in plan.files]

    def _is_there(self, item: Planned) -> bool:
        if item.folder or self._destination.size_of(item.name) != item.blob.size:
            return False
        algorithm = item.blob.digest.partition(":")[0]
        same = self._destination.digest_of(item.name, algorithm) == item.blob.digest
        if same:
            self._progress.finished(item.blob, "Unchanged")
        return same

    def _fetch(self, item: Planned) -> None:
        self._progress.started(item.blob, "Downloading")
        if item.folder:
            self._fetch_folder(item)
        else:
            with self._destination.open_part(item.name) as part:
                self._download(item.blob).into(part)
                part.commit()
        self._progress.finished(item.blob, "Downloaded")

    def _fetch_folder(self, item: Planned) -> None:
        limit = self._order.max_unpacked_size or size_limit(item.blob.size)
        digest = item.blob.annotations.get(CONTENT_DIGEST)
        with Extraction(self._destination, item.name, max_size=limit, digest=digest) as extraction:
            layer = _Layer(self._download(item.blob))
            extraction.read(layer.read)
            layer.finish()
            extraction.commit()

    def _download(self, blob: Descriptor) -> BlobDownload:
        return BlobDownload(
            self._storage, blob, self._http.attempts(), lambda size: self._progress.advanced(blob, size)
        )

    def _result(self, item: Planned, state: str) -> PulledFile:
        return PulledFile(self._destination.shown(item.name), item.blob, state)


class _Layer:
    """A folder's layer as something to read, with its digest checked at the end."""

    def __init__(self, download: BlobDownload) -> None:
        self._download = download

    def read(self, size: int) -> bytes:
        """The next bytes, at most *size*; none at the end."""
        buffer = bytearray(min(size, BLOCK))
        count = self._download.readinto(memoryview(buffer))
        return bytes(buffer[:count])

    def finish(self) -> None:
        """Read what the archive did not need and check the whole; raises `DigestMismatchError`."""
        while self.read(BLOCK):
            pass
        self._download.finish()


def _save_config(registry: Registry, storage: RepositoryStorage, manifest: Manifest, path: str) -> None:
    if manifest.config is None:
        raise InvalidManifestError("The artifact has no config", where=path)
    folder, name = os.path.split(os.path.abspath(path))
    with Destination.open(folder) as destination, destination.open_part(safe_name(name)) as part:
        BlobDownload(storage, manifest.config, registry.http.attempts(), lambda size: None).into(part)
        part.commit()
