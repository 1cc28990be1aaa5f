"""push: files and folders become an artifact."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import InvalidInputError, RejectedError
from ..files.archive.compression import GZIP, codec_named
from ..oci.descriptor import Descriptor
from ..oci.manifest import Manifest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transfer.progress import Progress
from ..transfer.upload_sessions import Journal
from ..transport.authorization import Scope
from .annotations import Annotations
from .file_spec import FileSpec
from .inputs import Opening, Stdin, open_inputs
from .locks import naming_locks, require_writable
from .manifest_builder import compose, config_shipment, placeholders, spec_version
from .platforms import Platform, add_to_index, require_index
from .tag import TagRules, named, put_tags, require_free, rights
from .upload_job import UPLOADED, Shipment, Shipper, shipment_of


@dataclass(frozen=True)
class PushOrder:
    """What the user asked for. Without tag and digest in *reference*, the artifact is pushed by its digest.
    *subject* is what the new artifact is attached to. *journal_folder* is where uploads under way are kept, if
    anywhere; *concurrency* None adapts to the line. *stdin* is what a file called `-` stands for; *split* makes each
    file of a folder a layer of its own. With *platform* the tags name indexes, which the artifact is added to. A
    *dry_run* stores nothing."""

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
    compression: str = GZIP
    concurrency: int | None = None
    journal_folder: str | None = None
    subject: Descriptor | None = None
    stdin: Stdin | None = None
    split: bool = False
    rules: TagRules = field(default_factory=TagRules)
    platform: Platform | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class PushedFile:
    """One layer; *state* is `uploaded`, or `skipped` when the registry had it; in a dry run, what it would be."""

    descriptor: Descriptor
    state: str


@dataclass(frozen=True)
class PushResult:
    """What is in the registry now, or would be. Bytes count config and layers, each blob once."""

    reference: Reference
    manifest: Manifest
    tags: Sequence[str]
    files: Sequence[PushedFile]
    bytes_uploaded: int
    bytes_skipped: int


def push(registry: Registry, order: PushOrder, progress: Progress) -> PushResult:
    """Send what the registry lacks, blobs first, the manifest last.

    Everything that can be known to be wrong is found before a byte is hashed: the arguments, the files, the
    right to push. A dry run finds out all of that, and what would be sent. Raises any `ArtifactError`.
    """
    with contextlib.ExitStack() as stack:
        version = spec_version(order.image_spec, order.config, order.artifact_type)
        _check(order)
        opening = Opening(order.exclude, order.annotations.files, order.stdin, order.split)
        inputs = open_inputs(order.files, opening, stack)
        codec = codec_named(order.compression)
        layers = [shipment_of(item, order.media_type, codec) for item in inputs] or placeholders(version)
        config = config_shipment(version, order.config, order.artifact_type, order.annotations.config, stack)
        registry.authorizer.authorization(Scope.of(order.reference.repository, *rights(order.rules)))
        present = _present(registry, order)
        places = [order.reference, *named(order.reference, order.tags)]
        if order.dry_run:
            require_writable(registry, places)
        stack.enter_context(naming_locks(registry, places))
        try:
            return _push(registry, order, version, config, layers, present, progress)
        except RejectedError as error:
            if error.code != "MANIFEST_BLOB_UNKNOWN":
                raise
            # A replica may lack what another one had: everything is asked for, and sent, once more.
            return _push(registry, order, version, config, layers, None, progress)


def _check(order: PushOrder) -> None:
    if not order.files and not order.allow_empty:
        raise InvalidInputError("No file to push", hint="Give --file PATH, or --empty for an artifact without files.")
    if order.reference.digest:
        raise InvalidInputError(
            "A push cannot choose its digest", where=str(order.reference), hint="Give a tag, or neither."
        )
    if not order.rules.overwrite and not _tags(order):
        raise InvalidInputError(
            "Without a tag there is nothing to overwrite",
            where=str(order.reference),
            hint=f"Write {order.reference}:TAG, or leave out --no-overwrite.",
        )
    if order.platform and not order.reference.tag:
        raise InvalidInputError("An index needs a tag", where=str(order.reference), hint=f"Write {order.reference}:TAG")


def _present(registry: Registry, order: PushOrder) -> Manifest | None:
    """What the tag is now: whatever it holds need not be sent, nor asked for blob by blob."""
    repository, tag = order.reference.repository, order.reference.tag
    found = registry.manifests.find(repository, tag) if tag else None
    if order.platform and found:
        require_index(found, order.reference)
    children = found.manifests if found and order.platform else ()
    same = next((child.digest for child in children if child.platform == order.platform), None)
    return registry.manifests.find(repository, same) if same else found


def _push(
    registry: Registry,
    order: PushOrder,
    version: str,
    config: Shipment,
    layers: Sequence[Shipment],
    present: Manifest | None,
    progress: Progress,
) -> PushResult:
    journal = Journal(order.journal_folder)
    codec = codec_named(order.compression)
    repository = order.reference.repository
    shipper = Shipper(registry, repository, present, journal, progress, codec, order.concurrency, order.dry_run)
    shipper.ship([config, *layers])
    described = [_described(shipment) for shipment in layers]
    annotations = order.annotations.manifest
    manifest = compose(version, _described(config), described, order.artifact_type, order.subject, annotations)
    tags = (_would_tag if order.dry_run else _tag)(registry, order, manifest, present)
    return _result(order, manifest, tags, config, layers)


def _described(shipment: Shipment) -> Descriptor:
    assert shipment.descriptor is not None
    return shipment.descriptor


def _tag(registry: Registry, order: PushOrder, manifest: Manifest, present: Manifest | None) -> list[str]:
    """Store the manifest under every tag; by its digest when there is none."""
    tag, tags = order.reference.tag, _tags(order)
    if order.platform:
        put_tags(registry, order.reference, manifest, [], TagRules(lock=order.rules.lock))
        for name in tags:
            index = add_to_index(registry, order.reference, name, manifest, order.platform)
            put_tags(registry, order.reference, index, [name], order.rules)
        return tags
    held = tag if tag and present and present.digest == manifest.digest else ""
    put_tags(registry, order.reference, manifest, tags, order.rules, held)
    return tags


def _would_tag(registry: Registry, order: PushOrder, manifest: Manifest, _present: Manifest | None) -> list[str]:
    """The same tags, with nothing stored; refuses what `_tag` would."""
    tags = _tags(order)
    for name in tags if order.platform or not order.rules.overwrite else []:
        stored = add_to_index(registry, order.reference, name, manifest, order.platform) if order.platform else manifest
        require_free(registry, order.reference, stored.digest, [name], order.rules)
    return tags


def _tags(order: PushOrder) -> list[str]:
    tag = order.reference.tag
    return list(dict.fromkeys([*([tag] if tag else []), *order.tags]))


def _result(
    order: PushOrder, manifest: Manifest, tags: Sequence[str], config: Shipment, layers: Sequence[Shipment]
) -> PushResult:
    blobs = {_described(shipment).digest: shipment for shipment in (*layers, config)}
    for shipment in (*layers, config):
        if shipment.state == UPLOADED:
            blobs[_described(shipment).digest] = shipment
    sizes = [(_described(shipment).size, shipment.state == UPLOADED) for shipment in blobs.values()]
    files = [PushedFile(_described(shipment), shipment.state) for shipment in layers if shipment.item]
    sent = sum(size for size, was_sent in sizes if was_sent)
    return PushResult(order.reference, manifest, tags, files, sent, sum(size for size, _ in sizes) - sent)
