"""Tar headers, as Go's archive/tar writes them for ORAS: ustar, and pax records only for what ustar cannot hold.

The same choices give the same bytes: a folder that ORAS packs with its times at the epoch has our digest.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import tarformat as tar

_OCTAL_SIZE_LIMIT = 8**11
END_OF_ARCHIVE = tar.ZERO_BLOCK * 2


@dataclass(frozen=True)
class Header:
    """What a member's header says."""

    path: str
    type: bytes
    mode: int
    size: int = 0
    """Bytes of content that follow."""
    link: str = ""
    mtime: int = 0
    """Seconds since the epoch."""


def encode(header: Header) -> bytes:
    """The blocks that come before the member's content."""
    records = _pax_records(header)
    if not records:
        prefix, name = _split(header.path) or ("", header.path)
        return _block(header, name.encode("ascii"), prefix.encode("ascii"))
    data = b"".join(_record(key, value) for key, value in sorted(records.items()))
    folder, _, last = header.path.rpartition("/")
    about = "/".join(filter(None, (folder, "PaxHeaders.0", last)))
    extended = Header(path=about, type=tar.PAX, mode=0, size=len(data))
    fallback = _ascii(header.path)
    return (
        _block(extended, _ascii(about).rstrip(b"/"), b"")
        + data
        + bytes(tar.padding(len(data)))
        + _block(header, fallback, b"")
    )


def _pax_records(header: Header) -> dict[str, str]:
    records = {}
    if not header.path.isascii() or (len(header.path) > 100 and _split(header.path) is None):
        records["path"] = header.path
    if not header.link.isascii() or len(header.link) > 100:
        records["linkpath"] = header.link
    if header.size >= _OCTAL_SIZE_LIMIT:
        records["size"] = str(header.size)
    return records


def _split(path: str) -> tuple[str, str] | None:
    """A long path at the last `/` that leaves ustar's 155 and 100 characters."""
    if len(path) <= 100 or not path.isascii():
        return None
    cut = path.rfind("/", 0, 156)
    if cut <= 0 or not 0 < len(path) - cut - 1 <= 100:
        return None
    return path[:cut], path[cut + 1 :]


def _record(key: str, value: str) -> bytes:
    """A pax record: its own length in decimal, blank, key=value, newline."""
    rest = len(f" {key}={value}\n".encode())
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return f"{length} {key}={value}\n".encode()


def _ascii(text: str) -> bytes:
    """What a reader without pax sees: the ASCII characters, cut to the field."""
    return bytes(ord(character) for character in text if character.isascii())[:100]


def _octal(value: int, width: int) -> bytes:
    return b"%0*o\x00" % (width - 1, value)


def _block(header: Header, name: bytes, prefix: bytes) -> bytes:
    size = header.size if header.size < _OCTAL_SIZE_LIMIT else 0
    block = bytearray(tar.ZERO_BLOCK)
    for field, value in (
        (tar.NAME, name),
        (tar.MODE, _octal(header.mode, 8)),
        (tar.UID, _octal(0, 8)),
        (tar.GID, _octal(0, 8)),
        (tar.SIZE, _octal(size, 12)),
        (tar.MTIME, _octal(header.mtime, 12)),
        (tar.TYPE, header.type),
        (tar.LINK_NAME, _ascii(header.link)),
        (tar.MAGIC, tar.USTAR_MAGIC),
        (tar.PREFIX, prefix),
    ):
        block[field.start : field.start + len(value)] = value
    if header.type != tar.PAX:
        # Go leaves these out of the headers that carry pax records.
        block[tar.DEVICE_MAJOR] = block[tar.DEVICE_MINOR] = _octal(0, 8)
    block[tar.CHECKSUM] = b"%06o\x00 " % tar.checksum(bytes(block))
    return bytes(block)
