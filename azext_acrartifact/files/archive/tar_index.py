"""Find the files in a tar without unpacking it, so that each can be read in place.

The tar may be hostile. `TarReader` refuses hard links, devices, sparse files and wrong headers; here, two members of
one name are refused as well, and symbolic links are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import UnsafeContentError
from ..local_file import LocalFile
from . import tar_format as tar
from .foreign import MOST_READ, compression_of, unpacking
from .tar_reader import Member, TarReader


@dataclass(frozen=True)
class ByteRange:
    """A range of a file: *size* bytes from *offset*."""

    offset: int
    size: int


def index_tar(file: LocalFile) -> dict[str, ByteRange]:
    """Return where each regular file of the tar *file* is, by its name without a leading `./`.

    Reads only headers, however large the files are. Raises UnsafeContentError for archives that readers would
    understand differently, LocalFileError when *file* cannot be read.
    """
    index: dict[str, ByteRange] = {}
    try:
        for name, content in _regular_files(file):
            if index.setdefault(name, content) is not content:
                raise UnsafeContentError("two members have the same name", where=name)
    except UnsafeContentError as error:
        raise _unreadable(file, error) from error
    return index


def _regular_files(file: LocalFile) -> Iterator[tuple[str, ByteRange]]:
    stream = _SeekingStream(file)
    _require_uncompressed(stream, file.path)
    for member in TarReader(stream, tar.ENTRY_LIMIT):
        if member.type == tar.REGULAR:
            yield member.path.removeprefix("./"), stream.skip(member)


def _require_uncompressed(stream: _SeekingStream, path: str) -> None:
    compression = compression_of(stream.read_exactly(MOST_READ))
    stream.position = 0
    if compression:
        hint = f"Unpack it, and give the folder: {unpacking(path, compression)}"
        raise UnsafeContentError(f"it is compressed by {compression}", hint=hint)


def _unreadable(file: LocalFile, error: UnsafeContentError) -> UnsafeContentError:
    """Reword *error*, which speaks of a folder's archive, as an error about *file*."""
    reason = error.why or error.what
    return UnsafeContentError(
        "The tar cannot be read",
        where=file.path,
        why=f"{reason} ({error.where})" if error.where else reason,
        hint=error.hint if error.hint.startswith("Unpack it") else "Do not trust it, unless you know who made it.",
    )


class _SeekingStream:
    """A `TarStream` of *file* that can skip content."""

    def __init__(self, file: LocalFile) -> None:
        self._file = file
        self.position = 0

    def read_exactly(self, count: int) -> bytes:
        found = bytearray()
        while block := self.read_block(count - len(found)):
            found += block
        return bytes(found)

    def read_block(self, most: int) -> memoryview:
        buffer = memoryview(bytearray(most))
        count = self._file.read_at(buffer, self.position)
        self.position += count
        return buffer[:count]

    def skip(self, member: Member) -> ByteRange:
        """Skip the content of *member*. Return where it is."""
        content = ByteRange(self.position, member.size)
        self.position += member.size + tar.padding(member.size)
        if self.position > self._file.size:
            raise UnsafeContentError("it ends within a file", where=member.path)
        return content
