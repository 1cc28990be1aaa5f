"""A tar in which every file's offset is known before the first byte is downloaded.

All sizes are known from descriptors, so blobs are written at their offsets, in any order and by several threads, and
an interrupted backup can be resumed. The same content gives the same bytes.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..files.archive import tar_format as tar
from ..files.archive.tar_headers import END_OF_ARCHIVE, Header, encode
from ..files.archive.tar_index import ByteRange

_FILE_MODE, _FOLDER_MODE = 0o644, 0o755


@dataclass(frozen=True)
class TarLayout:
    """The *headers* by their offset, the *members* by name, and the *size* of the tar in bytes."""

    headers: Mapping[int, bytes]
    members: Mapping[str, ByteRange]
    size: int

    @classmethod
    def of(cls, sizes: Mapping[str, int]) -> TarLayout:
        """Lay out files of *sizes* bytes by name, in that order, with the folders that they need."""
        headers: dict[int, bytes] = {}
        members: dict[str, ByteRange] = {}
        offset = 0
        for header in _headers(sizes):
            headers[offset] = encode(header)
            offset += len(headers[offset])
            if header.type == tar.REGULAR:
                members[header.path] = ByteRange(offset, header.size)
                offset += header.size + tar.padding(header.size)
        headers[offset] = END_OF_ARCHIVE
        return cls(headers, members, offset + len(END_OF_ARCHIVE))

    @property
    def identity(self) -> str:
        """A digest that is the same for tars of the same names and sizes."""
        state = hashlib.sha256()
        for offset, header in self.headers.items():
            state.update(offset.to_bytes(8, "big") + header)
        return f"sha256:{state.hexdigest()}"


def _headers(sizes: Mapping[str, int]) -> Iterator[Header]:
    made: set[str] = set()
    for name, size in sizes.items():
        for folder in itertools.accumulate(name.split("/")[:-1], lambda above, inner: f"{above}/{inner}"):
            if folder not in made:
                made.add(folder)
                yield Header(f"{folder}/", tar.DIRECTORY, _FOLDER_MODE)
        yield Header(name, tar.REGULAR, _FILE_MODE, size)
