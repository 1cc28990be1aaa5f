"""The user's files and folders, looked at but not read: what a push is going to send."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from ..errors import InvalidInputError, LocalFileError
from ..files.archive.compression import Codec
from ..files.archive.pack import PackedFolder, PackedStream
from ..files.archive.walk import walk
from ..files.globs import Glob
from ..files.local_file import LocalFile
from ..files.names import RelativeName, find_collision, why_unsafe_path
from ..files.prefetch import made_ahead
from ..files.stdin_file import spooled
from ..oci.descriptor import Descriptor
from ..oci.mediatypes import CONTENT_DIGEST, UNPACK
from ..transfer.upload_source import StreamFeed
from .file_spec import STDIN, FileSpec, title_of

HELD_OPEN = 64
"""Files that stay open from the first look to the last byte, so that even their removal does no harm. macOS lets a
process open 256 (getrlimit(2)), and those that are being sent, and connections, come on top."""
_AHEAD = 16
"""Pieces of a folder, of up to 1 MiB, that are packed while those before them are sent."""


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
        return made_ahead(iter(self._stream), _AHEAD)


@dataclass(frozen=True)
class Opening:
    """How inputs are looked at: *exclude* are patterns of what to leave out of folders, *annotations* those of single
    files, by title. *split* makes each file of a folder an input of its own."""

    exclude: Sequence[str] = ()
    annotations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    stdin: Stdin | None = None
    split: bool = False


def open_inputs(specs: Sequence[FileSpec], opening: Opening, stack: contextlib.ExitStack) -> list[Input]:
    """Look at every file and folder before anything is read or sent; *stack* closes them.

    Raises `LocalFileError` for what cannot be pushed, `InvalidInputError` for two of the same title.
    """
    inputs = [item for spec in specs for item in _found(spec, opening)]
    _require_distinct(inputs)
    opened = [_open(item, opening, stack, number < HELD_OPEN) for number, item in enumerate(inputs)]
    return [replace(item, annotations=opening.annotations.get(item.title, {})) for item in opened]


def is_same_folder(folder: PackedFolder, known: Descriptor | None) -> bool:
    """Whether *known*, a layer that the registry has, holds just what *folder* does, whoever packed it.

    Reads all of the folder when the layer names its uncompressed digest.
    """
    if known is None or known.annotations.get(UNPACK) != "true" or CONTENT_DIGEST not in known.annotations:
        return False
    return known.annotations[CONTENT_DIGEST] == folder.tar_digest()


def _found(spec: FileSpec, opening: Opening) -> list[Input]:
    """What *spec* stands for; files are not opened yet."""
    stdin = opening.stdin if spec.path == STDIN else None
    title = stdin.title if stdin else title_of(spec.path)
    if stdin or not os.path.isdir(spec.path):
        return [Input(title, spec)]
    if opening.split:
        return [*_split(spec, title, opening.exclude)]
    return [Input(title, spec, folder=PackedFolder.scan(spec.path, title, opening.exclude))]


def _split(spec: FileSpec, title: str, exclude: Sequence[str]) -> Iterator[Input]:
    """The files of a folder one by one, under the folder's title. Folders without files are nothing then."""
    for entry in walk(spec.path, title, tuple(map(Glob, exclude))):
        if entry.kind == stat.S_IFLNK:
            raise LocalFileError(
                "A symbolic link cannot be a file of its own",
                where=entry.source,
                hint="Leave it out with --exclude, or push the folder without --split.",
            )
        if entry.kind == stat.S_IFREG:
            name = entry.path if title == "." else f"{title}/{entry.path}"
            yield Input(name, FileSpec(entry.source, spec.media_type))


def _open(item: Input, opening: Opening, stack: contextlib.ExitStack, held: bool) -> Input:
    """*item* with its file open, or parked unless it is to be *held*."""
    if item.folder:
        return item
    stdin = opening.stdin if item.spec.path == STDIN else None
    file = stack.enter_context(spooled(stdin.stream) if stdin else LocalFile.open(item.spec.path))
    reason = why_unsafe_path(item.title)
    if reason:
        raise LocalFileError(
            "The file cannot be pushed under its name",
            where=item.title,
            why=reason,
            hint="Rename it: a name that not every system accepts could not be pulled again.",
        )
    if not held and not stdin:
        file.park()
    return replace(item, file=file)


def _require_distinct(inputs: Sequence[Input]) -> None:
    found = find_collision([RelativeName(tuple(item.title.split("/"))) for item in inputs])
    if found:
        raise InvalidInputError(
            f"Two of the files {found.why}",
            where=f"{found.first}, {found.second}",
            hint="Files outside of the current folder are stored by their last name; rename one, or push their folder.",
        )
