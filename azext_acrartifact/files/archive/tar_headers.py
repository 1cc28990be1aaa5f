"""Write tar headers as Go's archive/tar does for ORAS: ustar, with pax records only where ustar is too small.

The same choices give the same bytes: a folder that ORAS packs with its times at the epoch has our digest.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import tar_format as tar

_OCTAL_SIZE_LIMIT = 8**11
END_OF_ARCHIVE = tar.ZERO_BLOCK * 2
_ZERO = b"0000000\x00"


@dataclass(frozen=True)
class Header:
    """A member as its header describes it."""

    path: str
    type: bytes
    mode: int
    size: int = 0
    """Bytes of content that follow."""
    link: str = ""
    mtime: int = 0
    """Seconds since the epoch."""


def encode(header: Header) -> bytes:
    """Return the blocks that precede the member's content."""
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
    """Split a long path at the last `/` that leaves ustar's 155 and 100 characters; None if there is none."""
    if len(path) <= 100 or not path.isascii():
        return None
    cut = path.rfind("/", 0, 156)
    if cut <= 0 or not 0 < len(path) - cut - 1 <= 100:
        return None
    return path[:cut], path[cut + 1 :]


def _record(key: str, value: str) -> bytes:
    """Return a pax record: its own length in decimal, blank, key=value, newline."""
    rest = len(f" {key}={value}\n".encode())
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return f"{length} {key}={value}\n".encode()


def _ascii(text: str) -> bytes:
    """Return the ASCII characters of *text*, at most 100, for readers without pax."""
    return bytes(ord(character) for character in text if character.isascii())[:100]


def _octal(value: int, width: int) -> bytes:
    return b"%0*o\x00" % (width - 1, value)


def _block(header: Header, name: bytes, prefix: bytes) -> bytes:
    """Return one header block, its parts in the order of `tar_format`."""
    size = header.size if header.size < _OCTAL_SIZE_LIMIT else 0
    # Go leaves the device numbers empty in headers of pax records.
    device = bytes(8) if header.type == tar.PAX else _ZERO
    before = (
        name.ljust(100, b"\0") + _octal(header.mode, 8) + _ZERO + _ZERO + _octal(size, 12) + _octal(header.mtime, 12)
    )
    after = header.type + _ascii(header.link).ljust(100, b"\0") + tar.USTAR_MAGIC + bytes(64) + device + device
    after += prefix.ljust(155, b"\0") + bytes(12)
    # The checksum counts itself as blanks.
    return before + b"%06o\x00 " % (sum(before) + sum(after) + 8 * 0x20) + after
