"""Pack a folder as one layer: a tar that ORAS and ACR Tasks unpack, the same bytes for the same content.

As with ORAS, the names of members begin with the folder's title. All have owner 0, no user names and the same time.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import FileIO

from ...errors import InvalidInputError, LocalFileError
from ..background_hash import BackgroundHash
from ..hashing import BLOCK
from ..local_file import changed, fingerprint, open_regular
from ..names import composed, why_unsafe_path
from ..os_errors import naming
from ..system_path import system_path
from .compression import GZIP, Codec, codec_named
from .exclusion import FINDER_FILE, Exclusion
from .parallel_gzip import Block
from .tar_format import DIRECTORY, REGULAR, SYMLINK, padding
from .tar_headers import END_OF_ARCHIVE, Header, encode
from .walk import Entry, walk

_TYPES = {stat.S_IFREG: REGULAR, stat.S_IFDIR: DIRECTORY, stat.S_IFLNK: SYMLINK}
_TIME_LIMIT = 8**11


def source_date_epoch() -> int:
    """Return the time of all members: SOURCE_DATE_EPOCH (reproducible-builds.org), or 0. Raises InvalidInputError."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "").strip() or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 12 and int(text) < _TIME_LIMIT):
        raise InvalidInputError(
            "SOURCE_DATE_EPOCH is not a time", why=text, hint="Set it to seconds since 1970, or unset it."
        )
    return int(text)


@dataclass(frozen=True)
class Packed:
    """Size and digest of a packed layer."""

    size: int
    """Bytes of the compressed layer."""
    tar_digest: str
    """Of the uncompressed tar: the annotation `io.deis.oras.content.digest`."""


class PackedFolder:
    """A folder that was walked once. It can be packed many times, until its files change."""

    def __init__(self, title: str, entries: tuple[Entry, ...], mtime: int) -> None:
        self.title = title
        self.entries = entries
        self._mtime = mtime

    @classmethod
    def scan(cls, path: str, title: str, exclusion: Exclusion | None = None, mtime: int | None = None) -> PackedFolder:
        """Walk the folder *path*, which a pull unpacks as *title* (`.`: into the destination itself).

        *exclusion* decides what is left out, by default nothing; *mtime* is the time of all members, by default
        `source_date_epoch()`. Raises LocalFileError for files that cannot be packed, InvalidInputError.
        """
        reason = None if title == "." else why_unsafe_path(title)
        if reason:
            raise LocalFileError("Cannot push the folder under this name", where=title, why=reason, hint="Rename it.")
        time = source_date_epoch() if mtime is None else mtime
        return cls(title, walk(path, title, exclusion), time)

    def with_modes(self, new_mode: Callable[[Entry], int]) -> PackedFolder:
        """Return the same folder with other permission bits of its files and folders."""
        entries = (e if e.kind == stat.S_IFLNK else replace(e, mode=new_mode(e)) for e in self.entries)
        return PackedFolder(self.title, tuple(entries), self._mtime)

    def portable(self) -> PackedFolder:
        """Return the same folder as other systems have it: all names in NFC, in their order, and no file of Finder.
        Return it itself if nothing differs."""
        chosen = [entry for entry in self.entries if os.path.basename(entry.source) != FINDER_FILE]
        renamed = [replace(entry, path=composed(entry.path)) for entry in chosen]
        if renamed == list(self.entries):
            return self
        renamed.sort(key=lambda entry: entry.path.split("/") if entry.path else [])
        return PackedFolder(self.title, tuple(renamed), self._mtime)

    @property
    def is_emptied(self) -> bool:
        """Whether it has folders alone, although files are on the disk: all of them are left out."""
        top = self.entries[0].source
        return all(entry.kind == stat.S_IFDIR for entry in self.entries) and any(
            files for _, _, files in os.walk(system_path(top))
        )

    @property
    def content_size(self) -> int:
        """Bytes of all files together."""
        return sum(entry.size for entry in self.entries)

    @property
    def version(self) -> str:
        """A key that stays the same while the packed bytes do, also in another process."""
        state = hashlib.sha256(f"{self.title}|{self._mtime}".encode())
        for entry in self.entries:
            state.update(repr((entry.path, entry.kind, entry.mode, entry.link, entry.fingerprint)).encode())
        return state.hexdigest()

    def blocks(self) -> Iterator[Block]:
        """Yield the uncompressed tar in blocks of 1 MiB, the last one shorter. Raises LocalFileError."""
        filler = _Filler()
        for entry in self.entries:
            yield from filler.put(self._header(entry))
            if entry.kind == stat.S_IFREG:
                yield from filler.read(entry)
                yield from filler.put(bytes(padding(entry.size)))
        yield from filler.put(END_OF_ARCHIVE)
        yield from filler.rest()

    def tar_digest(self) -> str:
        """Return the digest of the uncompressed tar. Reads all files once. Raises LocalFileError."""
        state = BackgroundHash()
        for block in self.blocks():
            state.update(block)
        return state.digest()

    def stream(self, codec: Codec | None = None) -> PackedStream:
        """Return the layer as a stream, compressed by *codec*, by default gzip. Each call reads the files again."""
        return PackedStream(self.blocks(), codec or codec_named(GZIP))

    def _header(self, entry: Entry) -> bytes:
        prefix = "" if self.title == "." else self.title
        path = "/".join(filter(None, (prefix, entry.path))) or "."
        return encode(Header(path, _TYPES[entry.kind], entry.mode, entry.size, entry.link, self._mtime))


