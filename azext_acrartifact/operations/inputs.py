"""The user's files and folders, looked at but not read: what a push is going to send."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from ..errors import InvalidInputError, LocalFileError
from ..files.codecs import Codec
from ..files.names import RelativeName, find_collision, why_unsafe_path
from ..files.pack import PackedFolder, PackedStream
from ..files.source import LocalFile
from ..files.spool import spooled
from ..oci.descriptor import Descriptor
from ..oci.mediatypes import CONTENT_DIGEST, UNPACK
from ..transfer.feed import StreamFeed
from .filespec import STDIN, FileSpec, title_of


@dataclass(frozen=True)
class Input:
    """One file or folder: its *title*, and its open *file* or scanned *folder*."""

    title: str
    spec: FileSpec
    file: LocalFile | None = None
    folder: PackedFolder | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes to read."""
        return self.file.size if self.file else self.folder.content_size if self.folder else 0


@dataclass(frozen=True)
class Stdin:
    """What is read from standard input, and the *title* that it gets in the artifact."""

    stream: BinaryIO
    title: str


class FolderFeed(StreamFeed):
    """A folder, packed on its way: no copy of the layer is kept."""

    def __init__(self, folder: PackedFolder, codec: Codec, place: str) -> None:
        self._folder, self._codec = folder, codec
        self._stream: PackedStream | None = None
        super().__init__(self._pack, f"{place}|{folder.version}|{codec.version}", folder.content_size)

    @property
    def tar_digest(self) -> str:
        """The digest of the uncompressed tar; only once all has been packed."""
        assert self._stream is not None
        return self._stream.result.tar_digest

    def _pack(self) -> Iterator[bytes | bytearray]:
        self._stream = self._folder.stream(self._codec)
        return iter(self._stream)


def open_inputs(
    specs: Sequence[FileSpec],
    exclude: Sequence[str],
    annotations: Mapping[str, Mapping[str, str]],
    stack: contextlib.ExitStack,
    stdin: Stdin | None = None,
) -> list[Input]:
    """Look at every file and folder before anything is read or sent; *stack* closes them. *annotations* are
    those of single files, by title.

    Raises `LocalFileError` for what cannot be pushed, `InvalidInputError` for two of the same title.
    """
    titles = [stdin.title if stdin and spec.path == STDIN else title_of(spec.path) for spec in specs]
    inputs = [
        _open(spec, title, exclude, annotations.get(title, {}), stack, stdin)
        for spec, title in zip(specs, titles, strict=True)
    ]
    _require_distinct(inputs)
    return inputs


def is_same_folder(folder: PackedFolder, known: Descriptor | None) -> bool:
    """Whether *known*, a layer that the registry has, holds just what *folder* does, whoever packed it.

    Reads all of the folder when the layer names its uncompressed digest.
    """
    if known is None or known.annotations.get(UNPACK) != "true" or CONTENT_DIGEST not in known.annotations:
        return False
    return known.annotations[CONTENT_DIGEST] == folder.tar_digest()


def _open(
    spec: FileSpec,
    title: str,
    exclude: Sequence[str],
    annotations: Mapping[str, str],
    stack: contextlib.ExitStack,
    stdin: Stdin | None,
) -> Input:
    if os.path.isdir(spec.path):
        folder = PackedFolder.scan(spec.path, title, exclude)
        return Input(title, spec, folder=folder, annotations=annotations)
    reason = why_unsafe_path(title)
    from_stdin = stdin is not None and spec.path == STDIN
    file = stack.enter_context(spooled(stdin.stream) if from_stdin and stdin else LocalFile.open(spec.path))
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
