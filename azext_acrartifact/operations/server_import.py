"""Has Azure copy between two registries, so that no byte passes this machine.

Azure Resource Manager's importImage copies an artifact and what its index lists, but nothing that is attached
(https://learn.microsoft.com/azure/container-registry/container-registry-import-images): each of that is imported by
its digest.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import ArtifactError, CancelledError
from ..oci.digest import Digest, short
from ..oci.manifest import Manifest
from ..oci.reference import Reference
from ..transfer.concurrency import Concurrency
from ..transport.client import HttpClient
from .manifest_graph import Graph
from .parallel import run_all

AT_ONCE = 4
"""Imports under way together: each is an operation of Azure Resource Manager, which counts them."""


class ServerSideImport(Protocol):
    """The service's own copy from one registry to another. The face implements it. Safe to call from many threads."""

    def possible(self) -> bool:
        """Whether it can be tried. That it is allowed is known only when it is."""

    def bring(self, source: Reference, repository: str, tags: Sequence[str], overwrite: bool) -> None:
        """Copy *source*, which has a digest, to *repository* of the target, and give it *tags*, without any by its
        digest alone. Returns when it is there; raises an `ArtifactError` when it is not."""


@dataclass(frozen=True)
class ImportOrder:
    """What is wanted: those of *graph* that are *missing*, from the repository of *source* to *repository*, and *tags*
    for its *root*, which are given at once where *may_push* is not: those who may not push may still import."""

    graph: Graph
    missing: Collection[Digest]
    root: Digest
    source: Reference
    repository: str
    tags: Sequence[str]
    overwrite: bool
    may_push: bool


def import_missing(
    importer: ServerSideImport, order: ImportOrder, http: HttpClient, notice: Callable[[str], None]
) -> None:
    """Import what is missing, subjects first. The first refusal ends it: *notice* is told, and what is still missing
    is the caller's to bring."""
    work = _Imports(importer, order, notice)
    tops = _tops(order)
    if [manifest.digest for manifest in tops] == [order.root]:
        work.bring(order.root, order.tags)
        return
    for phase in _phases(order.graph, tops):
        run_all(Concurrency(http, AT_ONCE), [functools.partial(work.bring, manifest.digest, ()) for manifest in phase])
    if order.tags and not order.may_push:
        work.bring(order.root, order.tags)


@dataclass
class _Imports:
    importer: ServerSideImport
    order: ImportOrder
    notice: Callable[[str], None]
    refused: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def bring(self, digest: Digest, tags: Sequence[str]) -> None:
        """Import one manifest, unless one was refused."""
        if self.refused:
            return
        order = self.order
        self.notice(f"Importing   {short(digest)}")
        try:
            self.importer.bring(order.source.at(digest), order.repository, tags, order.overwrite)
        except CancelledError:
            raise
        except ArtifactError as error:
            with self.lock:
                is_first, self.refused = not self.refused, True
            if is_first:
                self.notice(f"Azure did not import {short(digest)}; this machine copies: {error.message}")


def _tops(order: ImportOrder) -> list[Manifest]:
    """Those that are missing and do not come with a missing index."""
    missing = [manifest for manifest in order.graph.manifests if manifest.digest in order.missing]
    listed = {child.digest for manifest in missing for child in manifest.manifests}
    return [manifest for manifest in missing if manifest.digest not in listed]


def _phases(graph: Graph, tops: Sequence[Manifest]) -> list[list[Manifest]]:
    """What nobody waits for: artifacts and indexes first, then what is attached to them, level by level."""
    attached = {manifest.digest for manifest in tops if manifest.subject}
    levels = [[manifest for manifest in level if manifest.digest in attached] for level in graph.levels]
    return [[manifest for manifest in tops if manifest.digest not in attached], *levels]
