"""Graphs of manifests: what an artifact is made of, and what is attached to it. Copy, backup and restore walk them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import NotFoundError, RefusedError
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.manifest import Manifest, is_foreign, is_manifest
from ..oci.storage import GraphSource
from ..transport.client import HttpClient
from .list_referrers import IN_FLIGHT, refers_to
from .parallel import run_all

DEEPEST = 26
"""Levels: those of indexes and of referrers that the other commands take, together."""
MOST = 10_000
MOST_BYTES = 256 * 1024 * 1024
"""Of manifests, which are kept in memory."""


@dataclass(frozen=True)
class LeftOut:
    """What is not part of the graph though it was named, and *why*."""

    descriptor: Descriptor
    why: str


@dataclass(frozen=True)
class Graph:
    """*levels* of manifests: each needs only those of the levels before it, its children and its subject."""

    levels: Sequence[Sequence[Manifest]]
    left_out: Sequence[LeftOut] = ()

    @property
    def manifests(self) -> Iterator[Manifest]:
        """All of them, each after what it needs."""
        return (manifest for level in self.levels for manifest in level)


def collect(
    source: GraphSource,
    roots: Iterable[Digest],
    http: HttpClient,
    *,
    recursive: bool = False,
    known: Iterable[Manifest] = (),
) -> Graph:
    """The graph below *roots*, and with *recursive* also what is attached to any of its manifests, each once.

    Subjects of the roots do not belong to it. *known* has manifests that need not be read again; *http* gives the
    limits of what is in flight. Raises `RefusedError` for what is too deep or too much, `NotFoundError` for a child
    that is missing; a referrer that is missing, or is none, is left out.
    """
    walk = _Walk(source, http, recursive, {manifest.digest: manifest for manifest in known})
    level: list[_Step] = [_Step(digest) for digest in dict.fromkeys(roots)]
    for _ in range(DEEPEST):
        level = walk.follow(level)
        if not level:
            return Graph(_in_order(walk.found), tuple(walk.left_out))
    raise RefusedError("What is attached goes too deep", where=source.place, why=f"more than {DEEPEST} levels")


@dataclass(frozen=True)
class _Step:
    """A manifest to read, as what refers to *subject* or for its own sake."""

    digest: Digest
    subject: Descriptor | None = None
    listed: Descriptor | None = None


@dataclass
class _Walk:
    source: GraphSource
    http: HttpClient
    recursive: bool
    known: dict[Digest, Manifest]
    found: dict[Digest, Manifest] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    size: int = 0

    def follow(self, level: Sequence[_Step]) -> list[_Step]:
        """Read the manifests of *level*; the steps of the next one."""
        read: dict[Digest, Manifest] = {}
        run_all(self.http, [functools.partial(self._read, step, read) for step in level])
        new = [read[step.digest] for step in level if step.digest in read]
        self._account(new)
        steps = [_Step(child.digest) for manifest in new for child in manifest.manifests if is_manifest(child)]
        if self.recursive:
            listed: dict[Digest, Sequence[Descriptor]] = {}
            run_all(self.http, [functools.partial(self._list, manifest, listed) for manifest in new], IN_FLIGHT)
            for manifest in new:
                steps += [_Step(child.digest, manifest.descriptor, child) for child in listed[manifest.digest]]
        # A child comes first: that one is to be read even when it is missing from a list of referrers as well.
        return list({step.digest: step for step in reversed(steps) if step.digest not in self.found}.values())[::-1]

    def _read(self, step: _Step, read: dict[Digest, Manifest]) -> None:
        try:
            manifest = self.known.get(step.digest) or self.source.manifest(step.digest)
        except NotFoundError:
            if step.listed is None:
                raise
            self.left_out.append(LeftOut(step.listed, "it is listed as attached, and is not there"))
            return
        if step.subject and step.listed and not refers_to(manifest, step.subject.digest):
            self.left_out.append(LeftOut(step.listed, "it is listed as attached, and is not"))
        else:
            read[step.digest] = manifest

    def _list(self, manifest: Manifest, listed: dict[Digest, Sequence[Descriptor]]) -> None:
        listed[manifest.digest] = list(self.source.referrers(manifest.digest))

    def _account(self, new: Sequence[Manifest]) -> None:
        self.found |= {manifest.digest: manifest for manifest in new}
        self.size += sum(len(manifest.raw) for manifest in new)
        for manifest in new:
            foreign = [layer for layer in manifest.layers if is_foreign(layer)]
            self.left_out += [LeftOut(layer, "the layer is kept elsewhere") for layer in foreign]
        if len(self.found) > MOST or self.size > MOST_BYTES:
            raise RefusedError(
                "There are too many manifests",
                where=self.source.place,
                why=f"more than {MOST}, or {MOST_BYTES} bytes of them",
            )


def _in_order(found: dict[Digest, Manifest]) -> list[list[Manifest]]:
    """By levels. The digests were checked, so that none can need itself; the bound is for sure."""
    needs = {digest: _needs(manifest) & found.keys() for digest, manifest in found.items()}
    levels: list[list[Manifest]] = []
    done: set[Digest] = set()
    while len(done) < len(found):
        ready = [digest for digest, needed in needs.items() if digest not in done and needed <= done]
        if not ready:
            raise RefusedError("Manifests need one another")
        levels.append([found[digest] for digest in ready])
        done.update(ready)
    return levels


def _needs(manifest: Manifest) -> set[Digest]:
    subject = {manifest.subject.digest} if manifest.subject else set()
    return {child.digest for child in manifest.manifests} | subject
