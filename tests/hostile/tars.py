"""Write archives by hand, one header field at a time: no library writes these."""

from __future__ import annotations

import gzip
import zlib

BLOCK = 512


def header(
    name: str | bytes,
    size: int | bytes = 0,
    kind: bytes = b"0",
    link: str = "",
    mode: int = 0o644,
    *,
    magic: bytes = b"ustar\x0000",
    checksum: int | None = None,
) -> bytes:
    """Return one block. *size* as bytes is written unchanged."""
    block = bytearray(BLOCK)
    raw = name.encode() if isinstance(name, str) else name
    block[0 : min(len(raw), 100)] = raw[:100]
    block[100:108] = b"%07o\x00" % mode
    block[108:124] = b"0000000\x000000000\x00"
    block[124:136] = size.ljust(12, b"\x00") if isinstance(size, bytes) else b"%011o\x00" % size
    block[136:148] = b"00000000000\x00"
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[157 : 157 + len(link.encode())] = link.encode()
    block[257:265] = magic
    block[329:345] = b"0000000\x000000000\x00"
    block[148:156] = b"%06o\x00 " % (sum(block) if checksum is None else checksum)
    return bytes(block)


def padded(data: bytes) -> bytes:
    """Pad *data* to the end of its last block."""
    return data + bytes(-len(data) % BLOCK)


def file(name: str | bytes, content: bytes = b"x", mode: int = 0o644) -> bytes:
    """Return a regular file."""
    return header(name, len(content), mode=mode) + padded(content)


def folder(name: str, mode: int = 0o755) -> bytes:
    """Return a folder."""
    return header(f"{name}/", kind=b"5", mode=mode)


def link(name: str, target: str) -> bytes:
    """Return a symbolic link."""
    return header(name, kind=b"2", link=target, mode=0o777)


def hard(name: str, target: str) -> bytes:
    """Return a hard link."""
    return header(name, kind=b"1", link=target)


def pax(kind: bytes = b"x", **records: str) -> bytes:
    """Return extended headers; a double underscore in a name is a dot."""
    data = b""
    for key, value in records.items():
        rest = f" {key.replace('__', '.')}={value}\n".encode()
        length = len(rest)
        while len(str(length)) + len(rest) != length:
            length = len(str(length)) + len(rest)
        data += str(length).encode() + rest
    return header("PaxHeader", len(data), kind) + padded(data)


def long_name(name: str, kind: bytes = b"L") -> bytes:
    """Return a long name as GNU tar writes it."""
    data = name.encode() + b"\x00"
    return header("././@LongLink", len(data), kind) + padded(data)


def archive(*members: bytes, end: bytes = bytes(2 * BLOCK)) -> bytes:
    """Join members and the end."""
    return b"".join(members) + end


def zipped(data: bytes) -> bytes:
    """Compress with gzip, without a time."""
    return gzip.compress(data, 6, mtime=0)


def zeros(count: int, each: int = 64 << 20) -> bytes:
    """Return gzip members of *count* times *each* zeros: compressed once, repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return (packer.compress(bytes(each)) + packer.flush()) * count
