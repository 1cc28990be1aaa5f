"""Compressed files that are not read are recognized by their first bytes, and no tar is taken for one."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable

import pytest

from azext_acrartifact.errors import UnsafeContentError
from azext_acrartifact.files.archive.decompress import inflated
from azext_acrartifact.files.archive.foreign import MOST_READ, compression_of, unpacking
from tests.unit.files.archive.archives import member


def zipped(content: bytes) -> bytes:
    """Return *content* as the file of a zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a", content)
    return packed.getvalue()


PACKED = {
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zip": zipped,
    "7z": lambda content: b"7z\xbc\xaf\x27\x1c" + content,
    "lz4": lambda content: b"\x04\x22\x4d\x18" + content,
}


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("content", [b"", member("a", b"content")])
def test_a_layer_that_is_not_unpacked_is_named(name: str, content: bytes) -> None:
    pack: Callable[[bytes], bytes] = PACKED[name]
    with pytest.raises(UnsafeContentError, match=f"compressed by {name}, which is not unpacked") as raised:
        list(inflated(io.BytesIO(pack(content)).read))
    assert "tar -xf layout/blobs" in raised.value.hint


@pytest.mark.parametrize("name", ["BZh9.txt", "BZh91AY&S", "PK", "7z", "a"])
def test_a_tar_is_not_taken_for_another_format(name: str) -> None:
    tar = member(name, b"content")
    assert compression_of(tar[:MOST_READ]) is None
    assert b"".join(inflated(io.BytesIO(tar).read)) == tar


def test_gzip_is_recognized() -> None:
    assert compression_of(gzip.compress(b"")[:MOST_READ]) == "gzip"


@pytest.mark.parametrize(
    ("path", "compression", "command"),
    [
        ("d/x.tar.gz", "gzip", "mkdir x && tar -xf d/x.tar.gz -C x"),
        ("x.tzst", "zstd", "mkdir x && tar -xf x.tzst -C x"),
        ("a b.tgz", "gzip", "mkdir 'a b' && tar -xf 'a b.tgz' -C 'a b'"),
        ("x.zip", "zip", "unzip x.zip -d x"),
        ("x.7z", "7z", "7z x x.7z -ox"),
    ],
)
def test_the_command_unpacks_to_a_folder(path: str, compression: str, command: str) -> None:
    assert unpacking(path, compression) == command
