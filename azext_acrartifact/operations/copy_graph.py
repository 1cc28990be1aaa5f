"""Brings a graph of manifests from one end to another: blobs, then manifests in their order, tags last."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..errors import RejectedError
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest, short
from ..oci.manifest import Manifest, blobs_of
from ..oci.mediatypes import TITLE
from ..oci.storage import COPIED, MOUNTED, SKIPPED, GraphSource, GraphTarget
from ..transfer.concurrency import Pace
from ..transfer.progress import Progress
from ..transfer.scheduler import Job, Scheduler
from ..transfer.upload import SINGLE_LIMIT
from ..transport.client import HttpClient
from .manifest_graph import Graph
from .parallel import require_all, run_all
from .tag import taken

Tags = Mapping[Digest, Sequence[str]]
"""The tags that manifests of a graph are to have at the target."""
_VERBS = {COPIED: "Copied", MOUNTED: "Mounted", SKIPPED: "Exists"}


@dataclass(frozen=True)
class Item:
    """A blob or a manifest, and its state: `copied`, `mounted` or `skipped`; in a dry run, what it would be."""

    descriptor: Descriptor
    state: str


@dataclass(frozen=True)
class Carried:
    """What was brought, or would be; *blobs* are those of manifests that were not there."""

    manifests: Sequence[Item]
    blobs: Sequence[Item]

    def size(self, state: str) -> int:
        """Bytes of the blobs in *state*."""
        return sum(item.descriptor.size for item in self.blobs if item.state == state)


@dataclass(frozen=True)
class Ends:
    """Where a graph is taken from, and where it goes. *http* carries all that is in flight; *concurrency* None adapts
    to the line."""

    source: GraphSource
    target: GraphTarget
    http: HttpClient
    concurrency: int | None = None


def carry(graph: Graph, ends: Ends, tags: Tags, progress: Progress, overwrite: bool = True) -> Carried:
    """Bring *graph* to the target, without what it has, and give it *tags* when all is there. Run again after a break,
    it goes on.

    Without *overwrite*, raises `RejectedError` when one of *tags* names something else there: before anything is sent,
    and again before a tag is written.
    """
    wanted = wanted_tags(ends.target, tags, overwrite)
    missing = missing_manifests(graph, ends)
    blobs = blobs_of(manifest for manifest in graph.manifests if manifest.digest in missing)
    carrier = _Carrier(ends, progress)

    def bring() -> None:
        carrier.bring(blobs)
        _put_manifests(graph, ends, missing, {digest for digest, _ in wanted})
        _put_tags(graph, ends.target, wanted if overwrite else wanted_tags(ends.target, tags, overwrite))

    try:
        bring()
    except RejectedError as error:
        if error.code != "MANIFEST_BLOB_UNKNOWN":
            raise
        # A replica may lack what another one had: everything is asked for, and sent, once more.
        bring()
    items = [Item(blob, carrier.states[blob.digest]) for blob in blobs]
    return Carried(_manifest_items(graph, missing), items)


def survey(graph: Graph, ends: Ends, tags: Tags, overwrite: bool = True) -> Carried:
    """What `carry` would do, with nothing sent; raises what it would find at once."""
    wanted_tags(ends.target, tags, overwrite)
    missing = missing_manifests(graph, ends)
    held: set[Digest] = set()

    def ask(blob: Descriptor) -> None:
        if ends.target.exists(blob):
            held.add(blob.digest)

    blobs = blobs_of(manifest for manifest in graph.manifests if manifest.digest in missing)
    run_all(ends.http, [functools.partial(ask, blob) for blob in blobs], ends.concurrency)
    items = [Item(blob, SKIPPED if blob.digest in held else COPIED) for blob in blobs]
    return Carried(_manifest_items(graph, missing), items)


def missing_manifests(graph: Graph, ends: Ends) -> Collection[Digest]:
    """Those of the graph that the target does not hold."""
    missing: set[Digest] = set()

    def ask(manifest: Manifest) -> None:
        if not ends.target.holds(manifest):
            missing.add(manifest.digest)

    run_all(ends.http, [functools.partial(ask, manifest) for manifest in graph.manifests], ends.concurrency)
    return missing


def wanted_tags(target: GraphTarget, tags: Tags, overwrite: bool) -> list[tuple[Digest, str]]:
    """The tags that must be written, since they do not name that already; see `carry`."""
    wanted = []
    for digest, names in tags.items():
        for name in dict.fromkeys(names):
            held = target.resolve(name)
            if held is not None and held.digest != digest and not overwrite:
                raise taken(f"{target.place}:{name}", held.digest, digest)
            if held is None or held.digest != digest:
                wanted.append((digest, name))
    return wanted


def _put_manifests(graph: Graph, ends: Ends, missing: Collection[Digest], to_tag: Collection[Digest]) -> None:
    """Store those that are *missing*, but not yet those *to_tag* that nothing needs: these get their tags at once."""
    later = _needed_by_none(graph) & set(to_tag)
    for level in graph.levels:
        new = [manifest for manifest in level if manifest.digest in missing and manifest.digest not in later]
        puts = [functools.partial(ends.target.put, manifest, manifest.digest) for manifest in new]
        # Not `run_all`: what is missing for one of them is sent again, over the same connections.
        require_all(ends.http, puts, ends.concurrency)


def _needed_by_none(graph: Graph) -> set[Digest]:
    """Manifests that no other of the graph lists or refers to."""
    needed = {child.digest for manifest in graph.manifests for child in manifest.manifests}
    needed |= {manifest.subject.digest for manifest in graph.manifests if manifest.subject}
    return {manifest.digest for manifest in graph.manifests} - needed


def _put_tags(graph: Graph, target: GraphTarget, wanted: Sequence[tuple[Digest, str]]) -> None:
    found = {manifest.digest: manifest for manifest in graph.manifests}
    for digest, name in wanted:
        target.put(found[digest], name)


def _manifest_items(graph: Graph, missing: Collection[Digest]) -> list[Item]:
    return [
        Item(
            replace(manifest.descriptor, artifact_type=manifest.artifact_type),
            COPIED if manifest.digest in missing else SKIPPED,
        )
        for manifest in graph.manifests
    ]


@dataclass
class _Carrier:
    """Brings blobs, the largest first, and tells of it."""

    ends: Ends
    progress: Progress
    states: dict[Digest, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.pace = Pace(self.ends.http, self.ends.concurrency)

    def bring(self, blobs: Sequence[Descriptor]) -> None:
        """Have all of *blobs* at the target, and in `states` how each got there."""
        self.progress.expect(sum(blob.size for blob in blobs))
        shown = _shown(blobs)
        jobs = [
            Job(functools.partial(self._bring, blob, shown[blob.digest]), blob.size, blob.size > SINGLE_LIMIT)
            for blob in blobs
        ]
        Scheduler(self.ends.http, self.pace).run(jobs)

    def _bring(self, blob: Descriptor, shown: Descriptor) -> None:
        self.progress.started(shown, "Copying")
        advance = functools.partial(self._moved, shown)
        self._settle(blob, shown, self.ends.target.receive(blob, self.ends.source, advance))

    def _settle(self, blob: Descriptor, shown: Descriptor, state: str) -> None:
        with self.lock:
            if state != SKIPPED or blob.digest not in self.states:
                self.states[blob.digest] = state
        self.progress.finished(shown, _VERBS[state])

    def _moved(self, shown: Descriptor, size: int) -> None:
        self.pace.moved(size)
        self.progress.advanced(shown, size)


def _shown(blobs: Sequence[Descriptor]) -> dict[Digest, Descriptor]:
    """Each blob under a title of its own, for whoever draws them side by side; its type stands in for a missing one."""
    named = [(blob, blob.title or blob.media_type) for blob in blobs]
    names = Counter(name for _, name in named)
    return {
        blob.digest: replace(
            blob, annotations={TITLE: name if names[name] == 1 else f"{name} ({short(blob.digest)})"}
        )
        for blob, name in named
    }  # fmt: skip
