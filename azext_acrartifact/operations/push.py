"""push: upload files and folders as an artifact."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..errors import InvalidInputError, RejectedError
from ..files.archive.compression import GZIP, codec_named
from ..files.archive.exclusion import Exclusion
from ..files.patterns import Patterns, why_unmatched
from ..oci.descriptor import Descriptor
from ..oci.manifest import Manifest
from ..oci.mediatypes import is_media_type
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..text import first_of
from ..transfer.concurrency import Concurrency
from ..transfer.progress import Progress
from ..transfer.repository_storage import RepositoryStorage
from ..transfer.sizes import DEFAULT_SIZES, TransferSizes
from ..transfer.upload_sessions import UploadSessions
from ..transport.authorization import METADATA_READ, Scope
from .annotations import Annotations
from .file_spec import FileSpec
from .guessed_types import guessed_type
from .image_volume import as_tars, image_config, require_mountable
from .inputs import Input, Opening, Stdin, open_inputs
from .locks import naming_locks, require_writable
from .manifest_builder import V1_0, compose, config_blob, placeholders, spec_version
from .part_size import advice, fitting_part_size
from .platforms import Platform, add_to_index, require_index
from .tag import TagRules, all_tags, named, put_tags, require_free, rights
from .upload_job import SKIPPED, UPLOADED, PendingUpload, Uploader, notes_on_parts, pending_uploads

MOST_NAMED = 5
"""Names in one note."""


@dataclass(frozen=True)
class PushOrder:
    """The artifact to push. Without a tag in *reference*, it is pushed by its digest. It refers to *subject*, if given.
    Interrupted uploads are resumed from *sessions_folder*, if given; *concurrency* None adapts to the network. *stdin*
    is read for a file named `-`; *split* makes each file of a folder a layer of its own. With *platform* the tags name
    indexes, to which the artifact is added. A *dry_run* stores nothing. A *mountable* artifact is an image as well.
    With *guess_types*, the ends of files' names say their media types. Files larger than *part_size* bytes are pushed
    in parts; `part_size.AUTOMATIC` chooses their size."""

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
    sessions_folder: str | None = None
    subject: Descriptor | None = None
    stdin: Stdin | None = None
    split: bool = False
    rules: TagRules = field(default_factory=TagRules)
    platform: Platform | None = None
    dry_run: bool = False
    mountable: bool = False
    guess_types: bool = False
    part_size: int | None = None
    sizes: TransferSizes = DEFAULT_SIZES

    @property
    def all_tags(self) -> list[str]:
        """The tags of the artifact, each once, that of *reference* first."""
        return all_tags(self.reference, self.tags)


@dataclass(frozen=True)
class PushedFile:
    """One file; *state* is `uploaded`, or `skipped` when the registry had it; in a dry run, the state it would get.
    *parts* is the number of its parts, 0 for a layer as it is, and *part_size* the bytes of each but the last. Other
    tools see them under the titles *seen_as*."""

    descriptor: Descriptor
    state: str
    parts: int = 0
    part_size: int = 0
    seen_as: str = ""


@dataclass(frozen=True)
class PushResult:
    """The pushed artifact; after a dry run, as it would be. Bytes count config and layers, each blob once. *left_out*
    are files that are left out of folders by default, *unmatched* the patterns to exclude that matched nothing."""

    reference: Reference
    manifest: Manifest
    tags: Sequence[str]
    files: Sequence[PushedFile]
    bytes_uploaded: int
    bytes_skipped: int
    dry_run: bool = False
    left_out: Sequence[str] = ()
    unmatched: Sequence[str] = ()


def push(registry: Registry, order: PushOrder, progress: Progress) -> PushResult:
    """Upload the blobs that the registry does not have, then the manifest.

    Arguments, files and the permission to push are checked before a byte is hashed. A dry run checks all of that, too,
    and finds the blobs that would be sent. Raises any `ArtifactError`.
    """
    with contextlib.ExitStack() as stack:
        version = _version(order)
        _check(order)
        exclusion = Exclusion(Patterns.of(order.exclude))
        inputs = open_inputs(order.files, Opening(exclusion, order.annotations.files, order.stdin, order.split), stack)
        _require_content(order, inputs)
        _note(exclusion, progress)
        if order.mountable:
            inputs = as_tars(inputs)
        codec = codec_named(order.compression)
        size = fitting_part_size(inputs, order.part_size)
        uploads = [one for item in inputs for one in pending_uploads(item, _usual_type(order, item), codec, size)]
        layers = uploads or placeholders(version)
        if size is None and (text := advice(inputs)):
            progress.note(text)
        for text in notes_on_parts(uploads) if order.dry_run else []:
            progress.note(text)
        config = config_blob(version, order.config, order.artifact_type, order.annotations.config, stack)
        _compose(order, version, config.expected, [layer.expected for layer in layers])  # refuses what is too large
        registry.authorizer.authorization(Scope.of(order.reference.repository, *rights_of(order)))
        present = _present(registry, order)
        references = [order.reference, *named(order.reference, order.tags)]
        existing = references if present or order.dry_run else references[1:]
        require_writable(registry, existing, repository=order.dry_run)
        stack.enter_context(naming_locks(registry, references))
        try:
            result = _push(registry, order, version, config, layers, present, progress)
        except RejectedError as error:
            if error.code != "MANIFEST_BLOB_UNKNOWN":
                raise
            # A geo-replica may not have a blob yet that another replica confirmed: check and send every blob again.
            result = _push(registry, order, version, config, layers, None, progress)
    return replace(result, left_out=exclusion.left_out, unmatched=exclusion.exclude.unused)


def rights_of(order: PushOrder) -> list[str]:
    """Return the actions that the push needs; also those to read the locks of its tags, which the registry may deny."""
    return [*rights(order.rules), *([METADATA_READ] if order.all_tags else [])]


def _version(order: PushOrder) -> str:
    """Return the version of the specification to write. An image without an artifact type looks as in 1.0."""
    version = spec_version(order.image_spec, order.config, order.artifact_type)
    return V1_0 if order.mountable and not order.artifact_type else version


def _usual_type(order: PushOrder, item: Input) -> str | None:
    """Return the media type of *item* if the user named none."""
    guessed = guessed_type(item.title) if order.guess_types and not item.folder else None
    return guessed or order.media_type


def _check(order: PushOrder) -> None:
    if order.mountable:
        typed = order.image_spec == V1_0 and order.artifact_type
        others = {"--manifest-config": order.config, "--media-type": order.media_type, "--split": order.split}
        require_mountable(order.files, {**others, "--image-spec v1.0 with --artifact-type": typed})
    if not order.files and not order.allow_empty:
        raise InvalidInputError("No file to push", hint="Give --file PATH, or --empty for an artifact without files.")
    if order.media_type is not None and not is_media_type(order.media_type):
        raise InvalidInputError("Not a media type", where=order.media_type, hint="Write TYPE/SUBTYPE.")
    if order.reference.digest:
        raise InvalidInputError(
            "A push target cannot have a digest", where=str(order.reference), hint="Give a tag, or neither."
        )
    if not order.rules.overwrite and not order.all_tags:
        raise InvalidInputError(
            "--no-overwrite needs a tag",
            where=str(order.reference),
            hint=f"Write {order.reference}:TAG, or leave out --no-overwrite.",
        )
    if order.platform and not order.reference.tag:
        raise InvalidInputError(
            "--platform needs a tag", where=str(order.reference), hint=f"Write {order.reference}:TAG"
        )


def _require_content(order: PushOrder, inputs: Sequence[Input]) -> None:
    """Refuse to push folders all of whose files are left out, or, with --split, that have none, as if they were an
    artifact without files."""
    if order.allow_empty or not order.files:
        return
    if all(item.folder is not None and item.folder.is_emptied for item in inputs):
        raise InvalidInputError(
            "No file to push",
            where=", ".join(spec.path for spec in order.files),
            why="all files are left out" if inputs else "there are none, or all are left out",
            hint="Check the folder, its .artifactignore and --exclude, or give --empty for an artifact without files.",
        )


def _note(exclusion: Exclusion, progress: Progress) -> None:
    """Say what is left out by default, and which patterns to exclude matched nothing."""
    if exclusion.left_out:
        names = sorted({name.rpartition("/")[2] for name in exclusion.left_out})
        asked = " ".join(f"'!{name}'" for name in names)
        shown = first_of(exclusion.left_out, MOST_NAMED)
        progress.note(f"Left out by default: {shown}. To push that: --exclude {asked}, or an .artifactignore file")
    for first, second in exclusion.twins[:MOST_NAMED]:
        progress.note(f"{first} and {second} can be pulled only where the disk keeps such names apart, as on Linux")
    for text in exclusion.exclude.unused:
        progress.note(why_unmatched("--exclude", text))


def _present(registry: Registry, order: PushOrder) -> Manifest | None:
    """Return the manifest that the tag names now: its blobs are neither sent nor checked one by one."""
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
    config: PendingUpload,
    layers: Sequence[PendingUpload],
    present: Manifest | None,
    progress: Progress,
) -> PushResult:
    codec = codec_named(order.compression)
    sessions = UploadSessions(order.sessions_folder)
    storage = RepositoryStorage(registry, order.reference.repository, sessions, order.sizes)
    concurrency = Concurrency(registry.http, order.concurrency)
    uploader = Uploader(storage, concurrency, present, progress, codec, order.dry_run)
    uploader.run(layers if order.mountable else [config, *layers])
    uploader.state_sizes(layers)
    described = [_described(layer) for layer in layers]
    if order.mountable:
        config = image_config(described, order.platform)
        uploader.run([config])
    manifest = _compose(order, version, _described(config), described)
    tags = (_would_tag if order.dry_run else _tag)(registry, order, manifest, present)
    return _result(order, manifest, tags, config, layers)


def _compose(order: PushOrder, version: str, config: Descriptor, layers: Sequence[Descriptor]) -> Manifest:
    """Build the manifest of *order*. Raises as `build_manifest` does."""
    return compose(version, config, layers, order.artifact_type, order.subject, order.annotations.manifest)


def _described(upload: PendingUpload) -> Descriptor:
    assert upload.descriptor is not None
    return upload.descriptor


def _tag(registry: Registry, order: PushOrder, manifest: Manifest, present: Manifest | None) -> list[str]:
    """Store the manifest under every tag, or by its digest when there is none."""
    tag, tags = order.reference.tag, order.all_tags
    if order.platform:
        put_tags(registry, order.reference, manifest, [], TagRules(lock=order.rules.lock))
        for name in tags:
            index = add_to_index(registry, order.reference, name, manifest, order.platform)
            put_tags(registry, order.reference, index, [name], order.rules)
        return tags
    unchanged = tag if tag and present and present.digest == manifest.digest else ""
    put_tags(registry, order.reference, manifest, tags, order.rules, unchanged)
    return tags


def _would_tag(registry: Registry, order: PushOrder, manifest: Manifest, _present: Manifest | None) -> list[str]:
    """Return the same tags as `_tag` and raise the errors that it would, without storing anything."""
    tags = order.all_tags
    for name in tags if order.platform or not order.rules.overwrite else []:
        stored = add_to_index(registry, order.reference, name, manifest, order.platform) if order.platform else manifest
        require_free(registry, order.reference, stored.digest, [name], order.rules)
    return tags


def _result(
    order: PushOrder, manifest: Manifest, tags: Sequence[str], config: PendingUpload, layers: Sequence[PendingUpload]
) -> PushResult:
    uploads = sorted((*layers, config), key=lambda upload: upload.state == UPLOADED)
    blobs = {_described(upload).digest: upload for upload in uploads}
    sizes = [(_described(upload).size, upload.state == UPLOADED) for upload in blobs.values()]
    files = [pushed for layer in layers if (pushed := _pushed_file(layer))]
    sent = sum(size for size, was_sent in sizes if was_sent)
    skipped = sum(size for size, _ in sizes) - sent
    return PushResult(order.reference, manifest, tags, files, sent, skipped, order.dry_run)


def _pushed_file(layer: PendingUpload) -> PushedFile | None:
    """Return the file of *layer*: for parts, from the first of them; None for others and for what is no file."""
    if layer.part is not None:
        file = layer.part.file
        state = UPLOADED if file.sent else SKIPPED
        size, seen_as = layer.part.content.size, file.seen_as
        return PushedFile(file.whole, state, len(file.parts), size, seen_as) if layer.part.number == 1 else None
    return PushedFile(_described(layer), layer.state) if layer.item else None
