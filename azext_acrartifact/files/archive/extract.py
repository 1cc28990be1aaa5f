"""Unpack a folder's layer within limits: into a staging folder, and from there to its destination once it is verified.

Not by tarfile's extractall: its `data` filter was bypassed (CVE-2025-4517), and it has no limits.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import UnsafeContentError
from ..links import why_unsafe_link
from ..names import TITLE_LIMIT, RelativeName, safe_folder, safe_name, why_unsafe
from ..prefetch import consume_in_thread
from ..selection import Selection
from ..writing.comparing import Comparing
from ..writing.destination import Destination
from ..writing.merge import drop_same, move, require_free_way
from ..writing.staging import Staging
from . import tar_format as tar
from .budget import UnpackBudget
from .decompress import InflatedStream, Read, blocks, inflated
from .tar_reader import Member, TarReader

HEADER_ALLOWANCE = 256 << 20
"""Bytes of headers and padding: enough for ENTRY_LIMIT members with pax records of common length."""
_MODE_MASK = 0o755
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


@dataclass(frozen=True)
class Unpacked:
    """Number of members in a folder's archive."""

    files: int
    folders: int
    links: int
    size: int
    """Bytes of all files."""
    members: tuple[str, ...] = ()
    """Names below the destination of the files and links, if only some members were selected."""


