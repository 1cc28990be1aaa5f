"""The standard library's gzip: compresses data that shrinks and stores the rest."""

from __future__ import annotations

import gzip
import random

import pytest

from azext_acrartifact.files.archive.parallel_gzip import gzip_member, zlib_gzip

KIB = 1024
NOISE = random.Random(7).randbytes(1024 * KIB)
TEXT = b"".join(b"the line %d of many\n" % number for number in range(60_000))[: 1024 * KIB]


def packed(*blocks: bytes) -> bytes:
    member = b"".join(gzip_member(iter(blocks), zlib_gzip()))
    assert gzip.decompress(member) == b"".join(blocks)
    return member


def test_noise_is_stored() -> None:
    member = packed(NOISE)
    assert NOISE[: 32 * KIB] in member  # zlib stores at most 64 KiB in a block, after a header
    assert len(member) < len(NOISE) * 1.002


def test_text_shrinks() -> None:
    assert len(packed(TEXT)) < len(TEXT) / 4


@pytest.mark.parametrize("offset", [0, 1, 16 * KIB, 32 * KIB, 1000 * KIB])
def test_text_between_noise_shrinks_and_the_noise_does_not_grow(offset: int) -> None:
    block = NOISE[:offset] + TEXT + NOISE[offset:]
    size = len(packed(block[: len(NOISE)], block[len(NOISE) :]))
    assert size < len(NOISE) * 1.002 + len(TEXT) / 3


@pytest.mark.parametrize("begins", [True, False])
def test_data_with_a_quarter_of_noise_shrinks(begins: bool) -> None:
    """Samples from the beginning alone would judge a file by its header."""
    noise, text = NOISE[: 8 * KIB], TEXT[: 24 * KIB]
    block = noise + text if begins else text + noise
    assert len(packed(block)) < 20 * KIB


@pytest.mark.parametrize("size", [0, 1, 255, 256, 1023, 1024, 1025, 32 * KIB - 1, 32 * KIB, 32 * KIB + 1])
@pytest.mark.parametrize("content", [NOISE, TEXT])
def test_every_size_is_decompressed_unchanged(content: bytes, size: int) -> None:
    assert len(packed(content[:size])) <= size + 64
    assert len(packed(content[:size], content[: size // 2])) <= size * 1.5 + 64


def test_the_number_of_cores_does_not_change_the_bytes() -> None:
    blocks = [NOISE, TEXT, NOISE[:999], TEXT[:77]]
    assert len({b"".join(gzip_member(iter(blocks), zlib_gzip(), workers)) for workers in (1, 2, 5)}) == 1