class _Filler:
    """Fills one block of 1 MiB after another. Files are read straight into the block, without a copy."""

    def __init__(self) -> None:
        self._block = bytearray(BLOCK)
        self._used = 0

    def put(self, data: bytes) -> Iterator[Block]:
        """Append *data*. Yield the blocks that it fills."""
        while data:
            count = min(len(data), BLOCK - self._used)
            self._block[self._used : self._used + count] = data[:count]
            data = data[count:]
            yield from self._account(count)

    def read(self, entry: Entry) -> Iterator[Block]:
        """Append the content of a file. Raises LocalFileError when it has changed since the walk."""
        descriptor = _reopen(entry)
        try:
            left = entry.size
            with FileIO(descriptor, closefd=False) as file:
                while left:
                    room = memoryview(self._block)[self._used : self._used + min(left, BLOCK - self._used)]
                    with naming("Cannot read the file", entry.source):
                        count = file.readinto(room)
                    if not count:
                        raise changed(entry.source, "it became shorter")
                    left -= count
                    yield from self._account(count)
                if fingerprint(os.fstat(descriptor)) != entry.fingerprint:
                    raise changed(entry.source)
                with naming("Cannot read the file", entry.source):
                    more = file.read(1)
                if more:
                    raise LocalFileError(
                        "Cannot pack the file",
                        where=entry.source,
                        why=f"it has content after its size of {entry.size:,} bytes",
                        hint="Copy it to a plain file, push it by itself, or leave it out with --exclude.",
                    )
        finally:
            os.close(descriptor)

    def rest(self) -> Iterator[Block]:
        """Yield the last block unless it is empty."""
        if self._used:
            yield self._block[: self._used]

    def _account(self, count: int) -> Iterator[Block]:
        self._used += count
        if self._used == BLOCK:
            full, self._block, self._used = self._block, bytearray(BLOCK), 0
            yield full


def _reopen(entry: Entry) -> int:
    try:
        os.lstat(system_path(entry.source))
    except FileNotFoundError as error:
        raise changed(entry.source, "it was removed") from error
    return open_regular(entry.source, follow=False)


class PackedStream:
    """Iterate over the bytes of a layer. At the end, `result` is their size and digest."""

    def __init__(self, blocks: Iterator[Block], codec: Codec) -> None:
        self._tar = BackgroundHash()
        self._size = 0
        self._ended = False
        watched = self._watch(blocks)
        self._output = codec.encode(watched) if codec.encode else watched

    def _watch(self, blocks: Iterator[Block]) -> Iterator[Block]:
        for block in blocks:
            self._tar.update(block)
            yield block

    def __iter__(self) -> Iterator[Block]:
        for data in self._output:
            self._size += len(data)
            yield data
        self._ended = True

    @property
    def result(self) -> Packed:
        """Size and digest. Raises ValueError before the end of the stream."""
        if not self._ended:
            raise ValueError("the stream has not been read to its end")
        return Packed(self._size, self._tar.digest())
