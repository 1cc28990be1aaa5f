"""restore: upload artifacts of an OCI image layout on disk, a folder or a tar, to a repository."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import InvalidInputError, NotFoundError
from ..layout.files import open_layout
from ..layout.source import LayoutSource
from ..oci.digest import Digest
from ..oci.manifest import blobs_of, is_manifest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transfer.concurrency import Concurrency
from ..transfer.progress import Progress
from ..transfer.repository_storage import RepositoryStorage
from ..transfer.sizes import DEFAULT_SIZES, TransferSizes
from ..transfer.upload_sessions import UploadSessions
from ..transport.authorization import METADATA_READ, PULL, PUSH, Scope
from .backup import LayoutResult, result_of
from .copy_graph import Ends, Tags, copy_graph, preview
from .locks import naming_locks, require_movable
from .manifest_graph import collect
from .tag import named


@dataclass(frozen=True)
class RestoreOrder:
    """The artifacts to restore to *reference*: to a tag, or all to a repository. *version* is the tag or digest in the
    layout at *path*, if it differs; *tags* are those to restore, by default all."""

    reference: Reference
    path: str
    version: str | None = None
    tags: Sequence[str] = ()
    recursive: bool = False
    overwrite: bool = True
    dry_run: bool = False
    concurrency: int | None = None
    sessions_folder: str | None = None
    sizes: TransferSizes = DEFAULT_SIZES


def restore(registry: Registry, order: RestoreOrder, progress: Progress) -> LayoutResult:
    """Upload what is missing in the repository, tags last. The layout is not trusted: all its bytes are hashed.

    Raises `NotFoundError` when the layout has no such artifact, `RefusedError` for one that is damaged or unsafe, and
    any other `ArtifactError`.
    """
    repository = order.reference.repository
    concurrency = Concurrency(registry.http, order.concurrency)
    with contextlib.closing(LayoutSource(open_layout(order.path))) as source:
        wanted = _wanted(source, order)
        tags: Tags = {digest: names for digest, names in wanted.items() if names}
        registry.authorizer.authorization(Scope.of(repository, PULL, PUSH, METADATA_READ))
        resolve = source.tags().get if order.recursive else None
        graph = collect(source, wanted, concurrency, recursive=order.recursive, resolve=resolve)
        tags = graph.with_owned(tags)
        source.require(blobs_of(graph.manifests))
        target = RepositoryStorage(registry, repository, UploadSessions(order.sessions_folder), order.sizes)
        ends = Ends(source, target, concurrency, order.sizes)
        moving = functools.partial(require_movable, registry, order.reference)
        if order.dry_run:
            copied = preview(graph, ends, tags, order.overwrite, moving)
        else:
            names = [name for some in tags.values() for name in some]
            with naming_locks(registry, [order.reference, *named(order.reference, names)]):
                copied = copy_graph(graph, ends, tags, progress, order.overwrite, moving)
    return replace(result_of(order.reference, source.label, graph, tags, copied), dry_run=order.dry_run)


def _wanted(source: LayoutSource, order: RestoreOrder) -> dict[Digest, list[str]]:
    """Return the artifacts to restore, each with the tags that it gets: none for one that is restored by digest."""
    reference = order.reference
    if (order.tags and (reference.version or order.version)) or (reference.digest and order.version):
        raise InvalidInputError(
            "Both a single artifact and --tags are given",
            where=str(reference),
            hint="Give --tags with the repository alone.",
        )
    version = order.version or reference.version
    if version is not None:
        name = reference.tag or (version if ":" not in version else None)
        return {source.manifest(version).digest: [name] if name else []}
    found = {tag: source.manifest(tag).digest for tag in order.tags} or {
        tag: descriptor.digest for tag, descriptor in source.tags().items()
    }
    wanted: dict[Digest, list[str]] = {}
    for tag, digest in found.items():
        wanted.setdefault(digest, []).append(tag)
    if not order.tags:
        wanted |= {digest: [] for digest in _untagged(source, order.recursive)}
    if not wanted:
        raise NotFoundError("The layout lists no artifact", where=source.label, hint="Make a new backup.")
    return wanted


def _untagged(source: LayoutSource, recursive: bool) -> list[Digest]:
    """Return the artifacts that are listed without a tag; without *recursive*, only those that are no referrers."""
    listed = [item.digest for item in source.index.untagged() if is_manifest(item)]
    return [digest for digest in listed if recursive or source.manifest(digest).subject is None]