class Extraction:
    """Unpacks one folder's layer, or compares it with the disk. A `with` block removes what was not committed."""

    def __init__(
        self,
        destination: Destination,
        title: RelativeName,
        *,
        max_size: int,
        max_entries: int = tar.ENTRY_LIMIT,
        digest: str | None = None,
        bare: bool = False,
        header_allowance: int = HEADER_ALLOWANCE,
        budget: UnpackBudget | None = None,
        selection: Selection | None = None,
        comparing: Comparing | None = None,
    ) -> None:
        """Unpack to *title* (of `safe_folder`) at most *max_size* bytes in at most *max_entries* files and folders.

        *digest* is that of the uncompressed archive, if the artifact names it. The names of *bare* members do not
        begin with the title. Besides files, the archive may have *header_allowance* bytes. *budget* is what all folders
        of the artifact share. Only members of the *selection* are unpacked. With *comparing*, nothing is written: it
        gets the members instead. Raises UnsafeContentError when the digest is malformed, LocalFileError when the
        staging folder cannot be made.
        """
        if digest is not None and not _DIGEST.fullmatch(digest):
            raise UnsafeContentError("The digest of the unpacked folder is malformed", why=digest)
        self._destination = destination
        self._title = title
        self._digest = digest
        self._bare = bare
        self._limit, self._header_allowance = max_size, header_allowance
        self._max_entries = max_entries
        self._budget = budget or UnpackBudget(destination, max_size, max_entries)
        self._selection = selection
        self._unselected: dict[tuple[str, ...], int] = {}
        self._members: list[str] = []
        self._staging: Staging | Comparing
        if comparing:
            self._staging = comparing
        else:
            with destination.folders.deepest(title) as (folder, _):
                self._staging = Staging(folder.again(), max_entries)
        self._open = comparing is None
        self._counts = {tar.REGULAR: 0, tar.DIRECTORY: 0, tar.SYMLINK: 0}
        self._size = 0
        self._checked: tuple[str, tuple[str, ...]] = ("", ())

    def read(self, read: Read) -> Unpacked:
        """Stage all members of the layer that *read* returns, and check the archive's digest.

        This thread reads while two others inflate and write. Raises UnsafeContentError for refused members,
        DigestMismatchError, LocalFileError (no space). Errors of *read* are raised unchanged.
        """
        return consume_in_thread(blocks(read), self._inflate)

    def _inflate(self, layer: Iterator[bytes]) -> Unpacked:
        with contextlib.closing(inflated(lambda _size: next(layer, b""))) as content:
            return consume_in_thread(content, self._unpack)

    def _unpack(self, content: Iterator[bytes]) -> Unpacked:
        algorithm = self._digest.split(":")[0] if self._digest else "sha256"
        stream = InflatedStream(content, self._limit + self._header_allowance, algorithm)
        reader = TarReader(stream, self._max_entries)
        if self._title.parts and self._selection:
            self._unselected[self._title.parts[-1:]] = _MODE_MASK
        for member in reader:
            before = self._staging.entries
            if self._is_selected(member):
                self._stage(member, reader)
            else:
                self._skip(member, reader)
            self._budget.count(max(1, self._staging.entries - before))
        if self._title.parts and not self._selection and not any(self._counts.values()):
            self._staging.add_folder(RelativeName(self._title.parts[-1:]), _MODE_MASK)
        if self._digest:
            stream.require_digest(self._digest)
        self._staging.make_links()
        files, folders, links = (self._counts[kind] for kind in (tar.REGULAR, tar.DIRECTORY, tar.SYMLINK))
        return Unpacked(files, folders, links, self._size, tuple(self._members))

    def _is_selected(self, member: Member) -> bool:
        """Return whether *member* is selected, by its unchecked name. One that is too long is checked, and refused."""
        if self._selection is None or len(member.path) > TITLE_LIMIT:
            return True
        path = member.path.removeprefix("./")
        path = "" if path in (".", "..") else path
        path = "/".join(filter(None, (*self._title.parts, path))) if self._bare else path
        return bool(path) and self._selection.takes(path, member.type == tar.DIRECTORY)

    def _skip(self, member: Member, reader: TarReader) -> None:
        """Read over a *member* that is not selected. The mode of a folder is for the members below it."""
        self._count_size(member)
        for _ in reader.content(member):
            self._budget.wrote(0)
        with contextlib.suppress(UnsafeContentError):
            name = self._below_title(member)
            self._staging.skip(name)
            if member.type == tar.DIRECTORY:
                self._unselected[name.parts] = member.mode & _MODE_MASK

    def _add_folders_above(self, name: RelativeName) -> None:
        """Add the folders above *name* that are not selected themselves."""
        for depth in range(1, len(name.parts) if self._unselected else 0):
            mode = self._unselected.pop(name.parts[:depth], None)
            if mode is not None:
                self._staging.add_folder(RelativeName(name.parts[:depth]), mode)

    def _stage(self, member: Member, reader: TarReader) -> None:
        name = self._below_title(member)
        whole = RelativeName(self._title.parent.parts + name.parts)
        self._destination.closed.require_outside(whole, folder=member.type == tar.DIRECTORY)
        self._counts[member.type] += 1
        self._add_folders_above(name)
        if self._selection and member.type != tar.DIRECTORY:
            self._members.append(str(whole))
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
            self._staging.add_file(name, member.mode & _MODE_MASK, self._content(member, reader))

    def _content(self, member: Member, reader: TarReader) -> Iterator[memoryview]:
        for block in reader.content(member):
            yield block
            self._budget.wrote(len(block))

    def _below_title(self, member: Member) -> RelativeName:
        """Return the name under which *member* is staged, which begins with the last component of the title."""
        parts, title = self._safe_parts(member), self._title.parts
        parts = title + parts if self._bare else parts
        if parts[: len(title)] != title or (parts == title and member.type == tar.SYMLINK):
            raise UnsafeContentError(
                "A member of the folder's archive lies outside of the folder",
                where=member.path,
                why=f"it is not below {self._title}",
            )
        return RelativeName(parts[max(0, len(title) - 1) :])

    def _safe_parts(self, member: Member) -> tuple[str, ...]:
        """Return the checked name of *member*. The folder of the member before it is not checked again."""
        folder, _, last = member.path.rpartition("/")
        if folder and folder == self._checked[0] and len(member.path) <= TITLE_LIMIT and not why_unsafe(last):
            return (*self._checked[1], last)
        named = safe_folder if member.type == tar.DIRECTORY else safe_name
        parts = named(member.path).parts
        if parts and parts[-1] == last:
            self._checked = (folder, parts[:-1])
        return parts

    def _require_room(self, member: Member) -> None:
        """Refuse a *member* by its declared size, before a byte is written."""
        self._count_size(member)
        self._budget.take(member.path, member.size)

    def _count_size(self, member: Member) -> None:
        self._size += member.size
        if self._size > self._limit:
            raise UnsafeContentError(
                "The folder unpacks to more than allowed",
                where=member.path,
                why=f"{self._size:,} bytes, and {self._limit:,} are allowed",
                hint="Raise --max-unpacked-size, if you trust the artifact.",
            )

    def commit(self) -> None:
        """Move everything to its destination. Call it once the layer's own digest is verified. Raises LocalFileError.

        Other files in existing folders stay. Nothing moves if anything is in the way.
        """
        parent, overwrite, staging = self._title.parent, self._destination.overwrite, self._staging
        assert isinstance(staging, Staging)
        with self._destination.folders.deepest(parent) as (folder, found):
            if found == parent:
                require_free_way(staging.root, folder)
                if self._selection and not overwrite:
                    drop_same(staging.root, staging.folder, folder)
        if staging.root.children:
            with self._destination.folders.open(parent, create=True) as target:
                move(staging.root, staging.folder, target, overwrite, merge=self._selection is not None)
        self.discard()

    def discard(self) -> None:
        """Remove the staging folder, once."""
        if self._open:
            self._open = False
            assert isinstance(self._staging, Staging)
            with contextlib.suppress(OSError):
                self._staging.remove()

    def __enter__(self) -> Extraction:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.discard()
