"""Where the files of a tar lie in it: nothing is unpacked, each is read where it is.

The tar may be hostile. It is read by `tarread`, which refuses hard links, devices, sparse files and wrong headers;
here two members of one name are refused, and a symbolic link stands for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import UnsafeContentError
from ..local_file import LocalFile
from . import tar_format as tar
from .tar_reader import Member, TarReader

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True)
class Extent:
    """Bytes of a file: *size* of them from *offset* on."""

    offset: int
    size: int


def index_tar(file: LocalFile) -> dict[str, Extent]:
    """Every regular file of the tar *file* by its name, without a leading `./`.

    Reads headers alone, however large the files are. Raises `UnsafeContentError` for what no reader of layouts
    should have to make sense of, `LocalFileError` when *file* cannot be read.
    """
    found: dict[str, Extent] = {}
    try:
        for name, extent in _extents(file):
            if found.setdefault(name, extent) is not extent:
                raise UnsafeContentError("two members have the same name", where=name)
    except UnsafeContentError as error:
        raise _unreadable(file, error) from error
    return found


def _extents(file: LocalFile) -> Iterator[tuple[str, Extent]]:
    stream = _Headers(file)
    _require_plain(stream)
    for member in TarReader(stream, tar.ENTRY_LIMIT):
        if member.type == tar.REGULAR:
            yield member.path.removeprefix("./"), stream.skip(member)


def _require_plain(stream: _Headers) -> None:
    start = stream.exactly(4)
    stream.position = 0
    if start.startswith((_GZIP, _ZSTD)):
        raise UnsafeContentError("it is compressed", hint="Uncompress it first.")


def _unreadable(file: LocalFile, error: UnsafeContentError) -> UnsafeContentError:
    """*error*, which speaks of a folder's archive, as one about *file*."""
    reason = error.why or error.what
    return UnsafeContentError(
        "The tar cannot be read",
        where=file.path,
        why=f"{reason} ({error.where})" if error.where else reason,
        hint=error.hint if error.hint.startswith("Uncompress") else "Do not trust it, unless you know who made it.",
    )


class _Headers:
    """The tar as `tarread` reads it, whose members are stepped over."""

    def __init__(self, file: LocalFile) -> None:
        self._file = file
        self.position = 0

    def exactly(self, count: int) -> bytes:
        found = bytearray()
        while piece := self.piece(count - len(found)):
            found += piece
        return bytes(found)

    def piece(self, most: int) -> memoryview:
        buffer = memoryview(bytearray(most))
        count = self._file.read_at(buffer, self.position)
        self.position += count
        return buffer[:count]

    def skip(self, member: Member) -> Extent:
        """Step over the content of *member*; where it is."""
        extent = Extent(self.position, member.size)
        self.position += member.size + tar.padding(member.size)
        if self.position > self._file.size:
            raise UnsafeContentError("it ends within a file", where=member.path)
        return extent
