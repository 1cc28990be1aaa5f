"""Unpack a folder's layer: bounded, into a staging folder, and into place only when the caller says that it is right.

Never tarfile's extractall: its `data` filter was bypassed (CVE-2025-4517), and it knows no limits.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import UnsafeContentError
from ..handover import hand_over
from ..links import why_unsafe_link
from ..names import RelativeName, safe_folder, safe_name
from ..writing.destination import Destination
from ..writing.merge import move, require_free_way
from ..writing.staging import Staging
from . import tar_format as tar
from .decompress import InflatedStream, Read, blocks, inflated
from .tar_reader import Member, TarReader

SIZE_FLOOR = 1 << 30
"""Bytes that any folder may unpack to, however small its layer."""
RATIO_LIMIT = 100
"""Times its layer that a larger folder may unpack to."""
_HEADER_ALLOWANCE = 256 << 20
"""Bytes of headers and padding: ENTRY_LIMIT members with pax records of common length."""
_MODE_MASK = 0o755
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


def size_limit(compressed_size: int) -> int:
    """Bytes that a layer of *compressed_size* bytes may unpack to, unless the user says otherwise."""
    return max(SIZE_FLOOR, RATIO_LIMIT * compressed_size)


@dataclass(frozen=True)
class Unpacked:
    """What a folder's archive held."""

    files: int
    folders: int
    links: int
    size: int
    """Bytes of all files."""


class Extraction:
    """One folder's layer on its way to the disk. Leaving a `with` block removes what was not committed."""

    def __init__(
        self,
        destination: Destination,
        title: RelativeName,
        *,
        max_size: int,
        max_entries: int = tar.ENTRY_LIMIT,
        digest: str | None = None,
        bare: bool = False,
    ) -> None:
        """Unpack to *title* (of `safe_folder`) at most *max_size* bytes in at most *max_entries* files and folders.

        *digest* is that of the uncompressed archive, if the artifact names it; *bare* members do not carry the
        title as prefix. Raises UnsafeContentError when the digest is malformed, LocalFileError when the staging
        folder cannot be made.
        """
        if digest is not None and not _DIGEST.fullmatch(digest):
            raise UnsafeContentError("The digest of the unpacked folder is malformed", why=digest)
        self._destination = destination
        self._title = title
        self._digest = digest
        self._bare = bare
        self._limit = max_size
        self._max_entries = max_entries
        self._free = destination.free_bytes()
        with destination.deepest(title) as (folder, _):
            self._staging = Staging(folder.again(), max_entries)
        self._open = True
        self._counts = {tar.REGULAR: 0, tar.DIRECTORY: 0, tar.SYMLINK: 0}
        self._size = 0

    def read(self, read: Read) -> Unpacked:
        """Stage all members of the layer that *read* gives, gzip or plain, and check the archive's digest.

        It is read here, while two other threads inflate and write. Raises UnsafeContentError for what is refused,
        DigestMismatchError, LocalFileError (no space). Errors of *read* come through.
        """
        return hand_over(blocks(read), self._inflate)

    def _inflate(self, layer: Iterator[bytes]) -> Unpacked:
        return hand_over(inflated(lambda _size: next(layer, b"")), self._unpacked)

    def _unpacked(self, pieces: Iterator[bytes]) -> Unpacked:
        algorithm = self._digest.split(":")[0] if self._digest else "sha256"
        stream = InflatedStream(pieces, self._limit + _HEADER_ALLOWANCE, algorithm)
        reader = TarReader(stream, self._max_entries)
        if self._title.parts:
            self._staging.add_folder(RelativeName(self._title.parts[-1:]), _MODE_MASK)
        for member in reader:
            self._stage(member, reader)
        if self._digest:
            stream.require_digest(self._digest)
        self._staging.make_links()
        return Unpacked(self._counts[tar.REGULAR], self._counts[tar.DIRECTORY], self._counts[tar.SYMLINK], self._size)

    def _stage(self, member: Member, reader: TarReader) -> None:
        name = self._below_title(member)
        self._counts[member.type] += 1
        if member.type == tar.DIRECTORY:
            if name.parts:
                self._staging.add_folder(name, member.mode & _MODE_MASK)
        elif member.type == tar.SYMLINK:
            depth = len(name.parts) - 1 - bool(self._title.parts)
            reason = why_unsafe_link(member.link, depth)
            if reason:
                raise UnsafeContentError("A symbolic link in the folder is refused", where=member.path, why=reason)
            self._staging.add_link(name, member.link)
        else:
            self._require_room(member)
            self._staging.add_file(name, member.mode & _MODE_MASK, reader.content(member))

    def _below_title(self, member: Member) -> RelativeName:
        """Where *member* is staged: its name from the last component of the title on."""
        named = safe_folder if member.type == tar.DIRECTORY else safe_name
        parts, title = named(member.path).parts, self._title.parts
        parts = title + parts if self._bare else parts
        if parts[: len(title)] != title or (parts == title and member.type != tar.DIRECTORY):
            raise UnsafeContentError(
                "A member of the folder's archive lies outside of the folder",
                where=member.path,
                why=f"it is not below {self._title}",
            )
        return RelativeName(parts[max(0, len(title) - 1) :])

    def _require_room(self, member: Member) -> None:
        """Refuse on the declared size, before a byte is written."""
        self._size += member.size
        if self._size > self._limit:
            raise UnsafeContentError(
                "The folder unpacks to more than what is allowed",
                where=member.path,
                why=f"{self._size:,} bytes, and {self._limit:,} are allowed",
                hint="Raise --max-unpacked-size, if you trust the artifact.",
            )
        if self._size > self._free:
            self._destination.require_space(self._size)

    def commit(self) -> None:
        """Move everything into place. The caller has verified the layer's own digest. Raises LocalFileError.

        Folders that exist keep what else they hold; nothing moves if anything is in the way.
        """
        parent = self._title.parent
        with self._destination.deepest(parent) as (folder, found):
            if found == parent:
                require_free_way(self._staging.root, folder)
        with self._destination.folder(parent, create=True) as target:
            move(self._staging.root, self._staging.folder, target, self._destination.overwrite)
        self.discard()

    def discard(self) -> None:
        """Remove what is staged. Nothing happens the second time."""
        if self._open:
            self._open = False
            with contextlib.suppress(OSError):
                self._staging.remove()

    def __enter__(self) -> Extraction:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.discard()
