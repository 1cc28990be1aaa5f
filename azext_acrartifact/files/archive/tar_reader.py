"""Read the members of a tar that may be hostile: ustar, pax and GNU long names. Refuse anything else, skip nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from ...errors import UnsafeContentError
from ..hashing import BLOCK
from . import tar_format as tar
from .decompress import damaged

EXTENSION_LIMIT = 64 << 10
"""Bytes of one member's extended headers (CVE-2025-58183: without a limit they fill the memory)."""
PADDING_LIMIT = 16 << 20
"""Bytes of zeros after the end: more than any tape record."""
_HEADERS_A_MEMBER = 3
_NUMBER_LIMIT = 2**63 - 1
_OCTAL = re.compile(rb"[0-7]+")
_DECIMAL = re.compile(rb"[1-9][0-9]*|0")
_UTF8 = b"ISO-IR 10646 2000 UTF-8"
_REFUSED = {
    b"1": "a hard link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a FIFO",
    b"S": "a sparse file",
}


class TarStream(Protocol):
    """The bytes of an archive, read once."""

    def read_exactly(self, count: int) -> bytes:
        """Return the next *count* bytes, fewer only at the end."""

    def read_block(self, most: int) -> memoryview:
        """Return the next 1 to *most* bytes, none at the end."""


@dataclass(frozen=True)
class Member:
    """A member as its header and the extended headers before it describe it."""

    path: str
    """As written, without the trailing `/` of folders. Not checked yet."""
    type: bytes
    """tar_format.REGULAR, DIRECTORY or SYMLINK."""
    mode: int
    size: int
    """Declared size of the content in bytes."""
    link: str


@dataclass
class _Extension:
    """The values of the extended headers for the next member."""

    values: dict[str, bytes] = field(default_factory=dict)
    size: int = 0

    def put(self, key: str, value: bytes) -> None:
        if key in self.values:
            raise damaged(f"the {key} of a member is given twice")
        self.values[key] = value


class TarReader:
    """Iterate over the members of an archive. Read the content of each before asking for the next."""

    def __init__(self, stream: TarStream, entry_limit: int) -> None:
        self._stream = stream
        self._entry_limit = entry_limit
        self._headers_left = _HEADERS_A_MEMBER * entry_limit

    def __iter__(self) -> Iterator[Member]:
        extension, members = _Extension(), 0
        while (block := self._next_header()) is not None:
            if block[tar.TYPE] in (tar.PAX, tar.PAX_GLOBAL, tar.GNU_LONG_NAME, tar.GNU_LONG_LINK):
                self._extend(extension, block)
                continue
            members += 1
            if members > self._entry_limit:
                raise self._too_many()
            yield _member(block, extension.values)
            extension = _Extension()
        if extension.size:
            raise damaged("it ends after an extended header")

    def content(self, member: Member) -> Iterator[memoryview]:
        """Yield the bytes of *member*, block by block. Read them all before the next member."""
        left = member.size
        while left:
            block = self._stream.read_block(left)
            if not block:
                raise damaged("it ends within a file")
            left -= len(block)
            yield block
        self._skip_padding(member.size)

    def _too_many(self) -> UnsafeContentError:
        return UnsafeContentError("The folder holds too many files", why=f"more than {self._entry_limit:,}")

    def _skip_padding(self, size: int) -> None:
        if len(self._stream.read_exactly(tar.padding(size))) != tar.padding(size):
            raise damaged("it ends within a file")

    def _next_header(self) -> bytes | None:
        block = self._stream.read_exactly(tar.BLOCK_SIZE)
        if not block or block == tar.ZERO_BLOCK:
            self._require_only_zeros()
            return None
        if len(block) != tar.BLOCK_SIZE:
            raise damaged("it ends within a header")
        self._headers_left -= 1
        if self._headers_left < 0:
            raise self._too_many()
        return _checked(block)

    def _require_only_zeros(self) -> None:
        """Refuse content hidden after the end. Padding is read too, as the digest covers it."""
        left = PADDING_LIMIT
        while block := self._stream.read_block(BLOCK):
            left -= len(block)
            if left < 0 or bytes(block).strip(b"\x00"):
                raise damaged("there is content after its end")

    def _extend(self, extension: _Extension, block: bytes) -> None:
        size = _number(block[tar.SIZE], "size")
        extension.size += size
        if extension.size > EXTENSION_LIMIT:
            raise UnsafeContentError("A header of the folder's archive is too long", why=f"more than {EXTENSION_LIMIT}")
        data = self._stream.read_exactly(size)
        if len(data) != size:
            raise damaged("it ends within a header")
        self._skip_padding(size)
        kind = block[tar.TYPE]
        if kind == tar.PAX_GLOBAL:
            _require_harmless(_records(data))
            extension.size -= size
        elif kind == tar.PAX:
            for key, value in _records(data):
                extension.put(key, value)
        else:
            extension.put("path" if kind == tar.GNU_LONG_NAME else "linkpath", data.split(b"\x00")[0])


