"""The sizes of an upload's requests after losses, refusals and breaks."""

from __future__ import annotations

import pytest

from azext_acrartifact.transfer.chunk_size import ChunkSize
from azext_acrartifact.transfer.sizes import TransferSizes

SIZES = TransferSizes(chunk=16, smallest_chunk=2, largest_chunk=128)


@pytest.fixture
def chunk() -> ChunkSize:
    """Return a size of 16, which may become 128."""
    return ChunkSize(SIZES)


def test_each_lost_session_doubles_the_size_up_to_the_largest(chunk: ChunkSize) -> None:
    sizes = []
    for _ in range(5):
        chunk.session_lost()
        sizes.append(chunk.value)
    assert sizes == [32, 64, 128, 128, 128]


@pytest.mark.parametrize(("limit", "tried"), [(20, [32, 24, 20]), (19, [32, 24, 20, 18]), (16, [32, 24, 20, 18, 16])])
def test_the_largest_accepted_size_is_searched_once(chunk: ChunkSize, limit: int, tried: list[int]) -> None:
    chunk.accepted(16)
    found = []
    for _ in range(4):
        chunk.session_lost()
        found.append(chunk.value)
        while chunk.value > limit:
            assert chunk.refused(chunk.value)
            found.append(chunk.value)
        chunk.accepted(chunk.value)
    assert found[: len(tried)] == tried
    assert set(found[len(tried) :]) <= {tried[-1]}


def test_a_size_that_is_refused_at_first_is_halved_down_to_the_smallest(chunk: ChunkSize) -> None:
    assert [(chunk.refused(chunk.value), chunk.value) for _ in range(4)] == [
        (True, 8),
        (True, 4),
        (True, 2),
        (False, 1),
    ]


def test_a_registry_that_refuses_what_it_accepted_is_sent_half(chunk: ChunkSize) -> None:
    chunk.accepted(16)
    assert chunk.refused(16)
    assert chunk.value == 8
    chunk.accepted(8)
    chunk.session_lost()
    assert chunk.value == 12


def test_a_larger_request_that_breaks_off_is_made_smaller_at_once(chunk: ChunkSize) -> None:
    chunk.session_lost()
    chunk.session_lost()
    sizes = []
    for _ in range(3):
        chunk.broken()
        sizes.append(chunk.value)
    assert sizes == [32, 16, 8]


def test_only_breaks_in_a_row_make_the_usual_size_smaller(chunk: ChunkSize) -> None:
    chunk.broken()
    chunk.accepted(16)
    chunk.broken()
    assert chunk.value == 16
    sizes = []
    for _ in range(4):
        chunk.broken()
        sizes.append(chunk.value)
    assert sizes == [8, 4, 2, 2]
