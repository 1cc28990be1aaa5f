"""Graphs of manifests: an artifact with its children and its referrers. Copy, backup and restore walk them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import NotFoundError, RefusedError
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.manifest import Manifest, is_foreign, is_manifest
from ..oci.storage import GraphSource
from ..transfer.concurrency import Concurrency
from .list_referrers import IN_FLIGHT, refers_to
from .parallel import run_all

DEEPEST = 26
"""The most levels: as many as other commands accept for indexes and for referrers together."""
MOST = 10_000
MOST_BYTES = 256 * 1024 * 1024
"""The most bytes of manifests, which are all in memory."""


@dataclass(frozen=True)
class LeftOut:
    """A descriptor that is listed but not part of the graph, and *why*."""

    descriptor: Descriptor
    why: str


@dataclass(frozen=True)
class Graph:
    """Manifests by *levels*. The children and the subject of a manifest are in the levels before it."""

    levels: Sequence[Sequence[Manifest]]
    left_out: Sequence[LeftOut] = ()

    @property
    def manifests(self) -> Iterator[Manifest]:
        """All manifests, each after its children and its subject."""
        return (manifest for level in self.levels for manifest in level)


def collect(
    source: GraphSource,
    roots: Iterable[Digest],
    concurrency: Concurrency,
    *,
    recursive: bool = False,
    known: Iterable[Manifest] = (),
    most: int = MOST,
) -> Graph:
    """Read the graph below *roots*, each manifest once; with *recursive*, with the referrers of all of its manifests.

    Subjects of the roots do not belong to it. Manifests in *known* are not read again. Raises `RefusedError` for a
    graph that is too deep or has more than *most* manifests, `NotFoundError` for a missing child. A listed referrer
    that is missing, or does not refer to its subject, is left out.
    """
    walk = _Walk(source, concurrency, recursive, most, {manifest.digest: manifest for manifest in known})
    level: list[_Step] = [_Step(digest) for digest in dict.fromkeys(roots)]
    for _ in range(DEEPEST):
        level = walk.follow(level)
        if not level:
            return Graph(_in_order(walk.found), tuple(walk.left_out))
    raise RefusedError("Referrers are nested too deep", where=source.label, why=f"more than {DEEPEST} levels")


@dataclass(frozen=True)
class _Step:
    """A manifest to read; *listed* as a referrer of *subject*, or a child or root."""

    digest: Digest
    subject: Descriptor | None = None
    listed: Descriptor | None = None


@dataclass
class _Walk:
    source: GraphSource
    concurrency: Concurrency
    recursive: bool
    most: int
    known: dict[Digest, Manifest]
    found: dict[Digest, Manifest] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    size: int = 0

    def follow(self, level: Sequence[_Step]) -> list[_Step]:
        """Read the manifests of *level*; return the steps of the next level."""
        read: dict[Digest, Manifest] = {}
        run_all(self.concurrency, [functools.partial(self._read, step, read) for step in level])
        new = [read[step.digest] for step in level if step.digest in read]
        self._account(new)
        steps = [_Step(child.digest) for manifest in new for child in manifest.manifests if is_manifest(child)]
        if self.recursive:
            listed: dict[Digest, Sequence[Descriptor]] = {}
            fewer = Concurrency(self.concurrency.http, min(IN_FLIGHT, self.concurrency.fixed or IN_FLIGHT))
            run_all(fewer, [functools.partial(self._list, manifest, listed) for manifest in new])
            for manifest in new:
                steps += [_Step(child.digest, manifest.descriptor, child) for child in listed[manifest.digest]]
        # A child replaces a referrer of the same digest: if it is missing, that is an error.
        return list({step.digest: step for step in reversed(steps) if step.digest not in self.found}.values())[::-1]

    def _read(self, step: _Step, read: dict[Digest, Manifest]) -> None:
        try:
            manifest = self.known.get(step.digest) or self.source.manifest(step.digest)
        except NotFoundError:
            if step.listed is None:
                raise
            self.left_out.append(LeftOut(step.listed, "it is listed as a referrer, and is missing"))
            return
        if step.subject and step.listed and not refers_to(manifest, step.subject.digest):
            self.left_out.append(LeftOut(step.listed, "it is listed as a referrer, and is none"))
        else:
            read[step.digest] = manifest

    def _list(self, manifest: Manifest, listed: dict[Digest, Sequence[Descriptor]]) -> None:
        listed[manifest.digest] = list(self.source.referrers(manifest.digest))

    def _account(self, new: Sequence[Manifest]) -> None:
        self.found |= {manifest.digest: manifest for manifest in new}
        self.size += sum(len(manifest.raw) for manifest in new)
        for manifest in new:
            foreign = [layer for layer in manifest.layers if is_foreign(layer)]
            self.left_out += [LeftOut(layer, "the layer is stored elsewhere") for layer in foreign]
        if len(self.found) > self.most or self.size > MOST_BYTES:
            raise RefusedError(
                "There are too many manifests",
                where=self.source.label,
                why=f"more than {self.most}, or {MOST_BYTES} bytes of them",
            )


def _in_order(found: dict[Digest, Manifest]) -> list[list[Manifest]]:
    """Sort the manifests by levels. Verified digests rule out cycles; the check for one is a safeguard."""
    needs = {digest: _needs(manifest) & found.keys() for digest, manifest in found.items()}
    levels: list[list[Manifest]] = []
    done: set[Digest] = set()
    while len(done) < len(found):
        ready = [digest for digest, needed in needs.items() if digest not in done and needed <= done]
        if not ready:
            raise RefusedError("The manifests refer to each other in a cycle")
        levels.append([found[digest] for digest in ready])
        done.update(ready)
    return levels


def _needs(manifest: Manifest) -> set[Digest]:
    subject = {manifest.subject.digest} if manifest.subject else set()
    return {child.digest for child in manifest.manifests} | subject