def _checked(block: bytes) -> bytes:
    """Return *block* if its checksum and magic are right, else raise UnsafeContentError."""
    if _number(block[tar.CHECKSUM], "checksum") != tar.checksum(block):
        raise damaged("the checksum of a header is wrong")
    if block[tar.MAGIC] not in (tar.USTAR_MAGIC, tar.GNU_MAGIC, tar.V7_MAGIC):
        raise damaged("a header has an unknown format")
    return block


def _member(block: bytes, extended: dict[str, bytes]) -> Member:
    raw_path = extended.get("path", _path(block))
    kind = tar.REGULAR if block[tar.TYPE] == tar.REGULAR_V7 else block[tar.TYPE]
    size = _decimal(extended["size"]) if "size" in extended else _number(block[tar.SIZE], "size")
    path = _text(raw_path)
    if kind == tar.REGULAR and path.endswith("/"):
        kind = tar.DIRECTORY  # as in archives that are older than the type for folders
    if kind not in (tar.REGULAR, tar.DIRECTORY, tar.SYMLINK):
        why = _REFUSED.get(kind, f"of the unknown type {kind!r}")
        raise UnsafeContentError("A member of the folder is not a file, folder or link", where=path, why=f"it is {why}")
    if size and kind != tar.REGULAR:
        raise damaged("a folder or link has content")
    link = _text(extended.get("linkpath", _until_nul(block[tar.LINK_NAME]))) if kind == tar.SYMLINK else ""
    path = path.rstrip("/") if kind == tar.DIRECTORY else path
    return Member(path, kind, _number(block[tar.MODE], "mode"), size, link)


def _path(block: bytes) -> bytes:
    name = _until_nul(block[tar.NAME])
    # GNU tar stores times where ustar has the prefix.
    prefix = _until_nul(block[tar.PREFIX]) if block[tar.MAGIC] == tar.USTAR_MAGIC else b""
    return prefix + b"/" + name if prefix else name


def _until_nul(text: bytes) -> bytes:
    return text.split(b"\x00", 1)[0]


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise UnsafeContentError("A name in the folder is not UTF-8", where=repr(raw[:200])) from error


def _number(text: bytes, what: str) -> int:
    """Parse an octal number, or GNU's base 256. Refuse negative ones and those from 2**63."""
    if text[0] & 0x80:
        value = int.from_bytes(bytes([text[0] & 0x7F]) + text[1:], "big")
        if text[0] & 0x40 or value > _NUMBER_LIMIT:
            raise damaged(f"the {what} of a member is out of range")
        return value
    digits = text.strip(b" \x00")
    if digits and not _OCTAL.fullmatch(digits):
        raise damaged(f"the {what} of a member is not a number")
    return int(digits or b"0", 8)


def _decimal(text: bytes) -> int:
    if not _DECIMAL.fullmatch(text) or len(text) > 19 or int(text) > _NUMBER_LIMIT:
        raise damaged("the size of a member is not a number, or out of range")
    return int(text)


def _records(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the pax records of *data*: `LENGTH KEY=VALUE`, newline."""
    position = 0
    while position < len(data):
        space = data.find(b" ", position, position + 8)
        digits = data[position : max(space, position)]
        end = position + int(digits) if _DECIMAL.fullmatch(digits) else -1
        if end <= space or data[end - 1 : end] != b"\n":
            raise damaged("a pax record is malformed")
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if not equals or not key or (b"\x00" in value and key in (b"path", b"linkpath")):
            raise damaged("a pax record is malformed")
        _require_known(key, value)
        yield _text(key), value
        position = end


def _require_known(key: bytes, value: bytes) -> None:
    """Refuse records that change the content or the charset. Ignore times, owners and attributes."""
    if key.startswith(b"GNU.sparse."):
        raise UnsafeContentError("A member of the folder is not a file, folder or link", why="it is a sparse file")
    if key == b"hdrcharset" and value != _UTF8:
        raise UnsafeContentError("A name in the folder is not UTF-8")


def _require_harmless(records: Iterator[tuple[str, bytes]]) -> None:
    for key, _ in records:
        if key in ("path", "linkpath", "size"):
            raise damaged(f"one {key} is given for all members")
