"""Ranges of content are read like a file of their own."""

from __future__ import annotations

import pytest

from azext_acrartifact.oci.content import Blocks, Chunk, Memory, cut

DATA = bytes(range(100))
BLOCKS = tuple(memoryview(block) for block in (DATA[:10], DATA[10:11], DATA[11:60], DATA[60:]))


@pytest.mark.parametrize("offset", [0, 5, 10, 11, 59, 99, 100])
@pytest.mark.parametrize("length", [0, 1, 6, 41, 100])
@pytest.mark.parametrize("room", [1, 7, 1000])
def test_any_range_can_be_read_repeatedly(offset: int, length: int, room: int) -> None:
    content = Blocks(BLOCKS)
    assert content.size == 100
    for _ in range(2):
        reader, found = content.open_range(offset, length), b""
        buffer = memoryview(bytearray(room))
        while count := reader.readinto(buffer):
            found += buffer[:count]
        assert found == DATA[offset : offset + length]


def test_cut_copies_nothing_and_yields_nothing_empty() -> None:
    blocks = list(cut(BLOCKS, 10, 50))
    assert [len(block) for block in blocks] == [1, 49]
    assert blocks[1].obj is BLOCKS[2].obj


def test_a_chunk_reads_only_its_range() -> None:
    with Chunk(Memory(b"0123456789"), 3, 4).open() as reader:
        assert reader.read() == b"3456"
