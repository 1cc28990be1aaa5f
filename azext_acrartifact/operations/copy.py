"""copy: copy an artifact, with the children of an index and with referrers, from one repository to another."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ..errors import InvalidInputError, PermissionDeniedError, SignInError
from ..oci.digest import Digest
from ..oci.manifest import Manifest, blobs_of
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..oci.storage import COPIED, IMPORTED, MOUNTED
from ..transfer.concurrency import Concurrency
from ..transfer.progress import Progress
from ..transfer.repository_storage import RepositoryStorage
from ..transfer.sizes import DEFAULT_SIZES, TransferSizes
from ..transfer.upload_sessions import UploadSessions
from ..transport.authorization import PULL, PUSH, Scope
from .artifact_reference import require_version
from .copy_graph import CopiedGraph, Ends, Item, Moving, Tags, copy_graph, missing_manifests, preview, wanted_tags
from .locks import naming_locks, require_movable
from .manifest_graph import Graph, LeftOut, ManifestPool, collect
from .platforms import Platform, choose
from .server_import import ImportOrder, ServerSideImport, import_missing
from .tag import all_tags, named

MOUNT, IMPORT, STREAM = "mount", "import", "stream"
"""The ways of a copy: the registry mounts blobs from another of its repositories, Azure imports from registry to
registry, or the blobs stream through this machine."""
_STATE = {MOUNT: MOUNTED, IMPORT: IMPORTED, STREAM: COPIED}


@dataclass(frozen=True)
class CopyOrder:
    """The artifact to copy. Without a tag in *target* or *tags*, the copy has none. Interrupted uploads are resumed
    from *sessions_folder*, if given; *concurrency* None adapts to the network."""

    source: Reference
    target: Reference
    tags: Sequence[str] = ()
    recursive: bool = False
    platform: Platform | None = None
    overwrite: bool = True
    dry_run: bool = False
    concurrency: int | None = None
    sessions_folder: str | None = None
    sizes: TransferSizes = DEFAULT_SIZES

    @property
    def all_tags(self) -> list[str]:
        """The tags of the copy, each once, that of *target* first."""
        return all_tags(self.target, self.tags)


@dataclass(frozen=True)
class Registries:
    """The source and the target: the same object for one registry with one sign-in. *importer* has Azure copy between
    two registries, where that may be possible."""

    source: Registry
    target: Registry
    importer: ServerSideImport | None = None

    @property
    def are_one(self) -> bool:
        """Whether blobs can be mounted from one repository to the other."""
        return self.source is self.target


@dataclass(frozen=True)
class CopyResult:
    """The copy: *manifest* under *tags*, the *way*, and all *items*. After a dry run, as they would be."""

    source: Reference
    target: Reference
    manifest: Manifest
    tags: Sequence[str]
    way: str
    items: CopiedGraph
    left_out: Sequence[LeftOut]
    dry_run: bool = False

    @property
    def reference(self) -> Reference:
        """The copy by its first tag, or by its digest."""
        return self.target if self.tags else self.target.at(self.manifest.digest)


def copy(registries: Registries, order: CopyOrder, progress: Progress) -> CopyResult:
    """Copy what is missing of `order.source` to `order.target`, then write the tags.

    Within one registry, blobs are mounted. Between registries, Azure imports them if the identity may; otherwise they
    stream through this machine. Raises any `ArtifactError`; a missing permission is found before a byte is sent.
    """
    _check(order)
    root = _root(registries.source, order)
    ends = _ends(registries, order)
    pool = ManifestPool(ends.source.label)
    root = pool.add(root)
    graph = collect(
        ends.source, [root.digest], ends.concurrency, recursive=order.recursive, pool=pool, resolve=ends.source.resolve
    )
    tags = graph.with_owned({root.digest: order.all_tags})
    with naming_locks(registries.target, [order.target, *named(order.target, order.tags)]):
        if order.dry_run:
            way, items = _preview(registries, order, graph, ends, tags)
        else:
            way, items = _copy(registries, order, graph, ends, tags, progress)
    target = replace(order.target, tag=order.all_tags[0]) if order.all_tags else order.target
    source = order.source.at(root.digest)
    return CopyResult(source, target, root, order.all_tags, way, items, graph.left_out, order.dry_run)


def _check(order: CopyOrder) -> None:
    require_version(order.source)
    if order.target.digest:
        raise InvalidInputError(
            "The target of a copy cannot have a digest", where=str(order.target), hint="Give a tag, or neither."
        )


def _root(registry: Registry, order: CopyOrder) -> Manifest:
    manifest = registry.manifests.get(order.source.repository, require_version(order.source))
    return choose(registry, order.source, manifest, order.platform) if order.platform else manifest


def _ends(registries: Registries, order: CopyOrder) -> Ends:
    sessions = UploadSessions(order.sessions_folder)
    source = RepositoryStorage(registries.source, order.source.repository, sessions, order.sizes)
    target = RepositoryStorage(registries.target, order.target.repository, sessions, order.sizes)
    return Ends(source, target, Concurrency(registries.target.http, order.concurrency), order.sizes)


def _preview(registries: Registries, order: CopyOrder, graph: Graph, ends: Ends, tags: Tags) -> tuple[str, CopiedGraph]:
    """Preview the copy, and check that it may push where Azure cannot import."""
    way = MOUNT if registries.are_one else STREAM
    if registries.importer is not None and registries.importer.possible():
        way = IMPORT
    else:
        _require_push(registries.target, order.target)
    found = preview(graph, ends, tags, order.overwrite, _moving(registries, order))
    return way, CopiedGraph(_as(found.manifests, IMPORTED if way == IMPORT else COPIED), _as(found.blobs, _STATE[way]))


def _copy(
    registries: Registries, order: CopyOrder, graph: Graph, ends: Ends, tags: Tags, progress: Progress
) -> tuple[str, CopiedGraph]:
    if registries.importer is None or not registries.importer.possible():
        _require_push(registries.target, order.target)
        moving = _moving(registries, order)
        way = MOUNT if registries.are_one else STREAM
        return way, copy_graph(graph, ends, tags, progress, order.overwrite, moving)
    before = missing_manifests(graph, ends)
    root = next(iter(tags))
    to_write = wanted_tags(ends.target, tags, order.overwrite, _moving(registries, order))
    wanted = [name for digest, name in to_write if digest == root]
    may_push = _may_push(registries.target, order.target)
    repository = order.target.repository
    wanted_import = ImportOrder(graph, before, root, order.source, repository, wanted, order.overwrite, may_push)
    import_missing(registries.importer, wanted_import, ends.concurrency.http, progress.note)
    # Check the import, and copy what it left out.
    if not may_push and len(tags) > 1:
        progress.note("Tags such as sha256-….sig are not copied: that needs the right to push")
    rest = copy_graph(graph, ends, tags if may_push else {root: tags[root]}, progress, order.overwrite)
    return _imported(graph, before, rest)


def _moving(registries: Registries, order: CopyOrder) -> Moving:
    return functools.partial(require_movable, registries.target, order.target)


def _imported(graph: Graph, before: Collection[Digest], rest: CopiedGraph) -> tuple[str, CopiedGraph]:
    """Return the way that was taken, and the imported items beside the *rest* that was sent."""
    sent = {item.descriptor.digest for item in (*rest.manifests, *rest.blobs) if item.state == COPIED}
    imported = set(before) - sent
    if before and not imported:
        return STREAM, rest
    manifests = [
        replace(item, state=IMPORTED) if item.descriptor.digest in imported else item for item in rest.manifests
    ]
    had = {item.descriptor.digest for item in rest.blobs}
    blobs = blobs_of(manifest for manifest in graph.manifests if manifest.digest in imported)
    new = [Item(blob, IMPORTED) for blob in blobs if blob.digest not in had]
    return IMPORT, CopiedGraph(manifests, [*new, *rest.blobs])


def _as(items: Sequence[Item], state: str) -> list[Item]:
    return [replace(item, state=state) if item.state == COPIED else item for item in items]


def _require_push(registry: Registry, target: Reference) -> None:
    registry.authorizer.authorization(Scope.of(target.repository, PULL, PUSH))


def _may_push(registry: Registry, target: Reference) -> bool:
    try:
        _require_push(registry, target)
    except (PermissionDeniedError, SignInError):
        return False
    return True
