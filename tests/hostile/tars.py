"""Archives by hand, one header field at a time: no library writes what these say."""

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
    """One block. *size* as bytes goes in as it is."""
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
    """*data* to the end of its last block."""
    return data + bytes(-len(data) % BLOCK)


def file(name: str | bytes, content: bytes = b"x", mode: int = 0o644) -> bytes:
    """A regular file."""
    return header(name, len(content), mode=mode) + padded(content)


def folder(name: str, mode: int = 0o755) -> bytes:
    """A folder."""
    return header(f"{name}/", kind=b"5", mode=mode)


def link(name: str, target: str) -> bytes:
    """A symbolic link."""
    return header(name, kind=b"2", link=target, mode=0o777)


def hard(name: str, target: str) -> bytes:
    """A hard link."""
    return header(name, kind=b"1", link=target)


def pax(kind: bytes = b"x", **records: str) -> bytes:
    """Extended headers; a double underscore in a name is a dot."""
    data = b""
    for key, value in records.items():
        rest = f" {key.replace('__', '.')}={value}\n".encode()
        length = len(rest)
        while len(str(length)) + len(rest) != length:
            length = len(str(length)) + len(rest)
        data += str(length).encode() + rest
    return header("PaxHeader", len(data), kind) + padded(data)


def long_name(name: str, kind: bytes = b"L") -> bytes:
    """GNU's way to a long name."""
    data = name.encode() + b"\x00"
    return header("././@LongLink", len(data), kind) + padded(data)


def archive(*members: bytes, end: bytes = bytes(2 * BLOCK)) -> bytes:
    """Members and the end."""
    return b"".join(members) + end


def zipped(data: bytes) -> bytes:
    """In gzip, without a time."""
    return gzip.compress(data, 6, mtime=0)


def zeros(count: int, each: int = 64 << 20) -> bytes:
    """gzip members of *count* times *each* zeros: compressed once, repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return (packer.compress(bytes(each)) + packer.flush()) * count
