"""A blob in ranges over several connections; two blocks in a range of 4 KiB, so that 40 KiB are ten ranges."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import Verifier, digest_of
from azext_acrartifact.oci.mediatypes import TITLE
from azext_acrartifact.oci.parts import Part, PartsVerifier
from azext_acrartifact.transfer.ranged_download import RangedDownload
from azext_acrartifact.transfer.repository_storage import RepositoryStorage
from azext_acrartifact.transfer.sizes import TransferSizes
from tests.support.server import RawResponse, Sent, reset, respond
from tests.support.threads import run_all
from tests.support.uploads import BlobHost
from tests.unit.transfer.conftest import BLOB, DATA, MemoryFile, cut, cut_without_length

SIZES = TransferSizes(block=2048, shortest_range=2, longest_range=2, buffer=1500)


def load(
    storage: RepositoryStorage,
    file: MemoryFile,
    threads: int = 4,
    blob: Descriptor = BLOB,
    verifier: Callable[[], Verifier] | None = None,
    **sizes: int,
) -> int:
    moved, lock, failed = [0], threading.Lock(), []

    def advance(size: int) -> None:
        with lock:
            moved[0] += size

    http = storage.registry.http
    download = RangedDownload(
        storage, blob, file, http.attempts, http.waiter.cancelled, advance, replace(SIZES, **sizes), verifier
    )

    def work() -> None:
        try:
            download.work()
        except errors.ArtifactError as error:
            failed.append(error)

    for _ in range(3):
        run_all(work for _ in range(threads))
        if failed:
            raise failed[0]
        if download.finish():
            return moved[0]
    raise AssertionError("it did not end")


@pytest.mark.parametrize("threads", [1, 4])
def test_the_bytes_arrive(source, threads: int) -> None:
    file = MemoryFile(len(DATA))
    storage = source(BlobHost())
    assert load(storage, file, threads) == len(DATA)
    assert bytes(file.data) == DATA
    asked = sorted(int(sent.headers["range"][6:].split("-")[0]) for sent in storage.server.requests)
    assert asked == list(range(0, len(DATA), 4096))


def test_one_thread_alone_takes_long_ranges_and_short_ones_at_the_end(source) -> None:
    storage = source(BlobHost())
    assert load(storage, MemoryFile(len(DATA)), 1, longest_range=8) == len(DATA)
    asked = [int(sent.headers["range"][6:].split("-")[0]) // 2048 for sent in storage.server.requests]
    assert asked == [0, 8, 14, 17, 19]


def test_several_threads_leave_ranges_to_each_other(source) -> None:
    storage, file = source(BlobHost()), MemoryFile(len(DATA))
    http = storage.registry.http
    met = threading.Barrier(4)
    longest = []

    class Waiting(RangedDownload):
        def _fetch(self, blocks: range) -> None:
            longest.append(len(blocks))
            if len(longest) <= 4:
                met.wait(20)
            super()._fetch(blocks)

    download = Waiting(
        storage,
        BLOB,
        file,
        http.attempts,
        http.waiter.cancelled,
        lambda size: None,
        replace(SIZES, longest_range=8),
    )
    run_all(download.work for _ in range(4))
    assert download.finish()
    assert sorted(longest[:4]) == [2, 2, 3, 8]


def test_the_last_block_may_be_short(source) -> None:
    data = os.urandom(9001)
    file = MemoryFile(len(data))
    blob = Descriptor("x", digest_of(data), len(data))
    assert load(source(BlobHost(blobs={blob.digest: data})), file, 2, blob) == 9001
    assert bytes(file.data) == data


def test_a_break_inside_of_a_block_is_resumed(source) -> None:
    def fault(sent: Sent, number: int) -> RawResponse | None:
        if number != 2:
            return None
        first = int(sent.headers["range"][6:].split("-")[0])
        partial = respond(206, DATA[first : first + 4096], Content_Range=f"bytes {first}-{first + 4095}/{len(DATA)}")
        return RawResponse(partial.raw[:-2000], "close")

    file = MemoryFile(len(DATA))
    storage = source(BlobHost(fault))
    assert load(storage, file) == len(DATA)
    assert bytes(file.data) == DATA
    assert len(storage.server.requests) == 11


def test_a_range_that_ends_early_is_a_break(source) -> None:
    def fault(sent: Sent, number: int) -> RawResponse | None:
        first = int(sent.headers["range"][6:].split("-")[0])
        return respond(206, DATA[first : first + 96], Content_Range=f"bytes {first}-{first + 95}/{len(DATA)}") if (
            number == 3) else None  # fmt: skip

    file = MemoryFile(len(DATA))
    assert load(source(BlobHost(fault)), file) == len(DATA)
    assert bytes(file.data) == DATA


def test_blocks_of_an_earlier_run_are_not_downloaded(source) -> None:
    file = MemoryFile(len(DATA))
    file.data[:8192], file.done = DATA[:8192], {0, 1, 2, 3}
    storage = source(BlobHost())
    assert load(storage, file) == len(DATA)
    assert bytes(file.data) == DATA
    assert len(storage.server.requests) == 8


def test_only_the_gaps_that_an_earlier_run_left_are_downloaded(source) -> None:
    file = MemoryFile(len(DATA))
    file.data[2048:6144], file.done = DATA[2048:6144], {1, 2}
    storage = source(BlobHost())
    assert load(storage, file, 1) == len(DATA)
    assert bytes(file.data) == DATA
    asked = [sent.headers["range"] for sent in storage.server.requests]
    assert asked[:2] == ["bytes=0-2047", "bytes=6144-10239"]


def test_ranges_are_long_while_much_is_left(source) -> None:
    file = MemoryFile(len(DATA))
    storage = source(BlobHost())
    assert load(storage, file, 1, block=64, longest_range=16) == len(DATA)
    assert bytes(file.data) == DATA
    bounds = [sent.headers["range"][6:].split("-") for sent in storage.server.requests]
    lengths = [int(last) - int(first) + 1 for first, last in bounds]
    assert lengths == sorted(lengths, reverse=True)
    assert (lengths[0], lengths[-2]) == (16 * 64, 2 * 64)


def test_complete_blocks_of_a_broken_range_are_recorded(source) -> None:
    def fault(sent: Sent, number: int) -> RawResponse | None:
        partial = respond(206, DATA[:4096], Content_Range=f"bytes 0-4095/{len(DATA)}")
        return RawResponse(partial.raw[:-2000], "close") if number == 1 else reset()

    file = MemoryFile(len(DATA))
    with pytest.raises(errors.ConnectionFailedError):
        load(source(BlobHost(fault)), file, 1)
    assert file.done == {0}


def test_bytes_in_order_are_hashed_as_they_pass(source) -> None:
    file = MemoryFile(len(DATA))
    load(source(BlobHost()), file, 1)
    assert file.read_back == 0


def test_wrong_blocks_of_an_earlier_run_are_downloaded_again(source) -> None:
    file = MemoryFile(len(DATA))
    file.done = {0, 5}
    assert load(source(BlobHost()), file) == len(DATA)
    assert (bytes(file.data), file.restarts) == (DATA, 1)


def test_wrong_bytes_are_final(source) -> None:
    with pytest.raises(errors.DigestMismatchError):
        load(source(BlobHost(blobs={BLOB.digest: b"?" * len(DATA)})), MemoryFile(len(DATA)))


PARTS = [
    Part(Descriptor("x", digest_of(data), len(data), {TITLE: f"part-{at}"}), at)
    for at in (0, 20000, 40000)
    if (data := DATA[at : at + 20000])
]
"""Three parts, which begin and end within blocks."""


def in_parts(whole: Descriptor = BLOB) -> Callable[[], Verifier]:
    return lambda: PartsVerifier(whole, PARTS)


def wrong_once(times: int) -> Callable[[Sent, int], RawResponse | None]:
    """Return a fault that changes a byte of the second part in the first *times* responses with it."""
    left = [times]

    def fault(sent: Sent, number: int) -> RawResponse | None:
        first = int(sent.headers["range"][6:].split("-")[0])
        if not first <= 24000 < first + 4096 or not left[0]:
            return None
        left[0] -= 1
        data = bytearray(DATA[first : first + 4096])
        data[24000 - first] ^= 1
        return respond(206, bytes(data), Content_Range=f"bytes {first}-{first + len(data) - 1}/{len(DATA)}")

    return fault


def test_only_a_wrong_part_is_downloaded_again(source) -> None:
    file, storage = MemoryFile(len(DATA)), source(BlobHost(wrong_once(1)))
    assert load(storage, file, verifier=in_parts()) == len(DATA)
    assert (bytes(file.data), file.restarts) == (DATA, 1)
    assert len(storage.server.requests) == 10 + 6


def test_a_part_that_stays_wrong_is_named_and_the_others_stay(source) -> None:
    file, storage = MemoryFile(len(DATA)), source(BlobHost(wrong_once(2)))
    with pytest.raises(errors.DigestMismatchError, match="A part does not") as caught:
        load(storage, file, verifier=in_parts())
    assert "part-20000" in caught.value.message
    assert "keeps the rest" in caught.value.hint
    assert file.done == set(range(20)) - set(range(9, 20))
    assert load(storage, file, verifier=in_parts()) == len(DATA)
    assert bytes(file.data) == DATA


def test_parts_that_are_not_those_of_the_whole_are_not_downloaded_again(source) -> None:
    file, storage = MemoryFile(len(DATA)), source(BlobHost())
    with pytest.raises(errors.DigestMismatchError, match="The content does not"):
        load(storage, file, verifier=in_parts(replace(BLOB, digest=digest_of(b"other"))))
    assert (len(storage.server.requests), file.done) == (10, set())


@pytest.mark.parametrize("threads", [1, 4])
def test_a_host_that_ignores_ranges_is_read_once_from_its_first_byte(source, threads: int) -> None:
    file = MemoryFile(len(DATA))
    load(source(BlobHost(ranges=False)), file, threads)
    assert bytes(file.data) == DATA


def test_a_response_without_ranges_that_breaks_is_read_again(source) -> None:
    def fault(sent: Sent, number: int) -> RawResponse | None:
        return cut(20_000) if number == 2 else None

    file = MemoryFile(len(DATA))
    load(source(BlobHost(fault, ranges=False)), file, 1)
    assert bytes(file.data) == DATA


def test_a_response_without_ranges_and_length_that_ends_early_is_read_again(source) -> None:
    file = MemoryFile(len(DATA))
    host = BlobHost(lambda sent, number: cut_without_length(20_000) if number == 2 else None, ranges=False)
    load(source(host), file, 1)
    assert bytes(file.data) == DATA


@pytest.mark.parametrize("step", [300, 3000])
def test_a_host_that_ignores_ranges_and_breaks_is_given_up(source, step: int) -> None:
    """Break a little later each time, below and above a read, or always at the same byte."""
    given = [0]

    def fault(sent: Sent, number: int) -> RawResponse:
        after = min(number * step, len(DATA) - 1)
        given[0] += after
        return cut(after)

    with pytest.raises(errors.ConnectionFailedError, match=r"fetched [\d,]+ bytes for a blob of"):
        load(source(BlobHost(fault, ranges=False)), MemoryFile(len(DATA)), 1, chunk=1024)
    assert given[0] <= 4 * len(DATA)


def test_a_host_that_ignores_ranges_and_always_breaks_at_the_same_byte_is_given_up(source) -> None:
    storage = source(BlobHost(lambda sent, number: cut(20_000), ranges=False))
    with pytest.raises(errors.ConnectionFailedError, match="ended early"):
        load(storage, MemoryFile(len(DATA)), 1)
    assert len(storage.server.requests) == 7


def test_bytes_that_were_verified_are_not_replaced_by_others(source) -> None:
    """Refuse a host that sends right ranges first, and then all of it, wrong where it was hashed already."""

    def fault(sent: Sent, number: int) -> RawResponse | None:
        return respond(200, b"?" * 8192 + DATA[8192:]) if number >= 3 else None

    file = MemoryFile(len(DATA))
    with pytest.raises(errors.DigestMismatchError):
        load(source(BlobHost(fault)), file, 1)


def test_a_connection_that_stays_broken_is_given_up(source) -> None:
    with pytest.raises(errors.ConnectionFailedError):
        load(source(BlobHost(lambda sent, number: reset())), MemoryFile(len(DATA)), 1)


def test_a_cancelled_download_stops(source) -> None:
    storage = source(BlobHost())
    storage.registry.http.waiter.cancelled.set()
    with pytest.raises(errors.CancelledError):
        load(storage, MemoryFile(len(DATA)), 1)
