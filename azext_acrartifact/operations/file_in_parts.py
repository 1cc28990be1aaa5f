"""A file that is pushed in parts: the parts are blobs of their own, and the whole file is hashed beside them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..files.local_file import FilePart
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.parts import part_annotations, part_title
from ..transfer.sizes import DEFAULT_SIZES, TransferSizes
from ..transfer.upload_source import FileSource
from .inputs import Input

MakeSource = Callable[["PartOfFile", TransferSizes], FileSource]
"""Makes the source of a part."""


class FileInParts:
    """The file *item* and its *parts*, each of *part_size* bytes, the last one of the rest. Its parts are uploaded by
    several threads, which call `begin` and `end` around each; then the next push may do the same."""

    def __init__(self, item: Input, media_type: str, part_size: int) -> None:
        assert item.file is not None
        self._file = item.file
        offsets = range(0, item.size, part_size)
        self.parts: Sequence[PartOfFile] = [
            PartOfFile(self, number, FilePart(item.file, offset, min(part_size, item.size - offset)))
            for number, offset in enumerate(offsets, 1)
        ]
        self.whole = Descriptor(media_type, Digest(""), item.size, item.marks)
        """Its descriptor, with a digest once all parts have ended."""
        self.sent = False
        """Whether any part had to be sent."""
        self._lock = threading.Lock()
        self._source: FileSource | None = None
        self._begun = False
        self._left = len(self.parts)
        self._parks = item.file.is_parked
        self._ahead: dict[int, FileSource] = {}
        # The last part that is hashed, or was.
        self._last = 0
        self._hashed_beside = DEFAULT_SIZES

    @property
    def seen_as(self) -> str:
        """The first and the last title under which other tools see the parts."""
        return f"{self.parts[0].title} to {self.parts[-1].title}"

    def begin(self, cancelled: threading.Event, sizes: TransferSizes) -> bool:
        """Begin a part. Returns True for the first one."""
        with self._lock:
            if self._begun:
                return False
            self._begun, self.sent = True, False
            self._hashed_beside = replace(sizes, hashed_first=0)
            self._source = self._source or FileSource(self._file, "", cancelled, sizes=self._hashed_beside)
        return True

    def hashed(self, part: PartOfFile, make: MakeSource) -> FileSource:
        """Return the source of *part*, which *make* makes, once it is hashed."""
        with self._lock:
            source = self._ahead.pop(part.number, None) or make(part, self._hashed_beside)
            self._last = max(self._last, part.number)
        source.settle()
        return source

    def hash_more(self, make: MakeSource) -> None:
        """Start to hash the whole file, and one more part, which *make* makes: call it when a part begins to be sent.
        Before, that would delay the first parts; later, a connection would be idle until its next part is hashed."""
        with self._lock:
            if self._source is not None:
                self._source.identity()
            if self._last < len(self.parts):
                following = self.parts[self._last]
                self._ahead[following.number] = make(following, self._hashed_beside)
                self._ahead[following.number].identity()
                self._last = following.number

    def end(self, sent: bool) -> bool:
        """End a part. Returns True for the last one, after the whole file was hashed. Raises as `FileSource.settle`."""
        with self._lock:
            self.sent = self.sent or sent
            self._left -= 1
            if self._left:
                return False
        assert self._source is not None
        self.whole = replace(self.whole, digest=self._source.settle().digest)
        self._begun, self._left, self._last = False, len(self.parts), 0
        if self._parks:
            self._file.park()
        return True


@dataclass(frozen=True)
class PartOfFile:
    """Part *number*, from 1 on, of a *file*, and its *content*."""

    file: FileInParts
    number: int
    content: FilePart

    @property
    def title(self) -> str:
        """The title of its layer."""
        return part_title(self.file.whole.title or "", self.number, len(self.file.parts))

    @property
    def key(self) -> str:
        """The same for the same bytes, in later processes too."""
        return f"{self.content.file.version}|{self.content.offset}+{self.content.size}"

    def described(self, digest: Digest) -> Descriptor:
        """Return the descriptor of its layer. Until the whole file is hashed, *digest* stands in for its digest too."""
        whole = self.file.whole if self.file.whole.digest else replace(self.file.whole, digest=digest)
        marks = part_annotations(whole, self.number, len(self.file.parts), self.content.offset)
        return Descriptor(self.file.whole.media_type, digest, self.content.size, marks)
