"""pull: download an artifact as files and folders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import InvalidInputError, InvalidManifestError, LocalFileError
from ..files.archive.budget import UnpackBudget, stated_limit
from ..files.names import safe_name
from ..files.patterns import why_unmatched
from ..files.selection import Selection
from ..files.writing.destination import Destination
from ..oci.descriptor import Descriptor
from ..oci.manifest import Manifest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transfer.concurrency import Concurrency
from ..transfer.download import BlobDownload
from ..transfer.progress import Progress
from ..transfer.repository_storage import RepositoryStorage
from ..transfer.sizes import DEFAULT_SIZES, TransferSizes
from .artifact_reference import require_version
from .download_job import Downloader
from .named_layers import layers_of, nameless, no_names, with_names
from .platforms import Platform, choose
from .pull_plan import NO_TITLE, NOTHING_SELECTED, Plan, Planned, Skipped, plan_pull, require_matches
from .unchanged_files import Present, present_files

DOWNLOADED = "downloaded"
UNCHANGED = "unchanged"


@dataclass(frozen=True)
class PullOrder:
    """The artifact to pull. The config blob is saved at *config_path*, if given; *max_unpacked_size* is in bytes for
    each folder. With *referrer*, its newest referrer of that type is pulled instead; *platform* None chooses this
    machine's platform from an index. Without *overwrite*, the pull fails when an existing file differs. Nothing is
    written to the absolute *closed_folders*. With *check_extra*, a check fails when a folder holds other files, too."""

    reference: Reference
    destination: str
    selection: Selection = field(default_factory=Selection)
    config_path: str | None = None
    max_unpacked_size: int | None = None
    concurrency: int | None = None
    referrer: str | None = None
    platform: Platform | None = None
    overwrite: bool = True
    closed_folders: Sequence[str] = ()
    check_extra: bool = False
    sizes: TransferSizes = DEFAULT_SIZES


@dataclass(frozen=True)
class PulledFile:
    """One file or folder on disk at the absolute *path*; *state* is `downloaded`, or `unchanged` when it existed.
    *members* are the selected files of a folder, below the destination; None if all are. *parts* is the number of a
    file's parts, 0 for a layer as it is; *copied* bytes of a downloaded one came from the disk."""

    path: str
    blob: Descriptor
    state: str
    members: Sequence[str] | None = None
    parts: int = 0
    copied: int = 0


@dataclass(frozen=True)
class PullResult:
    """The files on disk, and the layers that were skipped. *unmatched* are patterns to exclude that matched nothing;
    *extra* are files that a check found in folders besides the artifact's, None without a check."""

    reference: Reference
    manifest: Manifest
    files: Sequence[PulledFile]
    skipped: Sequence[Skipped]
    bytes_downloaded: int
    bytes_skipped: int
    unmatched: Sequence[str] = ()
    extra: Sequence[str] | None = None


def pull(registry: Registry, order: PullOrder, progress: Progress) -> PullResult:
    """Write the artifact's files. Each gets its final name when it is complete and verified.

    Names, free space and permissions are checked before the first byte is written. Raises any `ArtifactError`.
    """
    prepared = prepare(registry, order, progress)
    closed = order.closed_folders
    with Destination.open(order.destination, overwrite=order.overwrite, closed=closed) as destination:
        files = _fetch_all(prepared, destination)
    if order.config_path:
        _save_config(prepared, order.config_path)
    return prepared.result(files)


@dataclass(frozen=True)
class PreparedPull:
    """A pull whose *manifest*, at *reference*, was read, and whose files were planned. Nothing was written yet."""

    registry: Registry
    order: PullOrder
    progress: Progress
    reference: Reference
    manifest: Manifest
    plan: Plan

    @property
    def storage(self) -> RepositoryStorage:
        """The repository of the artifact."""
        return RepositoryStorage(self.registry, self.reference.repository, sizes=self.order.sizes)

    def files(self, present: Present, downloader: Downloader) -> list[PulledFile]:
        """Return the planned files and folders as they are on the disk, in the artifact's order."""
        members = {**present.members, **downloader.members}
        return [
            PulledFile(
                downloader.destination.shown(item.name),
                item.blob,
                UNCHANGED if item.name in present.names else DOWNLOADED,
                members.get(item.name),
                len(item.parts),
                downloader.bytes_copied(item.name),
            )
            for item in self.plan.files
        ]

    @property
    def may_select_nothing(self) -> bool:
        """Whether only the content of folders can show that a pattern to include matches, or that anything is left."""
        unmatched = self.plan.is_searched and bool(self.order.selection.include.unused)
        return unmatched or (bool(self.plan.files) and all(item.members for item in self.plan.files))

    def require_selected(self, present: Present, downloader: Downloader) -> None:
        """Raise `InvalidInputError` when nothing in a folder was selected and no other file, or when a pattern to
        include matched nothing. Call it once all folders were searched."""
        where, members = str(self.reference), {**present.members, **downloader.members}
        require_matches(self.order.selection, where)
        if self.plan.files and not any(members.get(item.name, True) for item in self.plan.files):
            raise InvalidInputError(
                "No file of the artifact matches the filters",
                where=where,
                hint="Check --media-type, --include and --exclude.",
            )

    def result(self, files: Sequence[PulledFile]) -> PullResult:
        """Return the result of a pull of *files*."""
        fetched = sum(file.blob.size - file.copied for file in files if file.state == DOWNLOADED)
        unchanged = sum(file.blob.size for file in files) - fetched
        empty = [
            Skipped(file.blob, NOTHING_SELECTED) for file in files if file.members is not None and not file.members
        ]
        found = [file for file in files if file.members is None or file.members]
        unmatched = self.order.selection.exclude.unused
        for text in unmatched:
            self.progress.note(why_unmatched("--exclude", text))
        skipped = [*self.plan.skipped, *empty]
        return PullResult(self.reference, self.manifest, found, skipped, fetched, unchanged, unmatched)


