"""copy: an artifact, all of an index, and what is attached, from one repository to another."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ..errors import InvalidInputError, PermissionDeniedError, SignInError
from ..oci.digest import Digest
from ..oci.manifest import Manifest, blobs_of
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..oci.storage import COPIED, IMPORTED, MOUNTED
from ..transfer.progress import Progress
from ..transfer.repository_storage import RepositoryStorage
from ..transfer.upload_sessions import Journal
from ..transport.authorization import PULL, PUSH, Scope
from .artifact_reference import require_version
from .copy_graph import Carried, Ends, Item, Tags, carry, missing_manifests, survey, wanted_tags
from .locks import naming_locks
from .manifest_graph import Graph, LeftOut, collect
from .platforms import Platform, choose
from .server_import import ImportOrder, ServerSideImport, import_missing
from .tag import named

MOUNT, IMPORT, STREAM = "mount", "import", "stream"
"""The ways: a registry takes blobs over from one of its repositories, Azure copies from registry to registry, or this
machine hands bytes on as they come."""
_STATE = {MOUNT: MOUNTED, IMPORT: IMPORTED, STREAM: COPIED}


@dataclass(frozen=True)
class CopyOrder:
    """What the user asked for. Without a tag in *target* and *tags*, the copy has its digest alone. *journal_folder*
    is where uploads under way are kept, if anywhere; *concurrency* None adapts to the line."""

    source: Reference
    target: Reference
    tags: Sequence[str] = ()
    recursive: bool = False
    platform: Platform | None = None
    overwrite: bool = True
    dry_run: bool = False
    concurrency: int | None = None
    journal_folder: str | None = None

    @property
    def all_tags(self) -> list[str]:
        """Each tag once, that of the target first."""
        return list(dict.fromkeys([*([self.target.tag] if self.target.tag else []), *self.tags]))


@dataclass(frozen=True)
class Registries:
    """The two ends; one and the same object when it is one registry with one sign-in. *importer* is Azure's own way
    between two registries, where there may be one."""

    source: Registry
    target: Registry
    importer: ServerSideImport | None = None

    @property
    def are_one(self) -> bool:
        """Whether blobs can be mounted."""
        return self.source is self.target


@dataclass(frozen=True)
class CopyResult:
    """What is at the target, or would be: *manifest* under *tags*, by which *way*, and each *item* of it."""

    source: Reference
    target: Reference
    manifest: Manifest
    tags: Sequence[str]
    way: str
    items: Carried
    left_out: Sequence[LeftOut]

    @property
    def reference(self) -> Reference:
        """The copy, by its first tag, or by its digest."""
        return self.target if self.tags else self.target.at(self.manifest.digest)


def copy(registries: Registries, order: CopyOrder, progress: Progress) -> CopyResult:
    """Bring what `order.source` names to `order.target`, without what is there. Nothing is tagged before all is there.

    Within one registry blobs are mounted. Between two, Azure imports if it may; else the bytes are handed on. Raises
    any `ArtifactError`; a missing right is known before a byte is sent.
    """
    _check(order)
    root = _root(registries.source, order)
    ends = _ends(registries, order)
    graph = collect(ends.source, [root.digest], ends.http, recursive=order.recursive, known=[root])
    tags: Tags = {root.digest: order.all_tags}
    with naming_locks(registries.target, [order.target, *named(order.target, order.tags)]):
        if order.dry_run:
            way, items = _would(registries, order, graph, ends, tags)
        else:
            way, items = _do(registries, order, graph, ends, tags, progress)
    target = replace(order.target, tag=order.all_tags[0]) if order.all_tags else order.target
    source = order.source.at(root.digest)
    return CopyResult(source, target, root, order.all_tags, way, items, graph.left_out)


def _check(order: CopyOrder) -> None:
    require_version(order.source)
    if order.target.digest:
        raise InvalidInputError(
            "A copy has the digest of its source", where=str(order.target), hint="Give a tag, or neither."
        )


def _root(registry: Registry, order: CopyOrder) -> Manifest:
    manifest = registry.manifests.get(order.source.repository, require_version(order.source))
    return choose(registry, order.source, manifest, order.platform) if order.platform else manifest


def _ends(registries: Registries, order: CopyOrder) -> Ends:
    journal = Journal(order.journal_folder)
    source = RepositoryStorage(registries.source, order.source.repository, journal)
    target = RepositoryStorage(registries.target, order.target.repository, journal)
    return Ends(source, target, registries.target.http, order.concurrency)


def _would(registries: Registries, order: CopyOrder, graph: Graph, ends: Ends, tags: Tags) -> tuple[str, Carried]:
    """A dry run."""
    way = MOUNT if registries.are_one else STREAM
    if registries.importer is not None and registries.importer.possible():
        way = IMPORT
    else:
        _require_push(registries.target, order.target)
    found = survey(graph, ends, tags, order.overwrite)
    return way, Carried(_as(found.manifests, IMPORTED if way == IMPORT else COPIED), _as(found.blobs, _STATE[way]))


def _do(
    registries: Registries, order: CopyOrder, graph: Graph, ends: Ends, tags: Tags, progress: Progress
) -> tuple[str, Carried]:
    if registries.importer is None or not registries.importer.possible():
        _require_push(registries.target, order.target)
        return MOUNT if registries.are_one else STREAM, carry(graph, ends, tags, progress, order.overwrite)
    before = missing_manifests(graph, ends)
    [(root, _)] = tags.items()
    wanted = [name for _, name in wanted_tags(ends.target, tags, order.overwrite)]
    may_push = _may_push(registries.target, order.target)
    repository = order.target.repository
    wish = ImportOrder(graph, before, root, order.source, repository, wanted, order.overwrite, may_push)
    import_missing(registries.importer, wish, ends.http, progress.note)
    # What Azure says that it has done is looked at; what it has not done is done now.
    rest = carry(graph, ends, tags, progress, order.overwrite)
    return _imported(graph, before, rest)


def _imported(graph: Graph, before: Collection[Digest], rest: Carried) -> tuple[str, Carried]:
    """The way that was taken, and what came by it, beside the *rest* that was sent."""
    sent = {item.descriptor.digest for item in (*rest.manifests, *rest.blobs) if item.state == COPIED}
    came = set(before) - sent
    if before and not came:
        return STREAM, rest
    manifests = [replace(item, state=IMPORTED) if item.descriptor.digest in came else item for item in rest.manifests]
    had = {item.descriptor.digest for item in rest.blobs}
    blobs = blobs_of(manifest for manifest in graph.manifests if manifest.digest in came)
    new = [Item(blob, IMPORTED) for blob in blobs if blob.digest not in had]
    return IMPORT, Carried(manifests, [*new, *rest.blobs])


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
