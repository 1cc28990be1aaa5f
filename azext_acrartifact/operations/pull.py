"""pull: an artifact becomes files and folders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import InvalidManifestError, LocalFileError
from ..files.globs import Selection
from ..files.names import safe_name
from ..files.writing.destination import Destination
from ..oci.descriptor import Descriptor
from ..oci.manifest import Manifest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transfer.concurrency import Pace
from ..transfer.download import BlobDownload
from ..transfer.progress import Progress
from ..transfer.repository_storage import RepositoryStorage
from ..transfer.scheduler import Scheduler
from ..transfer.upload_sessions import Journal
from .artifact_reference import require_version
from .download_job import Fetcher
from .list_referrers import newest_referrer
from .platforms import Platform, choose
from .pull_plan import Plan, Planned, Skipped, plan_pull
from .unchanged_files import present_files

DOWNLOADED = "downloaded"
UNCHANGED = "unchanged"


@dataclass(frozen=True)
class PullOrder:
    """What the user asked for. *config_path* is where the config blob goes, if anywhere; *max_unpacked_size* is
    in bytes for each folder. *referrer* is the type of what is attached to the artifact and wanted instead of it;
    *platform* None is this machine, where an index leaves the choice. Without *overwrite*, what is there and differs
    stays, and the pull fails."""

    reference: Reference
    destination: str
    selection: Selection = field(default_factory=Selection)
    config_path: str | None = None
    max_unpacked_size: int | None = None
    concurrency: int | None = None
    referrer: str | None = None
    platform: Platform | None = None
    overwrite: bool = True


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
    reference, manifest = find(registry, order)
    plan = plan_pull(manifest, order.selection, str(reference))
    storage = RepositoryStorage(registry, reference.repository, Journal(None))
    with Destination.open(order.destination, overwrite=order.overwrite) as destination:
        files = _fetch_all(registry, storage, destination, order, progress, plan)
    if order.config_path:
        _save_config(registry, storage, manifest, order.config_path)
    fetched = sum(file.blob.size for file in files if file.state == DOWNLOADED)
    return PullResult(
        reference, manifest, files, plan.skipped, fetched, sum(file.blob.size for file in files) - fetched
    )


def find(registry: Registry, order: PullOrder) -> tuple[Reference, Manifest]:
    """The manifest whose files are wanted, and what it is called: a referrer's, or an index's for one platform."""
    reference = order.reference
    manifest = registry.manifests.get(reference.repository, require_version(reference))
    if order.referrer is not None:
        manifest = newest_referrer(registry, reference.at(manifest.digest), order.referrer)
        reference = reference.at(manifest.digest)
    if manifest.is_index or order.platform is not None:
        manifest = choose(registry, reference, manifest, order.platform)
        reference = reference.at(manifest.digest)
    return reference, manifest


def _fetch_all(
    registry: Registry,
    storage: RepositoryStorage,
    destination: Destination,
    order: PullOrder,
    progress: Progress,
    plan: Plan,
) -> list[PulledFile]:
    """Every planned file, in the artifact's order."""
    destination.require_writable([item.name for item in plan.files if not item.folder])
    http = registry.http
    pace = Pace(http, order.concurrency)
    present = present_files(http, pace, destination, plan, progress)
    missing = [item for item in plan.files if item.name not in present]
    if not order.overwrite:
        _require_free(destination, missing)
    destination.require_space(sum(max(0, item.blob.size - destination.kept_bytes(item.name)) for item in missing))
    progress.expect(sum(item.blob.size for item in missing))
    fetcher = Fetcher(storage, http, destination, progress, pace, order.max_unpacked_size)
    Scheduler(http, pace).run([job for item in missing for job in fetcher.jobs(item)])
    return [
        PulledFile(destination.shown(item.name), item.blob, UNCHANGED if item.name in present else DOWNLOADED)
        for item in plan.files
    ]


def _require_free(destination: Destination, missing: Sequence[Planned]) -> None:
    """Raise `LocalFileError` when something has the name of what is to be written."""
    held = [item.name for item in missing if destination.holds(item.name)]
    if held:
        more = f", and {len(held) - 1} more" if len(held) > 1 else ""
        raise LocalFileError(
            "A file is there and differs",
            where=destination.shown(held[0]),
            why=f"it is not what the artifact holds{more}",
            hint="Choose another folder with --destination, or leave out --no-overwrite.",
        )


def _save_config(registry: Registry, storage: RepositoryStorage, manifest: Manifest, path: str) -> None:
    if manifest.config is None:
        raise InvalidManifestError("The artifact has no config", where=path)
    folder, name = os.path.split(os.path.abspath(path))
    with Destination.open(folder) as destination, destination.open_part(safe_name(name)) as part:
        BlobDownload(storage, manifest.config, registry.http.attempts(), lambda size: None).into(part)
        part.commit()
