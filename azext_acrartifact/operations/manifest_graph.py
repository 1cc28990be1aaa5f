"""Graphs of manifests: an artifact with its children and its referrers. Copy, backup and restore walk them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..errors import NotFoundError, RefusedError
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.manifest import Manifest, is_foreign, is_manifest
from ..oci.mediatypes import TITLE
from ..oci.referrers import owned_tags
from ..oci.storage import GraphSource
from ..transfer.concurrency import Concurrency
from .list_referrers import IN_FLIGHT, refers_to
from .parallel import run_all

DEEPEST = 26
"""The most levels: as many as other commands accept for indexes and for referrers together."""
MOST = 10_000
MOST_BYTES = 64 * 1024 * 1024
"""The most bytes that the manifests of a graph may take in memory, with all that is copied for them: those of 10,000
images of 4 KB each with two layers of their own, or of one manifest of 4 MiB."""
_BLOB_COST = 1024
"""Bytes that a blob takes while it is copied and reported."""
_ANNOTATION_COST = 128


@dataclass(frozen=True)
class LeftOut:
    """A descriptor that is listed but not part of the graph, and *why*."""

    descriptor: Descriptor
    why: str


Resolve = Callable[[str], Descriptor | None]
"""Returns the descriptor of the manifest under a tag, or None."""


@dataclass(frozen=True)
class Graph:
    """Manifests by *levels*. The children and the subject of a manifest are in the levels before it. *owned* are the
    tags of those that belong to another by its digest in their tag, as cosign's signatures do."""

    levels: Sequence[Sequence[Manifest]]
    left_out: Sequence[LeftOut] = ()
    owned: Mapping[Digest, Sequence[str]] = field(default_factory=dict)

    @property
    def manifests(self) -> Iterator[Manifest]:
        """All manifests, each after its children and its subject."""
        return (manifest for level in self.levels for manifest in level)

    def with_owned(self, tags: Mapping[Digest, Sequence[str]]) -> dict[Digest, list[str]]:
        """Return *tags* and those in *owned*, each once."""
        both = {digest: [*tags.get(digest, ()), *self.owned.get(digest, ())] for digest in (*tags, *self.owned)}
        return {digest: list(dict.fromkeys(names)) for digest, names in both.items()}


