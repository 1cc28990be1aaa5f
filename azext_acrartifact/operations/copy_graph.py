"""Copy a graph of manifests from a source to a target: blobs, then manifests in their order, tags last."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ..errors import RejectedError
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest, short
from ..oci.manifest import Manifest, blobs_of
from ..oci.mediatypes import TITLE
from ..oci.storage import COPIED, MOUNTED, SKIPPED, GraphSource, GraphTarget, Receiver
from ..transfer.concurrency import Concurrency
from ..transfer.progress import Progress
from ..transfer.scheduler import Job, Scheduler
from ..transfer.sizes import DEFAULT_SIZES, TransferSizes
from .manifest_graph import Graph
from .parallel import naming_what_was_done, require_all, run_all
from .tag import taken

Tags = Mapping[Digest, Sequence[str]]
"""The tags that manifests of a graph get at the target."""
Moving = Callable[[str], None]
"""Gets each tag that will name another manifest."""
_Found = TypeVar("_Found", Descriptor, Manifest)
BATCH = 10_000
"""Blobs or manifests that have their jobs made at once."""
_VERBS = {COPIED: "Copied", MOUNTED: "Mounted", SKIPPED: "Exists"}


def _any(_tag: str) -> None:
    """Let every tag be moved."""


@dataclass(frozen=True, slots=True)
class Item:
    """A blob or a manifest, and its state: `copied`, `mounted` or `skipped`; in a dry run, the state it would get."""

    descriptor: Descriptor
    state: str


@dataclass(frozen=True)
class CopiedGraph:
    """The manifests and blobs of a graph after a copy; *blobs* are those of manifests that were missing."""

    manifests: Sequence[Item]
    blobs: Sequence[Item]

    def size(self, state: str) -> int:
        """Return the bytes of the blobs in *state*."""
        return sum(item.descriptor.size for item in self.blobs if item.state == state)


@dataclass(frozen=True)
class Ends:
    """The source and the target of a graph, and the budget of all requests between them."""

    source: GraphSource
    target: GraphTarget
    concurrency: Concurrency
    sizes: TransferSizes = DEFAULT_SIZES


def copy_graph(
    graph: Graph, ends: Ends, tags: Tags, progress: Progress, overwrite: bool = True, moving: Moving = _any
) -> CopiedGraph:
    """Copy what is missing of *graph* at the target, then write *tags*. Running it again resumes after a break.

    Calls *moving* with each tag that names another artifact at the target, before anything is sent. Without
    *overwrite*, raises `RejectedError` when one of *tags* names another artifact there: before anything is
    sent, and again before a tag is written.
    """
    wanted = wanted_tags(ends.target, tags, overwrite, moving)
    missing = missing_manifests(graph, ends)
    blobs = blobs_of(manifest for manifest in graph.manifests if manifest.digest in missing)
    copier = _BlobCopier(ends, progress)

    def copy() -> None:
        copier.copy(blobs)
        _put_manifests(graph, ends, missing, {digest for digest, _ in wanted})
        _put_tags(graph, ends.target, wanted if overwrite else wanted_tags(ends.target, tags, overwrite))

    try:
        copy()
    except RejectedError as error:
        if error.code != "MANIFEST_BLOB_UNKNOWN":
            raise
        # A geo-replica may not have a blob yet that another replica confirmed. Check and send every blob once more,
        # then put the manifest again.
        copy()
    items = [Item(blob, copier.states[blob.digest]) for blob in blobs]
    return CopiedGraph(_manifest_items(graph, missing), items)


def preview(graph: Graph, ends: Ends, tags: Tags, overwrite: bool = True, moving: Moving = _any) -> CopiedGraph:
    """Return what `copy_graph` would do, without sending anything. Raises the errors that it would raise at once."""
    wanted_tags(ends.target, tags, overwrite, moving)
    missing = missing_manifests(graph, ends)
    blobs = blobs_of(manifest for manifest in graph.manifests if manifest.digest in missing)
    absent = _absent(ends, blobs, ends.target.exists)
    items = [Item(blob, COPIED if blob.digest in absent else SKIPPED) for blob in blobs]
    return CopiedGraph(_manifest_items(graph, missing), items)


def missing_manifests(graph: Graph, ends: Ends) -> Collection[Digest]:
    """Return the manifests of the graph that are not complete at the target."""
    return _absent(ends, list(graph.manifests), ends.target.is_complete)


def _absent(ends: Ends, items: Sequence[_Found], exists: Callable[[_Found], bool]) -> set[Digest]:
    """Return the digests of those of *items* that do not exist."""
    absent: set[Digest] = set()

    def check(item: _Found) -> None:
        if not exists(item):
            absent.add(item.digest)

    for batch in _batches(items):
        run_all(ends.concurrency, check, batch)
    return absent


def _batches(items: Sequence[_Found]) -> Iterator[Sequence[_Found]]:
    """Yield *items* in groups, as the jobs for all of them take much memory."""
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def wanted_tags(target: GraphTarget, tags: Tags, overwrite: bool, moving: Moving = _any) -> list[tuple[Digest, str]]:
    """Return the tags to write: those that do not name their manifest already. Raises as `copy_graph` does."""
    wanted = []
    for digest, names in tags.items():
        for name in dict.fromkeys(names):
            found = target.resolve(name)
            if found is not None and found.digest != digest and not overwrite:
                raise taken(f"{target.label}:{name}", found.digest, digest)
            if found is not None and found.digest != digest:
                moving(name)
            if found is None or found.digest != digest:
                wanted.append((digest, name))
    return wanted


def _put_manifests(graph: Graph, ends: Ends, missing: Collection[Digest], to_tag: Collection[Digest]) -> None:
    """Store the *missing* manifests. Those *to_tag* that no other needs are stored later, under their tags."""
    later = _not_needed(graph) & set(to_tag)
    for level in graph.levels:
        new = [manifest for manifest in level if manifest.digest in missing and manifest.digest not in later]
        puts = [functools.partial(ends.target.put, manifest, manifest.digest) for manifest in new]
        # Not `run_all`, which breaks the connections: they are needed to send missing blobs again.
        require_all(ends.concurrency, puts)


def _not_needed(graph: Graph) -> set[Digest]:
    """Return the manifests that no other manifest of the graph lists or refers to."""
    needed = {child.digest for manifest in graph.manifests for child in manifest.manifests}
    needed |= {manifest.subject.digest for manifest in graph.manifests if manifest.subject}
    return {manifest.digest for manifest in graph.manifests} - needed


def _put_tags(graph: Graph, target: GraphTarget, wanted: Sequence[tuple[Digest, str]]) -> None:
    found, done = {manifest.digest: manifest for manifest in graph.manifests}, list[str]()
    with naming_what_was_done(done):
        for digest, name in wanted:
            target.put(found[digest], name)
            done.append(f"{name} was stored")


def _manifest_items(graph: Graph, missing: Collection[Digest]) -> list[Item]:
    return [
        Item(
            replace(manifest.descriptor, artifact_type=manifest.artifact_type),
            COPIED if manifest.digest in missing else SKIPPED,
        )
        for manifest in graph.manifests
    ]


@dataclass
class _BlobCopier:
    """Copies blobs, the largest first, and reports progress."""

    ends: Ends
    progress: Progress
    states: dict[Digest, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def copy(self, blobs: Sequence[Descriptor]) -> None:
        """Copy all *blobs* to the target, and set the state of each in `states`."""
        self.progress.expect(sum(blob.size for blob in blobs))
        names = Counter(blob.name for blob in blobs)
        for batch in _batches(sorted(blobs, key=lambda blob: -blob.size)):
            jobs = [job for blob in batch for job in self._jobs(blob, _shown(blob, names))]
            Scheduler(self.ends.concurrency).run(jobs)

    def _jobs(self, blob: Descriptor, shown: Descriptor) -> list[Job]:
        advance = functools.partial(self._moved, shown)
        bulk = blob.size > self.ends.sizes.single
        return [
            Job(functools.partial(self._copy, blob, shown, receive, helps), blob.size, bulk, helps)
            for helps, receive in enumerate(self.ends.target.receivers(blob, self.ends.source, advance))
        ]

    def _copy(self, blob: Descriptor, shown: Descriptor, receive: Receiver, helps: int) -> None:
        if not helps:
            self.progress.started(shown, "Copying")
        state = receive()
        if state is None:
            return
        with self.lock:
            if state != SKIPPED or blob.digest not in self.states:
                self.states[blob.digest] = state
        self.progress.finished(shown, _VERBS[state])

    def _moved(self, shown: Descriptor, size: int) -> None:
        self.ends.concurrency.moved(size)
        self.progress.advanced(shown, size)


def _shown(blob: Descriptor, names: Counter[str]) -> Descriptor:
    """Give *blob* a title that no other has, for the progress display."""
    title = blob.name if names[blob.name] == 1 else f"{blob.name} ({short(blob.digest)})"
    return replace(blob, annotations={TITLE: title})
