"""Build hostile archives header by header."""

import gzip
import hashlib

from azext_acrartifact.files.archive.compression import codec_named
from azext_acrartifact.files.archive.tar_format import CHECKSUM, checksum
from azext_acrartifact.files.archive.tar_headers import END_OF_ARCHIVE, Header, encode


def member(path: str, content: bytes = b"", kind: bytes = b"0", mode: int = 0o644, link: str = "", **values) -> bytes:
    """Return one member; *values* overwrite its header by offset, as `at_124=b"..."`, with a correct checksum."""
    header = bytearray(encode(Header(path, kind, mode, len(content) if kind == b"0" else 0, link)))
    for name, value in values.items():
        offset = len(header) - 512 + int(name.removeprefix("at_"))
        header[offset : offset + len(value)] = value
    return seal(bytes(header)) + content + bytes(-len(content) % 512)


def seal(header: bytes) -> bytes:
    """Return *header* with a correct checksum in its last block."""
    block = bytearray(header[-512:])
    block[CHECKSUM] = b"%06o\x00 " % checksum(bytes(block))
    return header[:-512] + bytes(block)


def extended(kind: bytes, data: bytes, declared: int | None = None) -> bytes:
    """Return an extended header: pax (x, g) or GNU (L, K)."""
    size = len(data) if declared is None else declared
    return member("./@ext", b"", kind, 0, at_124=b"%011o\x00" % size) + data + bytes(-len(data) % 512)


def record(key: str, value: bytes) -> bytes:
    """Return a pax record."""
    rest = len(key) + len(value) + 3
    length = next(n for n in range(rest, rest + 20) if n == rest + len(str(n)))
    return b"%d %s=%s\n" % (length, key.encode(), value)


def folder(path: str = "d") -> bytes:
    """Return a folder's header."""
    return member(path, kind=b"5", mode=0o755)


def symlink(path: str, target: str) -> bytes:
    """Return a symbolic link's header."""
    return member(path, kind=b"2", mode=0o777, link=target)


def layer(*members: bytes, end: bytes = END_OF_ARCHIVE) -> bytes:
    """Return *members* as a gzip layer."""
    return gzip.compress(b"".join(members) + end, 1)


def digest(data: bytes) -> str:
    """Return the digest of *data*."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def zstd(data: bytes) -> bytes:
    """Return *data* as one zstd frame."""
    encode = codec_named("zstd").encode
    assert encode is not None
    return b"".join(encode([data]))
