"""Codecs: they can be read again, and the standard library replaces packages that are not installed."""

from __future__ import annotations

import gzip
import io
import sys

import pytest

from azext_acrartifact.errors import InvalidInputError, UnsafeContentError
from azext_acrartifact.files.archive import compression as codecs
from azext_acrartifact.files.archive.decompress import Read, inflated
from tests.unit.files.archive.archives import zstd

BLOCKS = [b"a" * (1 << 20), bytes(range(256)) * 4096, b"end"]


def encoded(name: str) -> bytes:
    codec = codecs.codec_named(name)
    assert codec.encode is not None
    return b"".join(codec.encode(iter(BLOCKS)))


def reader(data: bytes) -> Read:
    return io.BytesIO(data).read


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_encoded_layers_are_decoded_unchanged(name: str) -> None:
    layer = encoded(name)
    assert len(layer) < sum(map(len, BLOCKS)) / 4
    assert b"".join(inflated(reader(layer))) == b"".join(BLOCKS)


def test_without_isal_the_standard_library_writes_the_same_format(monkeypatch: pytest.MonkeyPatch) -> None:
    with_isal = encoded("gzip"), codecs.codec_named("gzip").version
    hide(monkeypatch, "isal.isal_zlib")
    without = encoded("gzip"), codecs.codec_named("gzip").version
    assert with_isal[1] != without[1]
    for layer, _ in (with_isal, without):
        assert gzip.decompress(layer) == b"".join(BLOCKS)


def test_without_threads_the_bytes_are_the_same(request: pytest.FixtureRequest) -> None:
    expected = encoded("gzip")
    request.getfixturevalue("no_threads")
    assert encoded("gzip") == expected


def test_two_frames_of_zstd_are_read() -> None:
    assert b"".join(inflated(reader(encoded("zstd") * 2))) == b"".join(BLOCKS) * 2


def test_an_error_says_that_zstd_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = zstd(b"content")
    hide(monkeypatch, *codecs._ZSTD_MODULES)
    with pytest.raises(InvalidInputError, match="zstd is not installed"):
        codecs.codec_named("zstd")
    with pytest.raises(UnsafeContentError, match="not installed") as caught:
        list(inflated(reader(packed)))
    assert "backports.zstd" in caught.value.hint


def test_an_unknown_compression_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="brotli"):
        codecs.codec_named("brotli")


def hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Make the import of *names* fail, as if they were not installed."""
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("hidden", [False, True])
def test_gzip_is_read_by_either_library(monkeypatch: pytest.MonkeyPatch, hidden: bool) -> None:
    if hidden:
        hide(monkeypatch, "isal.isal_zlib")
    layer = gzip.compress(BLOCKS[0]) + gzip.compress(b"".join(BLOCKS[1:]))
    assert b"".join(inflated(reader(layer))) == b"".join(BLOCKS)
    bomb = gzip.compress(bytes(64 << 20))
    assert max(map(len, inflated(reader(bomb)))) <= 2 << 20
    damaged = [layer[:-9], layer[:5000], layer + b"x", layer[:20] + b"\xff" * 20 + layer[40:], gzip.compress(b"")[:-1]]
    for wrong in damaged:
        with pytest.raises(UnsafeContentError, match="damaged"):
            list(inflated(reader(wrong)))