class ManifestPool:
    """The manifests that a command has in memory, each once and without what a copy does not need: images of one base
    list the same layers. Safe to call from many threads."""

    def __init__(self, label: str, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        """Refuse more than *most* manifests, or *most_bytes* bytes. *label* names their source in that error."""
        self._label, self._most, self._most_bytes = label, most, most_bytes
        self._found: dict[Digest, Manifest] = {}
        self._blobs: dict[Digest, Descriptor] = {}
        self._size = 0
        self._lock = threading.Lock()

    def get(self, digest: Digest) -> Manifest | None:
        """Return the manifest *digest* if it was added before."""
        return self._found.get(digest)

    def add(self, manifest: Manifest) -> Manifest:
        """Return *manifest* as it is held from now on. Raises `RefusedError` when there are too many."""
        with self._lock:
            if manifest.digest not in self._found:
                self._found[manifest.digest] = self._compact(manifest)
                self.require(0)
            return self._found[manifest.digest]

    def require(self, others: int) -> None:
        """Raise `RefusedError` when there are too many, with *others* that are listed and not read yet."""
        if len(self._found) + others > self._most or self._size > self._most_bytes:
            raise RefusedError(
                "There are too many manifests",
                where=self._label,
                why=f"more than {self._most:,}, or than {self._most_bytes >> 20} MiB of them",
                hint="Give some of the tags, or fewer at once.",
            )

    def _compact(self, manifest: Manifest) -> Manifest:
        """Return *manifest* without most annotations. A referrer keeps its own: lists of referrers repeat them."""
        self._size += len(manifest.raw)
        annotations = manifest.annotations if manifest.subject else {}
        self._size += sum(
            _ANNOTATION_COST + sys.getsizeof(key) + sys.getsizeof(annotations[key]) for key in annotations
        )
        return replace(
            manifest,
            config=self._shared(manifest.config) if manifest.config else None,
            layers=tuple(map(self._shared, manifest.layers)),
            manifests=tuple(map(self._shared, manifest.manifests)),
            subject=self._shared(manifest.subject) if manifest.subject else None,
            annotations=annotations,
        )

    def _shared(self, blob: Descriptor) -> Descriptor:
        title = {TITLE: blob.title} if blob.title else {}
        found = self._blobs.get(blob.digest)
        if found is not None and (found.media_type, found.size, found.annotations) == (
            blob.media_type,
            blob.size,
            title,
        ):
            return found
        self._size += _BLOB_COST + sys.getsizeof(blob.title)
        made = Descriptor(sys.intern(blob.media_type), blob.digest, blob.size, title)
        return self._blobs.setdefault(blob.digest, made) if found is None else made


def collect(
    source: GraphSource,
    roots: Iterable[Digest],
    concurrency: Concurrency,
    *,
    recursive: bool = False,
    pool: ManifestPool | None = None,
    resolve: Resolve | None = None,
) -> Graph:
    """Read the graph below *roots*, each manifest once; with *recursive*, with the referrers of all of its manifests,
    and with what *resolve* finds under tags that belong to them: three requests for each.

    Subjects of the roots do not belong to it. Manifests in *pool* are not read again. Raises `RefusedError` for a
    graph that is too deep or too large for *pool*, `NotFoundError` for a missing child. A listed referrer that is
    missing, or does not refer to its subject, is left out.
    """
    walk = _Walk(source, concurrency, recursive, pool or ManifestPool(source.label), resolve if recursive else None)
    level: list[_Step] = [_Step(digest) for digest in dict.fromkeys(roots)]
    for _ in range(DEEPEST):
        level = walk.follow(level)
        if not level:
            return Graph(_in_order(walk.found), tuple(walk.left_out), walk.owned)
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
    pool: ManifestPool
    resolve: Resolve | None
    owned: dict[Digest, list[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    found: dict[Digest, Manifest] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    def follow(self, level: Sequence[_Step]) -> list[_Step]:
        """Read the manifests of *level*; return the steps of the next level."""
        read: dict[Digest, Manifest] = {}
        run_all(self.concurrency, lambda step: self._read(step, read), level)
        new = [read[step.digest] for step in level if step.digest in read]
        self._account(new)
        steps = [_Step(child.digest) for manifest in new for child in manifest.manifests if is_manifest(child)]
        if self.recursive:
            listed: dict[Digest, list[Descriptor]] = {}
            fewer = Concurrency(self.concurrency.http, min(IN_FLIGHT, self.concurrency.fixed or IN_FLIGHT))
            run_all(fewer, lambda manifest: self._list(manifest, listed), new)
            for manifest in new:
                steps += [_Step(child.digest, manifest.descriptor, child) for child in listed[manifest.digest]]
            steps += self._owned_by(new)
        # A child replaces a referrer of the same digest: if it is missing, that is an error.
        return list({step.digest: step for step in reversed(steps) if step.digest not in self.found}.values())[::-1]

    def _read(self, step: _Step, read: dict[Digest, Manifest]) -> None:
        try:
            manifest = self.pool.get(step.digest) or self.source.manifest(step.digest)
        except NotFoundError:
            if step.listed is None:
                raise
            self.left_out.append(LeftOut(step.listed, "it is listed as a referrer, and is missing"))
            return
        if step.subject and step.listed and not refers_to(manifest, step.subject.digest):
            self.left_out.append(LeftOut(step.listed, "it is listed as a referrer, and is none"))
        else:
            read[step.digest] = self.pool.add(manifest)

    def _owned_by(self, manifests: Sequence[Manifest]) -> list[_Step]:
        """Return the manifests that belong to *manifests* by their tags."""
        steps: list[_Step] = []

        def look_up(tag: str) -> None:
            if self.resolve and (found := self.resolve(tag)):
                with self.lock:
                    self.owned.setdefault(found.digest, []).append(tag)
                    steps.append(_Step(found.digest))

        tags = [tag for manifest in manifests for tag in owned_tags(manifest.digest)] if self.resolve else []
        run_all(self.concurrency, look_up, tags)
        return steps

    def _list(self, manifest: Manifest, listed: dict[Digest, list[Descriptor]]) -> None:
        children = listed.setdefault(manifest.digest, [])
        for child in self.source.referrers(manifest.digest):
            children.append(Descriptor(child.media_type, child.digest, child.size))
            self.pool.require(len(children))

    def _account(self, new: Sequence[Manifest]) -> None:
        self.found |= {manifest.digest: manifest for manifest in new}
        for manifest in new:
            foreign = [layer for layer in manifest.layers if is_foreign(layer)]
            self.left_out += [LeftOut(layer, "the layer is stored elsewhere") for layer in foreign]


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
