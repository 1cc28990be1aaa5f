"""push: files and folders become an artifact."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import InvalidInputError, RejectedError
from ..oci.descriptor import Descriptor
from ..oci.manifest import Manifest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transfer.progress import Progress
from ..transfer.repository import RepositoryStorage
from ..transfer.scheduler import CONCURRENCY, run_all
from ..transport.authorization import PULL, PUSH, Scope
from .annotations import Annotations
from .filespec import FileSpec
from .inputs import Input, Layer, describe, open_inputs
from .packing import compose, config_layer, placeholders, spec_version

UPLOADED = "uploaded"
SKIPPED = "skipped"


@dataclass(frozen=True)
class PushOrder:
    """What the user asked for. Without tag and digest in *reference*, the artifact is pushed by its digest."""

    reference: Reference
    files: Sequence[FileSpec]
    config: FileSpec | None = None
    artifact_type: str | None = None
    media_type: str | None = None
    image_spec: str | None = None
    annotations: Annotations = field(default_factory=Annotations)
    tags: Sequence[str] = ()
    exclude: Sequence[str] = ()
    allow_empty: bool = False
    concurrency: int = CONCURRENCY


@dataclass(frozen=True)
class PushedFile:
    """One layer; *state* is `uploaded`, or `skipped` when the registry had it."""

    descriptor: Descriptor
    state: str


@dataclass(frozen=True)
class PushResult:
    """What is in the registry now. Bytes count config and layers, each blob once."""

    reference: Reference
    manifest: Manifest
    tags: Sequence[str]
    files: Sequence[PushedFile]
    bytes_uploaded: int
    bytes_skipped: int


def push(registry: Registry, order: PushOrder, progress: Progress) -> PushResult:
    """Send what the registry lacks, blobs first, the manifest last.

    Everything that can be known to be wrong is found before a byte is hashed: the arguments, the files, the
    right to push. Raises any `ArtifactError`.
    """
    with contextlib.ExitStack() as stack:
        version = spec_version(order.image_spec, order.config, order.artifact_type)
        inputs = _look(order, stack)
        config = config_layer(version, order.config, order.artifact_type, order.annotations.config, stack)
        registry.authorizer.authorization(Scope.of(order.reference.repository, PULL, PUSH))
        present = _present(registry, order.reference)
        try:
            return _push(registry, order, version, inputs, config, present, progress, stack)
        except RejectedError as error:
            if error.code != "MANIFEST_BLOB_UNKNOWN":
                raise
            # A replica may lack what another one had: everything is asked for, and sent, once more.
            return _push(registry, order, version, inputs, config, None, progress, stack)


def _look(order: PushOrder, stack: contextlib.ExitStack) -> list[Input]:
    if not order.files and not order.allow_empty:
        raise InvalidInputError("No file to push", hint="Give --file PATH, or --empty for an artifact without files.")
    if order.reference.digest:
        raise InvalidInputError(
            "A push cannot choose its digest", where=str(order.reference), hint="Give a tag, or neither."
        )
    return open_inputs(order.files, order.exclude, order.annotations.files, stack)


def _present(registry: Registry, reference: Reference) -> Manifest | None:
    """What the tag is now: whatever it holds need not be sent, nor asked for blob by blob."""
    return registry.manifests.find(reference.repository, reference.tag) if reference.tag else None


def _push(
    registry: Registry,
    order: PushOrder,
    version: str,
    inputs: Sequence[Input],
    config: Layer,
    present: Manifest | None,
    progress: Progress,
    stack: contextlib.ExitStack,
) -> PushResult:
    known = {blob.title: blob for blob in present.layers if blob.title} if present else {}
    layers = [describe(item, order.media_type, known, stack) for item in inputs]
    manifest = compose(version, config, layers, order.artifact_type, None, order.annotations.manifest)
    blobs = [config, *(layers or placeholders(version))]
    states = _send(registry, order, blobs, present, progress)
    tags = _tag(registry, order, manifest, present)
    return _result(order, manifest, tags, layers, blobs, states)


def _send(
    registry: Registry, order: PushOrder, blobs: Sequence[Layer], present: Manifest | None, progress: Progress
) -> dict[str, str]:
    """Send each blob once, the largest first; the state of each by digest."""
    held = {blob.digest for blob in (*present.layers, present.config) if blob} if present else set()
    storage = RepositoryStorage(registry, order.reference.repository)
    once = {layer.descriptor.digest: layer for layer in blobs}
    states: dict[str, str] = dict.fromkeys(once, SKIPPED)
    missing = [layer for digest, layer in once.items() if digest not in held and layer.content is not None]
    missing.sort(key=lambda layer: -layer.descriptor.size)
    progress.expect(sum(layer.descriptor.size for layer in missing))

    def send(layer: Layer) -> None:
        if _send_one(storage, layer, progress):
            states[layer.descriptor.digest] = UPLOADED

    tasks = [functools.partial(send, layer) for layer in missing]
    run_all(tasks, registry.http.waiter.cancelled, order.concurrency)
    return states


def _send_one(storage: RepositoryStorage, layer: Layer, progress: Progress) -> bool:
    blob, content = layer.descriptor, layer.content
    if content is None or storage.exists(blob):
        progress.advanced(blob, blob.size)
        progress.finished(blob, "Exists")
        return False
    progress.started(blob, "Uploading")
    storage.push(blob, content, lambda size: progress.advanced(blob, size))
    progress.finished(blob, "Uploaded")
    return True


def _tag(registry: Registry, order: PushOrder, manifest: Manifest, present: Manifest | None) -> list[str]:
    """Store the manifest under every tag; by its digest when there is none."""
    repository, tag = order.reference.repository, order.reference.tag
    tags = list(dict.fromkeys([*([tag] if tag else []), *order.tags]))
    for version in tags or [manifest.digest]:
        if not (present and version == tag and present.digest == manifest.digest):
            registry.manifests.put(repository, manifest, version)
    return tags


def _result(
    order: PushOrder,
    manifest: Manifest,
    tags: Sequence[str],
    layers: Sequence[Layer],
    blobs: Sequence[Layer],
    states: dict[str, str],
) -> PushResult:
    sizes = {layer.descriptor.digest: layer.descriptor.size for layer in blobs}
    sent = sum(size for digest, size in sizes.items() if states[digest] == UPLOADED)
    files = [PushedFile(layer.descriptor, states[layer.descriptor.digest]) for layer in layers]
    return PushResult(order.reference, manifest, tags, files, sent, sum(sizes.values()) - sent)
