"""backup: what a repository holds becomes an OCI image layout on the disk, a folder or a tar."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import InvalidInputError, NotFoundError
from ..layout.files import LayoutFiles, TarFiles
from ..layout.index import LayoutIndex
from ..layout.store import FolderStore, LayoutStore, existing_layout, is_tar
from ..layout.tar_store import TarStore
from ..layout.target import LayoutTarget
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.manifest import Manifest, blobs_of
from ..oci.reference import Reference
from ..oci.referrers import is_list_tag
from ..oci.registry import Registry
from ..oci.storage import COPIED, SKIPPED
from ..transfer.progress import Progress
from ..transfer.ranged_download import SEGMENT
from ..transfer.repository_storage import RepositoryStorage
from ..transfer.upload_sessions import Journal
from ..transport.authorization import PULL, Scope
from .copy_graph import Carried, Ends, Item, carry, survey
from .manifest_graph import Graph, LeftOut, collect
from .parallel import run_all

Before = tuple[LayoutFiles, LayoutIndex]


@dataclass(frozen=True)
class BackupOrder:
    """What the user asked for: the artifact, or without a tag and a digest in *reference* those with *tags*, by
    default with any tag. *path* is the layout; *recursive* adds what is attached. A *dry_run* writes nothing.
    *concurrency* None adapts to the line."""

    reference: Reference
    path: str
    tags: Sequence[str] = ()
    recursive: bool = False
    dry_run: bool = False
    concurrency: int | None = None


@dataclass(frozen=True)
class LayoutResult:
    """What went from or to the layout at the absolute *path*, or would: each manifest and blob, under which *tags* of
    the repository. What was there already is `skipped`, all else `copied`."""

    reference: Reference
    path: str
    tags: Mapping[str, Digest]
    items: Carried
    left_out: Sequence[LeftOut]

    @property
    def bytes_moved(self) -> int:
        """Bytes of the blobs that went over the line."""
        return self.items.size(COPIED)

    @property
    def bytes_skipped(self) -> int:
        """Bytes of the blobs that were there."""
        return self.items.size(SKIPPED)


def backup(registry: Registry, order: BackupOrder, progress: Progress) -> LayoutResult:
    """Write to the layout what it lacks. It is the older one until all is there and right; run again after a break,
    this goes on.

    Raises `NotFoundError` when there is nothing to save, `LocalFileError` when something else is at the layout's
    place or there is no space, and any other `ArtifactError`.
    """
    repository, http = order.reference.repository, registry.http
    registry.authorizer.authorization(Scope.of(repository, PULL))
    with _before(order.path) as before:
        tagged = _roots(registry, order)
        known = {manifest.digest: manifest for manifest in tagged.values()}
        source = RepositoryStorage(registry, repository, Journal(None))
        graph = collect(source, known, http, recursive=order.recursive, known=known.values())
        target = LayoutTarget(os.path.abspath(order.path), before[0] if before else None, http, order.concurrency)
        saving = _Saving(order, graph, _names(tagged), Ends(source, target, http, order.concurrency))
        carried = saving.run(target, before, progress)
    return result_of(order.reference, target.place, graph, saving.tags, carried)


def result_of(
    reference: Reference, path: str, graph: Graph, tags: Mapping[Digest, Sequence[str]], carried: Carried
) -> LayoutResult:
    """The result for a *graph* of which *carried* was, or would be, moved."""
    states = {item.descriptor.digest: item.state for item in carried.blobs}
    # Those of manifests that were there have not been asked for one by one.
    blobs = [Item(blob, states.get(blob.digest, SKIPPED)) for blob in blobs_of(graph.manifests)]
    named = {name: digest for digest, names in tags.items() for name in names}
    return LayoutResult(reference, path, named, Carried(carried.manifests, blobs), graph.left_out)


@contextlib.contextmanager
def _before(path: str) -> Iterator[Before | None]:
    """What is at *path* already."""
    found = existing_layout(path)
    try:
        yield found
    finally:
        if found:
            found[0].close()


def _roots(registry: Registry, order: BackupOrder) -> dict[str, Manifest]:
    """The manifests that are asked for, by tag or by digest."""
    repository = order.reference.repository
    versions = [order.reference.version] if order.reference.version else list(order.tags)
    if order.reference.version and order.tags:
        raise InvalidInputError("The artifact is named twice", hint="Give --tags with the repository alone.")
    if not versions:
        versions = [tag for tag in registry.manifests.tags(repository) if not is_list_tag(tag)]
    if not versions:
        raise NotFoundError(
            "The repository has no tags", where=str(order.reference), hint="Name an artifact by its digest."
        )
    found: dict[str, Manifest] = {}

    def read(version: str) -> None:
        found[version] = registry.manifests.get(repository, version)

    run_all(registry.http, [functools.partial(read, version) for version in versions], order.concurrency)
    return {version: found[version] for version in sorted(versions)}


def _names(roots: Mapping[str, Manifest]) -> dict[Digest, list[str]]:
    """The tags of each manifest."""
    names: dict[Digest, list[str]] = {}
    for version, manifest in roots.items():
        if ":" not in version:
            names.setdefault(manifest.digest, []).append(version)
    return names


@dataclass(frozen=True)
class _Saving:
    """A *graph* on its way to a layout, where its manifests get *tags*."""

    order: BackupOrder
    graph: Graph
    tags: Mapping[Digest, Sequence[str]]
    ends: Ends

    def run(self, target: LayoutTarget, before: Before | None, progress: Progress) -> Carried:
        """Write what is missing."""
        if before is not None:
            progress.note(f"Checking    {target.place}")
        found = survey(self.graph, self.ends, self.tags)
        missing = [item.descriptor for item in found.blobs if item.state == COPIED]
        index = before[1] if before else LayoutIndex()
        complete = before is not None and self._change(index).lists_the_same(index)
        if self.order.dry_run or (complete and not any(item.state == COPIED for item in found.manifests)):
            return found
        store = self._open(target.place, before)
        target.store, done = store, False
        try:
            store.begin(missing)
            carried = carry(self.graph, self.ends, self.tags, progress)
            store.finish()
            done = True
        finally:
            store.close(failed=not done)
        return carried

    def _open(self, path: str, before: Before | None) -> LayoutStore:
        if not is_tar(path):
            return FolderStore(path, SEGMENT, self._change)
        older = before[0] if before and isinstance(before[0], TarFiles) else None
        blobs = {blob.digest: blob.size for blob in blobs_of(self.graph.manifests)}
        blobs |= {manifest.digest: len(manifest.raw) for manifest in self.graph.manifests}
        index = self._change(before[1] if before else LayoutIndex())
        return TarStore(path, SEGMENT, blobs, index.encoded(), older)

    def _change(self, index: LayoutIndex) -> LayoutIndex:
        """*index* with what is saved: under its tags, and what is attached or has none under none, as oras has it."""
        found = {manifest.digest: manifest.descriptor for manifest in self.graph.manifests}
        tags = {name: found[digest] for digest, names in self.tags.items() for name in names}
        return index.with_artifacts(tags, self._untagged())

    def _untagged(self) -> Iterator[Descriptor]:
        children = {child.digest for manifest in self.graph.manifests for child in manifest.manifests}
        for manifest in self.graph.manifests:
            if manifest.digest not in self.tags and (manifest.subject or manifest.digest not in children):
                yield replace(manifest.descriptor, artifact_type=manifest.artifact_type)
