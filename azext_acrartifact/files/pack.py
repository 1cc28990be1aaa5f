"""A folder as one layer: a tar that ORAS and ACR Tasks unpack, the same bytes for the same content.

Members carry the folder's title as prefix, as those of ORAS do; owner 0, no names, one time for all.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ..errors import InvalidInputError, LocalFileError
from .codecs import GZIP, Codec, codec_named
from .faults import naming
from .globs import Glob
from .hashing import BLOCK
from .names import why_unsafe_path
from .source import changed, fingerprint, open_regular
from .tarformat import DIRECTORY, REGULAR, SYMLINK, padding
from .tarwrite import END_OF_ARCHIVE, Header, encode
from .tree import Entry, walk

_TYPES = {stat.S_IFREG: REGULAR, stat.S_IFDIR: DIRECTORY, stat.S_IFLNK: SYMLINK}
_TIME_LIMIT = 8**11


def source_date_epoch() -> int:
    """The time of all members: SOURCE_DATE_EPOCH (reproducible-builds.org), or 0. Raises InvalidInputError."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "").strip() or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 12 and int(text) < _TIME_LIMIT):
        raise InvalidInputError(
            "SOURCE_DATE_EPOCH is not a time", why=text, hint="Set it to seconds since 1970, or unset it."
        )
    return int(text)


@dataclass(frozen=True)
class Packed:
    """What a finished stream was."""

    digest: str
    """Of the bytes that were sent."""
    size: int
    """Bytes that were sent."""
    tar_digest: str
    """Of the uncompressed tar: the annotation `io.deis.oras.content.digest`."""


class PackedFolder:
    """A folder that was walked once, to be packed as often as needed, as long as its files stay as they were."""

    def __init__(self, title: str, entries: tuple[Entry, ...], mtime: int) -> None:
        self.title = title
        self.entries = entries
        self._mtime = mtime

    @classmethod
    def scan(cls, path: str, title: str, exclude: Iterable[str] = (), mtime: int | None = None) -> PackedFolder:
        """Walk the folder *path*, to be unpacked as *title* (`.`: into the destination itself).

        *exclude* are patterns (see `globs`) on paths below the folder; *mtime* is the time of all members, by
        default `source_date_epoch()`. Raises LocalFileError for what cannot be packed, InvalidInputError.
        """
        reason = None if title == "." else why_unsafe_path(title)
        if reason:
            raise LocalFileError("Cannot push the folder under this name", where=title, why=reason, hint="Rename it.")
        time = source_date_epoch() if mtime is None else mtime
        return cls(title, walk(path, title, tuple(map(Glob, exclude))), time)

    @property
    def content_size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.entries)

    @property
    def version(self) -> str:
        """The same for as long as the packed bytes are; for another process too."""
        state = hashlib.sha256(f"{self.title}|{self._mtime}".encode())
        for entry in self.entries:
            state.update(repr((entry.path, entry.kind, entry.mode, entry.link, entry.fingerprint)).encode())
        return state.hexdigest()

    @property
    def tar_size(self) -> int:
        """Bytes of the uncompressed tar, exactly."""
        bodies = sum(entry.size + padding(entry.size) for entry in self.entries)
        return sum(len(self._header(entry)) for entry in self.entries) + bodies + len(END_OF_ARCHIVE)

    def blocks(self) -> Iterator[bytes]:
        """The uncompressed tar in pieces of 1 MiB, the last one shorter. Raises LocalFileError."""
        gathered = bytearray()
        for piece in self._pieces():
            gathered += piece
            while len(gathered) >= BLOCK:
                yield bytes(memoryview(gathered)[:BLOCK])
                del gathered[:BLOCK]
        if gathered:
            yield bytes(gathered)

    def write_tar(self, write: Callable[[bytes], object]) -> str:
        """Give the uncompressed tar to *write*, block by block; its digest. Raises LocalFileError."""
        state = hashlib.sha256()
        for block in self.blocks():
            state.update(block)
            write(block)
        return f"sha256:{state.hexdigest()}"

    def tar_digest(self) -> str:
        """The digest of the uncompressed tar, by one read of the files. Raises LocalFileError."""
        return self.write_tar(len)

    def stream(self, codec: Codec | None = None) -> PackedStream:
        """The layer's bytes, by default as gzip. Each call reads the files anew."""
        return PackedStream(self.blocks(), codec or codec_named(GZIP))

    def _pieces(self) -> Iterator[bytes]:
        for entry in self.entries:
            yield self._header(entry)
            if entry.kind == stat.S_IFREG:
                yield from _content(entry)
                yield bytes(padding(entry.size))
        yield END_OF_ARCHIVE

    def _header(self, entry: Entry) -> bytes:
        prefix = "" if self.title == "." else self.title
        path = "/".join(filter(None, (prefix, entry.path))) or "."
        return encode(Header(path, _TYPES[entry.kind], entry.mode, entry.size, entry.link, self._mtime))


def _content(entry: Entry) -> Iterator[bytes]:
    """All bytes of a file that is still what was found. Raises LocalFileError."""
    descriptor = _reopen(entry)
    try:
        left = entry.size
        while left:
            with naming("Cannot read the file", entry.source):
                data = os.read(descriptor, min(left, BLOCK))
            if not data:
                raise changed(entry.source, "it became shorter")
            left -= len(data)
            yield data
        if fingerprint(os.fstat(descriptor)) != entry.fingerprint:
            raise changed(entry.source)
    finally:
        os.close(descriptor)


def _reopen(entry: Entry) -> int:
    try:
        os.lstat(entry.source)
    except FileNotFoundError as error:
        raise changed(entry.source, "it was removed") from error
    return open_regular(entry.source, follow=False)


class PackedStream:
    """An iterator over the bytes of a layer; when it has ended, `result` says what they were."""

    def __init__(self, blocks: Iterator[bytes], codec: Codec) -> None:
        self._tar = hashlib.sha256()
        self._sent = hashlib.sha256() if codec.encode else self._tar
        self._size = 0
        self._ended = False
        watched = self._watch(blocks)
        self._output = codec.encode(watched) if codec.encode else watched

    def _watch(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._tar.update(block)
            yield block

    def __iter__(self) -> Iterator[bytes]:
        for data in self._output:
            if self._sent is not self._tar:
                self._sent.update(data)
            self._size += len(data)
            yield data
        self._ended = True

    @property
    def result(self) -> Packed:
        """Digests and size. Raises ValueError before the end of the stream."""
        if not self._ended:
            raise ValueError("the stream has not been read to its end")
        return Packed(f"sha256:{self._sent.hexdigest()}", self._size, f"sha256:{self._tar.hexdigest()}")
