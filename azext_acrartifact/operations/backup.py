"""backup: save artifacts of a repository as an OCI image layout on disk, a folder or a tar."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import InvalidInputError, InvalidManifestError, NotFoundError, restated
from ..layout.files import LayoutFiles, TarFiles
from ..layout.index import LayoutIndex
from ..layout.store import FolderStore, LayoutStore, existing_layout, is_tar, require_name
from ..layout.tar_store import TarStore
from ..layout.target import LayoutTarget
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.manifest import Manifest, blobs_of
from ..oci.reference import Reference
from ..oci.referrers import is_referrers_tag
from ..oci.registry import Registry
from ..oci.storage import COPIED, SKIPPED
from ..transfer.concurrency import Concurrency
from ..transfer.progress import Progress
from ..transfer.repository_storage import RepositoryStorage
from ..transfer.sizes import DEFAULT_SIZES, TransferSizes
from ..transport.authorization import LIST_TAGS, PULL, Scope
from .copy_graph import CopiedGraph, Ends, Item, copy_graph, preview
from .manifest_graph import Graph, LeftOut, ManifestPool, collect
from .parallel import run_all

_OTHERS = "To save the others alone: --tags TAG …"
Before = tuple[LayoutFiles, LayoutIndex]


@dataclass(frozen=True)
class BackupOrder:
    """The artifact to save to the layout at *path*. Without a tag or digest in *reference*, those with *tags* are
    saved, by default all tags. *recursive* adds referrers; a *dry_run* writes nothing; *concurrency* None adapts.
    *require* is called with each artifact to save, and raises if it may not be saved."""

    reference: Reference
    path: str
    tags: Sequence[str] = ()
    recursive: bool = False
    dry_run: bool = False
    concurrency: int | None = None
    sizes: TransferSizes = DEFAULT_SIZES
    require: Callable[[Digest], None] = lambda _: None


@dataclass(frozen=True)
class LayoutResult:
    """The manifests and blobs of a backup to, or a restore from, the layout at the absolute *path*, with the *tags* of
    the repository. In a dry run, as they would be. Those that existed are `skipped`, all others `copied`."""

    reference: Reference
    path: str
    tags: Mapping[str, Digest]
    items: CopiedGraph
    left_out: Sequence[LeftOut]
    dry_run: bool = False

    @property
    def bytes_moved(self) -> int:
        """Bytes of the blobs that were transferred."""
        return self.items.size(COPIED)

    @property
    def bytes_skipped(self) -> int:
        """Bytes of the blobs that existed already."""
        return self.items.size(SKIPPED)


def backup(registry: Registry, order: BackupOrder, progress: Progress) -> LayoutResult:
    """Save the missing manifests and blobs. An older layout stays as it is until all of them are verified.

    Running it again resumes after a break. Raises `NotFoundError` when there is nothing to save, `LocalFileError` when
    another file is at the path or the disk is full, and any other `ArtifactError`.
    """
    require_name(order.path)
    repository = order.reference.repository
    concurrency = Concurrency(registry.http, order.concurrency)
    lists_tags = not (order.reference.version or order.tags)
    registry.authorizer.authorization(Scope.of(repository, *(LIST_TAGS if lists_tags else [PULL])))
    before = existing_layout(order.path)
    with contextlib.closing(before[0]) if before else contextlib.nullcontext():
        source = RepositoryStorage(registry, repository, sizes=order.sizes)
        pool = ManifestPool(source.label)
        tagged = _roots(registry, order, concurrency, pool)
        roots = [manifest.digest for manifest in tagged.values()]
        for digest in dict.fromkeys(roots):
            order.require(digest)
        graph = collect(
            source,
            roots,
            concurrency,
            recursive=order.recursive,
            pool=pool,
            resolve=None if lists_tags else source.resolve,  # all tags are roots then
        )
        target = LayoutTarget(os.path.abspath(order.path), before[0] if before else None, registry.http, order.sizes)
        saving = _Saving(order, graph, graph.with_owned(_names(tagged)), Ends(source, target, concurrency, order.sizes))
        copied = saving.run(target, before, progress)
    return replace(result_of(order.reference, target.label, graph, saving.tags, copied), dry_run=order.dry_run)


def result_of(
    reference: Reference, path: str, graph: Graph, tags: Mapping[Digest, Sequence[str]], copied: CopiedGraph
) -> LayoutResult:
    """Return the result for a *graph* of which *copied* was, or would be, transferred."""
    states = {item.descriptor.digest: item.state for item in copied.blobs}
    # The blobs of manifests that existed were not checked one by one.
    blobs = [Item(blob, states.get(blob.digest, SKIPPED)) for blob in blobs_of(graph.manifests)]
    named = {name: digest for digest, names in tags.items() for name in names}
    return LayoutResult(reference, path, named, CopiedGraph(copied.manifests, blobs), graph.left_out)


def _roots(registry: Registry, order: BackupOrder, concurrency: Concurrency, pool: ManifestPool) -> dict[str, Manifest]:
    """Return the manifests to save, by tag or by digest."""
    repository = order.reference.repository
    versions = [order.reference.version] if order.reference.version else list(order.tags)
    if order.reference.version and order.tags:
        raise InvalidInputError(
            "Both a single artifact and --tags are given", hint="Give --tags with the repository alone."
        )
    if not versions:
        versions = [tag for tag in registry.manifests.tags(repository) if not is_referrers_tag(tag)]
    if not versions:
        raise NotFoundError(
            "The repository has no tags", where=str(order.reference), hint="Name an artifact by its digest."
        )
    found: dict[str, Manifest] = {}

    def read(version: str) -> None:
        try:
            found[version] = pool.add(registry.manifests.get(repository, version))
        except InvalidManifestError as error:
            one = f"{order.reference.server}/{repository}{'@' if ':' in version else ':'}{version}"
            raise restated(error, hint=f"To see it: az acr artifact show {one} --raw. {_OTHERS}") from error

    run_all(concurrency, read, versions)
    return {version: found[version] for version in sorted(versions)}


def _names(roots: Mapping[str, Manifest]) -> dict[Digest, list[str]]:
    """Return the tags of each manifest."""
    names: dict[Digest, list[str]] = {}
    for version, manifest in roots.items():
        if ":" not in version:
            names.setdefault(manifest.digest, []).append(version)
    return names


@dataclass(frozen=True)
class _Saving:
    """The backup of a *graph* to a layout, in which its manifests get *tags*."""

    order: BackupOrder
    graph: Graph
    tags: Mapping[Digest, Sequence[str]]
    ends: Ends

    def run(self, target: LayoutTarget, before: Before | None, progress: Progress) -> CopiedGraph:
        """Save what is missing."""
        if before is not None:
            progress.note(f"Checking    {target.label}")
        found = preview(self.graph, self.ends, self.tags)
        missing = [item.descriptor for item in found.blobs if item.state == COPIED]
        index = before[1] if before else LayoutIndex()
        complete = before is not None and self._change(index).lists_the_same(index)
        if self.order.dry_run or (complete and not any(item.state == COPIED for item in found.manifests)):
            return found
        store = self._open(target.label, before)
        target.store, done = store, False
        try:
            store.begin(missing)
            copied = copy_graph(self.graph, self.ends, self.tags, progress)
            store.finish()
            done = True
        finally:
            store.close(failed=not done)
        return copied

    def _open(self, path: str, before: Before | None) -> LayoutStore:
        block = self.order.sizes.block
        if not is_tar(path):
            return FolderStore(path, block, self._change)
        older = before[0] if before and isinstance(before[0], TarFiles) else None
        blobs = {blob.digest: blob.size for blob in blobs_of(self.graph.manifests)}
        blobs |= {manifest.digest: len(manifest.raw) for manifest in self.graph.manifests}
        index = self._change(before[1] if before else LayoutIndex())
        return TarStore(path, block, blobs, index.encoded(), older)

    def _change(self, index: LayoutIndex) -> LayoutIndex:
        """Add the saved artifacts to *index* under their tags; untagged ones and referrers have none, as in oras."""
        found = {manifest.digest: manifest.descriptor for manifest in self.graph.manifests}
        tags = {name: found[digest] for digest, names in self.tags.items() for name in names}
        return index.with_artifacts(tags, self._untagged())

    def _untagged(self) -> Iterator[Descriptor]:
        children = {child.digest for manifest in self.graph.manifests for child in manifest.manifests}
        for manifest in self.graph.manifests:
            if manifest.digest not in self.tags and (manifest.subject or manifest.digest not in children):
                yield replace(manifest.descriptor, artifact_type=manifest.artifact_type)
