"""The files and folders of a push, checked and opened before anything is read or sent."""

from __future__ import annotations

import contextlib
import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from ..errors import InvalidInputError, LocalFileError
from ..files.archive.compression import Codec
from ..files.archive.exclusion import Exclusion
from ..files.archive.pack import PackedFolder, PackedStream
from ..files.archive.walk import walk
from ..files.local_file import LocalFile
from ..files.names import NameTree, collision_key, relative_name, why_unsafe_path
from ..files.prefetch import prefetch
from ..files.stdin_file import copy_stdin
from ..files.system_path import system_path
from ..oci.descriptor import Descriptor
from ..oci.mediatypes import CONTENT_DIGEST, FILE_MODE, TITLE, UNPACK
from ..transfer.upload_source import StreamSource
from .file_spec import STDIN, FileSpec, title_below, title_of

MOST_OPEN = 64
"""Files that stay open from the check to the last byte, so that a push survives their removal. macOS allows a process
256 open files (getrlimit(2)); the connections and the files that are being sent need some of them."""
_AHEAD = 16
"""Blocks of a folder, of up to 1 MiB each, that are packed while earlier ones are sent."""


@dataclass(frozen=True)
class Input:
    """One file or folder: its *title*, and the open *file* or the scanned *folder*."""

    title: str
    spec: FileSpec
    file: LocalFile | None = None
    folder: PackedFolder | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def mode(self) -> int:
        """Permission bits of a file that an artifact keeps, as of a packed folder's files."""
        return self.file.mode if self.file and self.spec.path != STDIN else 0

    @property
    def marks(self) -> dict[str, str]:
        """The annotations of its layer: its title, the mode of a program, and those that the user gave."""
        mode = {FILE_MODE: f"{self.mode:04o}"} if self.mode & 0o111 else {}
        return {TITLE: self.title, **mode, **self.annotations}

    @property
    def size(self) -> int:
        """Bytes to read."""
        return self.file.size if self.file else self.folder.content_size if self.folder else 0


@dataclass(frozen=True)
class Stdin:
    """Standard input, and the *title* of its content in the artifact."""

    stream: BinaryIO
    title: str


class FolderSource(StreamSource):
    """A folder that is packed while it is sent, without a copy of the layer on disk."""

    def __init__(self, folder: PackedFolder, codec: Codec, destination: str) -> None:
        self._folder, self._codec = folder, codec
        self._stream: PackedStream | None = None
        key = f"{destination}|{folder.version}|{codec.version}"
        super().__init__(self._pack, key, folder.content_size, folder.title)

    @property
    def tar_digest(self) -> str:
        """The digest of the uncompressed tar, available once the folder is packed."""
        assert self._stream is not None
        return self._stream.result.tar_digest

    def _pack(self) -> Iterator[bytes | bytearray]:
        self._stream = self._folder.stream(self._codec)
        return prefetch(iter(self._stream), _AHEAD)


@dataclass(frozen=True)
class Opening:
    """Options of `open_inputs`: the *exclusion* of files from folders, and *annotations* of files by their titles.
    *split* makes each file of a folder an input of its own."""

    exclusion: Exclusion = field(default_factory=Exclusion)
    annotations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    stdin: Stdin | None = None
    split: bool = False


def open_inputs(specs: Sequence[FileSpec], opening: Opening, stack: contextlib.ExitStack) -> list[Input]:
    """Open every file and scan every folder of *specs*; *stack* closes them.

    Raises `LocalFileError` for a file that cannot be pushed, `InvalidInputError` for two with the same title.
    """
    titles = _titles([spec.path for spec in specs])
    inputs = [item for spec, title in zip(specs, titles, strict=True) for item in _found(spec, title, opening)]
    _require_distinct(inputs, opening.exclusion)
    opened = [_open(item, opening, stack, stay_open=number < MOST_OPEN) for number, item in enumerate(inputs)]
    return [replace(item, annotations=opening.annotations.get(item.title, {})) for item in opened]


