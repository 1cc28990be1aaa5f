"""The user's files, opened and described: what a push sends."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import InvalidInputError, LocalFileError
from ..files.names import RelativeName, find_collision, why_unsafe_path
from ..files.pack import PackedFolder
from ..files.source import LocalFile
from ..oci.content import Content
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.mediatypes import CONTENT_DIGEST, LAYER, LAYER_GZIP, TITLE, UNPACK
from .filespec import FileSpec, title_of


@dataclass(frozen=True)
class Input:
    """One file or folder, looked at but not read: its *title* and its open *file* or scanned *folder*."""

    title: str
    spec: FileSpec
    file: LocalFile | None = None
    folder: PackedFolder | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layer:
    """A blob and where its bytes are; without *content* the registry already has them."""

    descriptor: Descriptor
    content: Content | None


def open_inputs(
    specs: Sequence[FileSpec],
    exclude: Sequence[str],
    annotations: Mapping[str, Mapping[str, str]],
    stack: contextlib.ExitStack,
) -> list[Input]:
    """Look at every file and folder before anything is read or sent; *stack* closes them. *annotations* are
    those of single files, by title.

    Raises `LocalFileError` for what cannot be pushed, `InvalidInputError` for two of the same title.
    """
    inputs = [_open(spec, exclude, annotations.get(title_of(spec.path), {}), stack) for spec in specs]
    _require_distinct(inputs)
    return inputs


def describe(
    item: Input, media_type: str | None, known: Mapping[str, Descriptor], stack: contextlib.ExitStack
) -> Layer:
    """Read *item* to the end and give its layer. *media_type* is the default where the user named none.

    *known* are layers by title that the registry already has: a folder whose uncompressed digest is among them
    is not packed again, whoever packed it.
    """
    annotations = {TITLE: item.title, **item.annotations}
    if item.folder is not None:
        kind = item.spec.media_type or media_type or LAYER_GZIP
        same = _same_folder(item.folder, known.get(item.title), kind, annotations)
        return Layer(same, None) if same else _pack(item, kind, annotations, stack)
    assert item.file is not None
    kind = item.spec.media_type or media_type or LAYER
    return Layer(Descriptor(kind, Digest(item.file.digest()), item.file.size, annotations), item.file)


def _same_folder(
    folder: PackedFolder, known: Descriptor | None, media_type: str, annotations: Mapping[str, str]
) -> Descriptor | None:
    if known is None or known.media_type != media_type or UNPACK not in known.annotations:
        return None
    marks = {UNPACK: "true", CONTENT_DIGEST: known.annotations.get(CONTENT_DIGEST, "")}
    if marks[CONTENT_DIGEST] != folder.tar_digest():
        return None
    return Descriptor(media_type, known.digest, known.size, {**annotations, **marks})


def _open(spec: FileSpec, exclude: Sequence[str], annotations: Mapping[str, str], stack: contextlib.ExitStack) -> Input:
    title = title_of(spec.path)
    if os.path.isdir(spec.path):
        return Input(title, spec, folder=PackedFolder.scan(spec.path, title, exclude), annotations=annotations)
    reason = why_unsafe_path(title)
    file = stack.enter_context(LocalFile.open(spec.path))
    if reason:
        raise LocalFileError(
            "The file cannot be pushed under its name",
            where=title,
            why=reason,
            hint="Rename it: a name that not every system accepts could not be pulled again.",
        )
    return Input(title, spec, file=file, annotations=annotations)


def _require_distinct(inputs: Sequence[Input]) -> None:
    found = find_collision([RelativeName(tuple(item.title.split("/"))) for item in inputs])
    if found:
        raise InvalidInputError(
            f"Two of the files {found.why}",
            where=f"{found.first}, {found.second}",
            hint="Files outside of the current folder are stored by their last name; rename one, or push their folder.",
        )


def _pack(item: Input, media_type: str, annotations: Mapping[str, str], stack: contextlib.ExitStack) -> Layer:
    """The folder's layer, by way of an unnamed temporary file: a kill leaves nothing behind."""
    assert item.folder is not None
    with _packing(item.spec.path):
        spool = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  (the stack is its context)
        stream = item.folder.stream()
        for block in stream:
            spool.write(block)
        spool.flush()
        content = LocalFile(item.spec.path, os.dup(spool.fileno()))
    packed = stream.result
    marks = {UNPACK: "true", CONTENT_DIGEST: packed.tar_digest}
    descriptor = Descriptor(media_type, Digest(packed.digest), packed.size, {**annotations, **marks})
    return Layer(descriptor, stack.enter_context(content))


@contextlib.contextmanager
def _packing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LocalFileError(
            "The folder could not be packed",
            where=path,
            why=f"{error.strerror or type(error).__name__} in {tempfile.gettempdir()}",
            hint="Set TMPDIR to a folder with more space.",
        ) from error
