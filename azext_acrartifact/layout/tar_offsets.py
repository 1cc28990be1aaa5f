"""A tar whose every byte has its place before the first is fetched.

All sizes are known from descriptors, so blobs are written where they belong, in any order and by several threads, and
an interrupted backup goes on. The same content gives the same bytes.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..files.archive import tar_format as tar
from ..files.archive.tar_headers import END_OF_ARCHIVE, Header, encode
from ..files.archive.tar_index import Extent

_FILE_MODE, _FOLDER_MODE = 0o644, 0o755


@dataclass(frozen=True)
class TarLayout:
    """What goes where. *headers* are bytes by their offset, *extents* the contents by name, *size* all bytes."""

    headers: Mapping[int, bytes]
    extents: Mapping[str, Extent]
    size: int

    @classmethod
    def of(cls, sizes: Mapping[str, int]) -> TarLayout:
        """A tar of files of *sizes* bytes by their names, in that order, and the folders that they need."""
        headers: dict[int, bytes] = {}
        extents: dict[str, Extent] = {}
        offset = 0
        for header in _headers(sizes):
            headers[offset] = encode(header)
            offset += len(headers[offset])
            if header.type == tar.REGULAR:
                extents[header.path] = Extent(offset, header.size)
                offset += header.size + tar.padding(header.size)
        headers[offset] = END_OF_ARCHIVE
        return cls(headers, extents, offset + len(END_OF_ARCHIVE))

    @property
    def identity(self) -> str:
        """The same for tars of the same names and sizes."""
        state = hashlib.sha256()
        for offset, header in self.headers.items():
            state.update(offset.to_bytes(8, "big") + header)
        return f"sha256:{state.hexdigest()}"


def _headers(sizes: Mapping[str, int]) -> Iterator[Header]:
    made: set[str] = set()
    for name, size in sizes.items():
        for folder in itertools.accumulate(name.split("/")[:-1], lambda above, part: f"{above}/{part}"):
            if folder not in made:
                made.add(folder)
                yield Header(f"{folder}/", tar.DIRECTORY, _FOLDER_MODE)
        yield Header(name, tar.REGULAR, _FILE_MODE, size)