def prepare(registry: Registry, order: PullOrder, progress: Progress) -> PreparedPull:
    """Read the manifest to pull and plan its files. Raises as `find` and `plan_layers` do."""
    reference, manifest = find(registry, order)
    plan = plan_layers(registry, order, reference, manifest)
    return PreparedPull(registry, order, progress, reference, manifest, plan)


def find(registry: Registry, order: PullOrder) -> tuple[Reference, Manifest]:
    """Return the manifest to pull and its reference: the artifact's, a referrer's, or that of one platform."""
    reference = order.reference
    manifest = registry.manifests.get(reference.repository, require_version(reference))
    if order.referrer is not None:
        from .list_referrers import newest_referrer

        manifest = newest_referrer(registry, reference.at(manifest.digest), order.referrer)
        reference = reference.at(manifest.digest)
    if manifest.is_index or order.platform is not None:
        manifest = choose(registry, reference, manifest, order.platform)
        reference = reference.at(manifest.digest)
    return reference, manifest


def plan_layers(registry: Registry, order: PullOrder, reference: Reference, manifest: Manifest) -> Plan:
    """Plan the files of *manifest*, also of one that another tool wrote. Nothing is planned if only its config is to be
    saved. Raises `InvalidManifestError` when it has no file, and as `plan_pull` does."""
    storage = RepositoryStorage(registry, reference.repository)
    if order.config_path and nameless(layers_of(manifest)):
        return Plan([], [Skipped(layer, NO_TITLE) for layer in layers_of(manifest)])
    named = with_names(storage, registry.http.attempts(), reference, manifest)
    if nameless(layers_of(named)):
        raise no_names(manifest, reference)
    return plan_pull(named, order.selection, str(reference))


def _fetch_all(prepared: PreparedPull, destination: Destination) -> list[PulledFile]:
    """Download the missing files; return all planned ones, in the artifact's order."""
    order, progress, plan, http = prepared.order, prepared.progress, prepared.plan, prepared.registry.http
    for item in plan.files:
        destination.closed.require_outside(item.name, folder=item.folder)
    destination.require_apart(plan.twins)
    destination.require_writable([item.name for item in plan.files if not item.folder])
    concurrency = Concurrency(http, order.concurrency)
    present = present_files(concurrency, destination, plan, progress)
    missing = [item for item in plan.files if item.name not in present.names]
    if not order.overwrite:
        # Of a folder of which only some members are selected, each is compared once it is downloaded.
        _require_free(destination, [item for item in missing if not item.members])
    for item in plan.files:
        if item.bits and item.name in present.names:
            destination.give_bits(item.name, item.bits)
    folders = [item.blob.size for item in missing if item.folder]
    reserved = sum(_needed(destination, item, order.sizes) for item in missing if not item.folder)
    destination.require_space(reserved + sum(folders))
    progress.expect(sum(item.blob.size for item in missing))
    stated = [(item.blob.size, item.stated_size) for item in missing if item.folder]
    together = None if order.max_unpacked_size else stated_limit(stated)
    budget = UnpackBudget(destination, together, reserved=reserved, cancelled=http.waiter.cancelled)
    downloader = Downloader(prepared.storage, destination, progress, concurrency, order.max_unpacked_size, budget)
    if prepared.may_select_nothing:
        searched = [item for item in missing if item.members]
        downloader.search(searched, lambda: prepared.require_selected(present, downloader))
        missing = [item for item in missing if not item.members]
    downloader.run(missing)
    return prepared.files(present, downloader)


def _needed(destination: Destination, item: Planned, sizes: TransferSizes) -> int:
    """Return how many bytes the file *item* still needs on the disk. Only large files are resumed."""
    resumed = destination.resumable_bytes(item.name) if item.blob.size >= sizes.ranged else 0
    return max(0, item.blob.size - resumed)


def _require_free(destination: Destination, missing: Sequence[Planned]) -> None:
    """Raise `LocalFileError` when a file to be written exists already."""
    existing = [item.name for item in missing if destination.holds(item.name)]
    if existing:
        more = f", and {len(existing) - 1} more" if len(existing) > 1 else ""
        raise LocalFileError(
            "An existing file differs",
            where=destination.shown(existing[0]),
            why=f"it is not the file of the artifact{more}",
            hint="Choose another folder with --destination, or leave out --no-overwrite.",
        )


def _save_config(prepared: PreparedPull, path: str) -> None:
    config = prepared.manifest.config
    if config is None:
        raise InvalidManifestError("The artifact has no config", where=path)
    folder, name = os.path.split(os.path.abspath(path))
    with Destination.open(folder) as destination, destination.open_temporary(safe_name(name)) as file:
        BlobDownload(prepared.storage, config, prepared.registry.http.attempts(), lambda size: None).into(file)
        file.commit()
