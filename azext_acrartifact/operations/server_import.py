"""Copies between two registries by importImage of Azure Resource Manager, without a transfer through this machine.

importImage copies an artifact and the children of an index, but no referrers
(https://learn.microsoft.com/azure/container-registry/container-registry-import-images), so each referrer is imported
by its digest.
"""

from __future__ import annotations

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

IN_FLIGHT = 4
"""Imports in flight. Azure Resource Manager limits the number of operations."""


class ServerSideImport(Protocol):
    """Imports from one registry into another. The command line implements it; safe to call from many threads."""

    def possible(self) -> bool:
        """Return whether an import can be tried; only trying shows whether it is allowed."""

    def bring(self, source: Reference, repository: str, tags: Sequence[str], overwrite: bool) -> None:
        """Import *source*, which has a digest, into *repository* of the target under *tags*, or without tags by its
        digest alone. Return once the import is complete; raises an `ArtifactError` if it fails."""


@dataclass(frozen=True)
class ImportOrder:
    """An import of the *missing* manifests of *graph* from the repository of *source* to *repository*, with *tags* for
    its *root*. Without *may_push* the import itself adds the tags, as an identity may import without pushing."""

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
    """Import the missing manifests, subjects before their referrers. The first refusal stops the imports; *notice*
    reports it, and the caller copies the rest."""
    work = _Imports(importer, order, notice)
    tops = _tops(order)
    if [manifest.digest for manifest in tops] == [order.root]:
        work.bring(order.root, order.tags)
        return
    for phase in _phases(order.graph, tops):
        run_all(Concurrency(http, IN_FLIGHT), lambda manifest: work.bring(manifest.digest, ()), phase)
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
        """Import one manifest, unless an import was refused before."""
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
                self.notice(f"Azure did not import {short(digest)}, so this machine copies it: {error.message}")


def _tops(order: ImportOrder) -> list[Manifest]:
    """Return the missing manifests that no missing index brings along."""
    missing = [manifest for manifest in order.graph.manifests if manifest.digest in order.missing]
    listed = {child.digest for manifest in missing for child in manifest.manifests}
    return [manifest for manifest in missing if manifest.digest not in listed]


def _phases(graph: Graph, tops: Sequence[Manifest]) -> list[list[Manifest]]:
    """Return *tops* in groups that can be imported at once: first those without a subject, then referrers by level."""
    attached = {manifest.digest for manifest in tops if manifest.subject}
    levels = [[manifest for manifest in level if manifest.digest in attached] for level in graph.levels]
    return [[manifest for manifest in tops if manifest.digest not in attached], *levels]