def is_same_folder(folder: PackedFolder, known: Descriptor | None) -> bool:
    """Return whether the registry's layer *known* has the content of *folder*, whatever compressed it.

    Reads the whole folder if the layer names its uncompressed digest.
    """
    if known is None or known.annotations.get(UNPACK) != "true" or CONTENT_DIGEST not in known.annotations:
        return False
    return known.annotations[CONTENT_DIGEST] == folder.tar_digest()


def _titles(paths: Sequence[str]) -> list[str]:
    """Return the titles of *paths*. Of absolute paths below the current folder that share their last name, each keeps
    its folders."""
    titles = list(map(title_of, paths))
    shared = {title for title, count in Counter(titles).items() if count > 1}
    return [title_below(path) if title in shared else title for path, title in zip(paths, titles, strict=True)]


def _found(spec: FileSpec, title: str, opening: Opening) -> list[Input]:
    """Return the inputs of *spec*, called *title*, with files not opened yet."""
    stdin = opening.stdin if spec.path == STDIN else None
    title = stdin.title if stdin else title
    if stdin or not os.path.isdir(system_path(spec.path)):
        return [Input(title, spec)]
    if opening.split:
        return [*_split(spec, title, opening.exclusion)]
    return [Input(title, spec, folder=PackedFolder.scan(spec.path, title, opening.exclusion))]


def _split(spec: FileSpec, title: str, exclusion: Exclusion) -> Iterator[Input]:
    """Yield the files of a folder as inputs, each titled by its path in the folder. Empty folders are left out."""
    for entry in walk(spec.path, title, exclusion):
        if entry.kind == stat.S_IFLNK:
            raise LocalFileError(
                "A symbolic link cannot be pushed as a file",
                where=entry.source,
                hint="Leave it out with --exclude, or push the folder without --split.",
            )
        if entry.kind == stat.S_IFREG:
            name = entry.path if title == "." else f"{title}/{entry.path}"
            yield Input(name, FileSpec(entry.source, spec.media_type))


def _open(item: Input, opening: Opening, stack: contextlib.ExitStack, *, stay_open: bool) -> Input:
    """Return *item* with its file opened, and parked unless it is to *stay_open*."""
    if item.folder:
        return item
    stdin = opening.stdin if item.spec.path == STDIN else None
    file = stack.enter_context(copy_stdin(stdin.stream) if stdin else LocalFile.open(item.spec.path))
    reason = why_unsafe_path(item.title)
    if reason:
        raise LocalFileError(
            "The file cannot be pushed under its name",
            where=item.title,
            why=reason,
            hint="Rename it. Some systems could not pull a file of that name.",
        )
    if not stay_open and not stdin:
        file.park()
    return replace(item, file=file)


def _is_one(path: str, other: str) -> bool:
    return os.path.samefile(system_path(path), system_path(other))


def _require_distinct(inputs: Sequence[Input], exclusion: Exclusion) -> None:
    """Refuse two inputs of one title, or one file under two. Note titles that only some file systems keep apart."""
    tree = NameTree()
    by_key: dict[str, Input] = {}
    for item in inputs:
        found = tree.add(relative_name(item.title))
        other = by_key.setdefault(collision_key(item.title), item)
        if found or (other is not item and _is_one(other.spec.path, item.spec.path)):
            raise InvalidInputError(
                f"Two of the files {found.why if found else 'are one'}",
                where=f"{other.title if not found else found.first}, {item.title}",
                hint=_advice([one.spec.path for one in inputs if one is not item], item.spec.path),
            )
    exclusion.twins += [(twins.first, twins.second) for twins in tree.twins]


def _advice(others: Sequence[str], path: str) -> str:
    """Return what to do with *path*, which has the name of one of the *others*."""
    for inner, outer in [pair for other in others for pair in ((path, other), (other, path))]:
        if os.path.exists(inner) and os.path.exists(outer) and os.path.samefile(inner, outer):
            return f"Give {path} once."
        if os.path.realpath(inner).startswith(os.path.join(os.path.realpath(outer), "")):
            return f"Leave {inner} out: it is in {outer}."
    return "Files outside the current folder get their base name as title. Rename one, or push their folder."
