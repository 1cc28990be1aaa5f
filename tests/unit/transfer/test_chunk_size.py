"""The sizes of an upload's requests after losses, refusals and breaks."""

from __future__ import annotations

import pytest

from azext_acrartifact.transfer.chunk_size import ChunkLimits, ChunkSize
from azext_acrartifact.transfer.sizes import TransferSizes

SIZES = TransferSizes(chunk=16, smallest_chunk=2, larger_chunk=20, largest_chunk=128)
LARGE = 1000
"""The size of a blob of many requests."""


@pytest.fixture
def chunk() -> ChunkSize:
    """Return a size of 16 bytes, which may become 128."""
    return ChunkSize(SIZES)


def lose(chunk: ChunkSize, times: int) -> list[int]:
    """Lose that many sessions; return the sizes after each."""
    sizes = []
    for _ in range(times):
        chunk.session_lost(LARGE)
        sizes.append(chunk.value)
    return sizes


def test_each_lost_session_makes_the_requests_larger(chunk: ChunkSize) -> None:
    assert lose(chunk, 6) == [20, 40, 80, 128, 128, 128]


@pytest.mark.parametrize(("size", "found"), [(80, [20, 20, 20]), (81, [20, 40, 40])])
def test_a_blob_of_few_requests_tries_no_size_beyond_the_recorded_limit(chunk: ChunkSize, size, found) -> None:
    sizes = []
    for _ in found:
        chunk.session_lost(size)
        sizes.append(chunk.value)
    assert sizes == found


def test_a_larger_size_that_was_refused_is_not_tried_again(chunk: ChunkSize) -> None:
    chunk.accepted(16)
    assert lose(chunk, 1) == [20]
    chunk.accepted(20)
    assert lose(chunk, 1) == [40]
    assert chunk.refused(40)
    assert (chunk.value, lose(chunk, 3)) == (20, [20, 20, 20])


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
    assert lose(chunk, 1) == [8]


def test_a_larger_request_that_breaks_off_is_made_smaller_at_once(chunk: ChunkSize) -> None:
    lose(chunk, 2)
    sizes = []
    for _ in range(3):
        chunk.broken()
        sizes.append(chunk.value)
    assert sizes == [20, 16, 8]


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
    assert lose(chunk, 4) == [4, 8, 16, 20]


@pytest.mark.parametrize(
    ("left", "first"), [(1, 16), (15, 15), (16, 16), (17, 16), (18, 2), (40, 8), (64, 16), (None, 16), (0, 16)]
)
def test_what_does_not_fill_a_request_goes_first(chunk: ChunkSize, left: int | None, first: int) -> None:
    assert chunk.next(left) == first


def test_what_did_not_fill_a_request_says_nothing_about_larger_ones(chunk: ChunkSize) -> None:
    assert chunk.refused(16)
    chunk.accepted(chunk.next(19))
    assert chunk.refused(8)
    assert chunk.next(16) == 4


def test_parts_learn_from_each_other() -> None:
    limits = ChunkLimits()
    one, other = ChunkSize(SIZES, limits), ChunkSize(SIZES, limits)
    one.accepted(16)
    lose(one, 1)
    assert other.next(None) == 16, "nobody knows yet whether 20 are accepted"
    one.accepted(20)
    assert (other.next(None), ChunkSize(SIZES, limits).next(None)) == (20, 20)
    other.broken()
    assert other.next(None) == 16, "it needed smaller ones itself"
    lose(one, 1)
    assert one.refused(40)
    other.session_lost(LARGE)
    other.session_lost(LARGE)
    assert (one.next(None), other.next(None)) == (20, 20)


def test_parts_are_not_sent_in_requests_that_were_refused() -> None:
    limits = ChunkLimits()
    one, other = ChunkSize(SIZES, limits), ChunkSize(SIZES, limits)
    one.refused(16)
    assert other.next(None) == 8
    one.accepted(8)
    one.refused(8)
    assert (one.value, other.next(None), ChunkSize(SIZES, limits).next(None)) == (4, 4, 4)
