"""Blobs down: whatever breaks, the bytes are right or there are none."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.transfer import ranged_download as ranges
from azext_acrartifact.transfer.download import BlobDownload
from azext_acrartifact.transfer.ranged_download import RangedDownload
from azext_acrartifact.transfer.repository_storage import RepositoryStorage
from azext_acrartifact.transfer.upload_sessions import Journal
from tests.support.server import Answer, Sent, answer, reset
from tests.support.uploads import BlobHost

DATA = bytes(range(256)) * 4 * 40
BLOB = Descriptor("text/plain", digest_of(DATA), len(DATA))


class Kept:
    """Bytes in memory, as a file's part keeps them."""

    def __init__(self, size: int = 0) -> None:
        self.data = bytearray(size)
        self.done: set[int] = set()
        self.restarts = self.read_back = 0
        self.lock = threading.Lock()

    def write(self, data: memoryview) -> None:
        self.data += data

    def restart(self) -> None:
        self.data.clear()
        self.restarts += 1

    def write_at(self, data: memoryview, offset: int) -> None:
        with self.lock:
            self.data[offset : offset + len(data)] = data

    def read_at(self, buffer: memoryview, offset: int) -> int:
        with self.lock:
            part = self.data[offset : offset + len(buffer)]
        self.read_back += len(part)
        buffer[: len(part)] = part
        return len(part)

    def mark(self, segment: int) -> None:
        self.done.add(segment)

    def forget(self) -> None:
        self.done.clear()
        self.restarts += 1


@pytest.fixture
def source(serve, registry) -> Callable[[BlobHost], RepositoryStorage]:
    def open_source(host: BlobHost) -> RepositoryStorage:
        host.blobs.setdefault(BLOB.digest, DATA)
        server = serve(host, forever=True)
        opened = registry(server)
        storage = RepositoryStorage(opened, "a", Journal(None))
        storage.server = server  # type: ignore[attr-defined]
        storage.opened = opened  # type: ignore[attr-defined]
        return storage

    return open_source


def cut(after: int, data: bytes = DATA, status: int = 200) -> Answer:
    """An answer that breaks off."""
    whole = answer(status, data)
    return Answer(whole.raw[: len(whole.raw) - len(data) + after], "close")


class TestOneStream:
    @staticmethod
    def load(storage, blob: Descriptor = BLOB) -> tuple[Kept, int]:
        kept, moved = Kept(), [0]

        def advance(size: int) -> None:
            moved[0] += size

        BlobDownload(storage, blob, storage.opened.http.attempts(), advance).into(kept)
        return kept, moved[0]

    @pytest.mark.parametrize("data", [b"", b"x", DATA])
    def test_the_bytes_arrive(self, source, data: bytes) -> None:
        host = BlobHost(blobs={digest_of(data): data})
        kept, moved = self.load(source(host), Descriptor("x", digest_of(data), len(data)))
        assert (bytes(kept.data), moved, kept.restarts) == (data, len(data), 0)

    @pytest.mark.parametrize("after", [0, 1, 20_000, len(DATA) - 1])
    def test_a_break_goes_on_where_it_was(self, source, after: int) -> None:
        storage = source(BlobHost(lambda sent, number: cut(after) if number == 1 else None))
        kept, moved = self.load(storage)
        assert (bytes(kept.data), moved, kept.restarts) == (DATA, len(DATA), 0)
        assert len(storage.server.requests) == 2

    def test_a_line_that_breaks_again_and_again_gets_there(self, source) -> None:
        def fault(sent: Sent, number: int) -> Answer | None:
            first = int(sent.headers.get("range", "bytes=0-")[6:-1])
            if first > 39_000:
                return None
            rest = DATA[first:]
            part = answer(206 if first else 200, rest, Content_Range=f"bytes {first}-{len(DATA) - 1}/{len(DATA)}")
            return Answer(part.raw[: len(part.raw) - len(rest) + 4000], "close")

        kept, moved = self.load(source(BlobHost(fault)))
        assert (bytes(kept.data), moved) == (DATA, len(DATA))

    def test_a_line_that_stays_broken_is_given_up(self, source) -> None:
        storage = source(BlobHost(lambda sent, number: cut(100) if number == 1 else reset()))
        with pytest.raises(errors.ConnectionFailedError):
            self.load(storage)
        assert len(storage.server.requests) < 50

    @pytest.mark.parametrize("again", [5_000, 30_000])
    def test_what_a_host_that_knows_no_ranges_sends_again_is_passed_over(self, source, again: int) -> None:
        host = BlobHost(lambda sent, number: cut([20_000, again][number - 1]) if number < 3 else None, ranges=False)
        kept, moved = self.load(source(host))
        assert (bytes(kept.data), moved, kept.restarts) == (DATA, len(DATA), 0)

    def test_a_host_that_never_gets_further_is_given_up(self, source) -> None:
        host = BlobHost(lambda sent, number: cut(20_000), ranges=False)
        with pytest.raises(errors.ConnectionFailedError):
            self.load(source(host))

    def test_pieces_of_two_answers_that_do_not_fit_are_fetched_whole_once(self, source) -> None:
        wrong = b"?" * 20_000
        host = BlobHost(lambda sent, number: cut(20_000, wrong + DATA[20_000:]) if number == 1 else None)
        kept, moved = self.load(source(host))
        assert (bytes(kept.data), moved, kept.restarts) == (DATA, len(DATA), 1)

    @pytest.mark.parametrize("wrong", [b"?" * len(DATA), DATA[:-1], DATA + b"x", b""])
    def test_wrong_bytes_are_final(self, source, wrong: bytes) -> None:
        storage = source(BlobHost(blobs={BLOB.digest: wrong}))
        with pytest.raises(errors.DigestMismatchError):
            self.load(storage)
        assert len(storage.server.requests) == 1

    def test_wrong_bytes_stay_wrong_after_a_restart(self, source) -> None:
        host = BlobHost(
            lambda sent, number: cut(20_000) if number == 1 else None, blobs={BLOB.digest: b"?" * len(DATA)}
        )
        storage = source(host)
        with pytest.raises(errors.DigestMismatchError):
            self.load(storage)
        assert len(storage.server.requests) == 3

    def test_an_expired_storage_address_is_asked_for_anew(self, serve, registry) -> None:
        storage_host = serve(answer(403, b"<Error/>"), answer(200, DATA))
        server = serve(*[answer(307, Location=f"{storage_host.url}/x?sig={n}") for n in range(2)])
        opened = registry(server)
        storage = RepositoryStorage(opened, "a", Journal(None))
        storage.opened = opened  # type: ignore[attr-defined]
        kept, _ = self.load(storage)
        assert bytes(kept.data) == DATA
        assert [sent.query for sent in storage_host.requests] == ["sig=0", "sig=1"]

    def test_a_storage_that_always_refuses_is_given_up(self, serve, registry) -> None:
        storage_host = serve(lambda sent: answer(403), forever=True)
        server = serve(lambda sent: answer(307, Location=f"{storage_host.url}/x"), forever=True)
        opened = registry(server)
        with pytest.raises(errors.ConnectionFailedError, match="refused its own address"):
            RepositoryStorage(opened, "a", Journal(None)).fetch(BLOB)
        assert len(storage_host.requests) == 6


class TestRanges:
    """Several connections; two segments in a range of 4 KiB, so that 40 KiB are ten ranges."""

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ranges, "SEGMENT", 2048)
        monkeypatch.setattr(ranges, "SHORTEST_RUN", 2)
        monkeypatch.setattr(ranges, "LONGEST_RUN", 2)
        monkeypatch.setattr(ranges, "BLOCK", 1500)

    @staticmethod
    def load(storage, kept: Kept, threads: int = 4, blob: Descriptor = BLOB) -> int:
        moved, lock, failed = [0], threading.Lock(), []

        def advance(size: int) -> None:
            with lock:
                moved[0] += size

        http = storage.opened.http
        download = RangedDownload(storage, blob, kept, http.attempts, http.waiter.cancelled, advance)

        def work() -> None:
            try:
                download.work()
            except errors.ArtifactError as error:
                failed.append(error)

        for _ in range(3):
            workers = [threading.Thread(target=work) for _ in range(threads)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            if failed:
                raise failed[0]
            if download.finish():
                return moved[0]
        raise AssertionError("it did not end")

    @pytest.mark.parametrize("threads", [1, 4])
    def test_the_bytes_arrive(self, source, threads: int) -> None:
        kept = Kept(len(DATA))
        storage = source(BlobHost())
        assert self.load(storage, kept, threads) == len(DATA)
        assert bytes(kept.data) == DATA
        asked = sorted(int(sent.headers["range"][6:].split("-")[0]) for sent in storage.server.requests)
        assert asked == list(range(0, len(DATA), 4096))

    def test_one_alone_asks_for_long_ranges_and_leaves_short_ones_to_the_end(self, source, monkeypatch) -> None:
        monkeypatch.setattr(ranges, "LONGEST_RUN", 8)
        storage = source(BlobHost())
        assert self.load(storage, Kept(len(DATA)), threads=1) == len(DATA)
        asked = [int(sent.headers["range"][6:].split("-")[0]) // 2048 for sent in storage.server.requests]
        assert asked == [0, 8, 14, 17, 19]

    def test_several_leave_something_to_each_other(self, source, monkeypatch) -> None:
        monkeypatch.setattr(ranges, "LONGEST_RUN", 8)
        storage, kept = source(BlobHost()), Kept(len(DATA))
        http = storage.opened.http
        met = threading.Barrier(4)
        longest = []

        class Waiting(RangedDownload):
            def _fetch(self, run: range) -> None:
                longest.append(len(run))
                if len(longest) <= 4:
                    met.wait(20)
                super()._fetch(run)

        download = Waiting(storage, BLOB, kept, http.attempts, http.waiter.cancelled, lambda size: None)
        workers = [threading.Thread(target=download.work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert download.finish()
        assert sorted(longest[:4]) == [2, 2, 3, 8]

    def test_a_last_segment_may_be_short(self, source) -> None:
        data = os.urandom(9001)
        kept = Kept(len(data))
        blob = Descriptor("x", digest_of(data), len(data))
        assert self.load(source(BlobHost(blobs={blob.digest: data})), kept, 2, blob) == 9001
        assert bytes(kept.data) == data

    def test_a_break_goes_on_inside_of_a_segment(self, source) -> None:
        def fault(sent: Sent, number: int) -> Answer | None:
            if number != 2:
                return None
            first = int(sent.headers["range"][6:].split("-")[0])
            part = answer(206, DATA[first : first + 4096], Content_Range=f"bytes {first}-{first + 4095}/{len(DATA)}")
            return Answer(part.raw[:-2000], "close")

        kept = Kept(len(DATA))
        storage = source(BlobHost(fault))
        assert self.load(storage, kept) == len(DATA)
        assert bytes(kept.data) == DATA
        assert len(storage.server.requests) == 11

    def test_a_segment_that_ends_early_is_a_break(self, source) -> None:
        def fault(sent: Sent, number: int) -> Answer | None:
            first = int(sent.headers["range"][6:].split("-")[0])
            return answer(206, DATA[first : first + 96], Content_Range=f"bytes {first}-{first + 95}/{len(DATA)}") if (
                number == 3) else None  # fmt: skip

        kept = Kept(len(DATA))
        assert self.load(source(BlobHost(fault)), kept) == len(DATA)
        assert bytes(kept.data) == DATA

    def test_segments_of_an_earlier_run_are_not_fetched(self, source) -> None:
        kept = Kept(len(DATA))
        kept.data[:8192], kept.done = DATA[:8192], {0, 1, 2, 3}
        storage = source(BlobHost())
        assert self.load(storage, kept) == len(DATA)
        assert bytes(kept.data) == DATA
        assert len(storage.server.requests) == 8

    def test_gaps_that_an_earlier_run_left_are_fetched_alone(self, source) -> None:
        kept = Kept(len(DATA))
        kept.data[2048:6144], kept.done = DATA[2048:6144], {1, 2}
        storage = source(BlobHost())
        assert self.load(storage, kept, 1) == len(DATA)
        assert bytes(kept.data) == DATA
        asked = [sent.headers["range"] for sent in storage.server.requests]
        assert asked[:2] == ["bytes=0-2047", "bytes=6144-10239"]

    def test_ranges_are_long_while_much_is_left(self, source, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ranges, "SEGMENT", 64)
        monkeypatch.setattr(ranges, "LONGEST_RUN", 16)
        kept = Kept(len(DATA))
        storage = source(BlobHost())
        assert self.load(storage, kept, 1) == len(DATA)
        assert bytes(kept.data) == DATA
        bounds = [sent.headers["range"][6:].split("-") for sent in storage.server.requests]
        lengths = [int(last) - int(first) + 1 for first, last in bounds]
        assert lengths == sorted(lengths, reverse=True)
        assert (lengths[0], lengths[-2]) == (16 * 64, 2 * 64)

    def test_whole_segments_of_a_range_that_broke_are_noted(self, source) -> None:
        def fault(sent: Sent, number: int) -> Answer | None:
            part = answer(206, DATA[:4096], Content_Range=f"bytes 0-4095/{len(DATA)}")
            return Answer(part.raw[:-2000], "close") if number == 1 else reset()

        kept = Kept(len(DATA))
        with pytest.raises(errors.ConnectionFailedError):
            self.load(source(BlobHost(fault)), kept, 1)
        assert kept.done == {0}

    def test_bytes_in_order_are_hashed_as_they_pass(self, source) -> None:
        kept = Kept(len(DATA))
        self.load(source(BlobHost()), kept, 1)
        assert kept.read_back == 0

    def test_wrong_segments_of_an_earlier_run_are_fetched_again(self, source) -> None:
        kept = Kept(len(DATA))
        kept.done = {0, 5}
        assert self.load(source(BlobHost()), kept) == len(DATA)
        assert (bytes(kept.data), kept.restarts) == (DATA, 1)

    def test_wrong_bytes_are_final(self, source) -> None:
        with pytest.raises(errors.DigestMismatchError):
            self.load(source(BlobHost(blobs={BLOB.digest: b"?" * len(DATA)})), Kept(len(DATA)))

    @pytest.mark.parametrize("threads", [1, 4])
    def test_a_host_that_ignores_ranges_is_read_once_from_its_first_byte(self, source, threads: int) -> None:
        kept = Kept(len(DATA))
        self.load(source(BlobHost(ranges=False)), kept, threads)
        assert bytes(kept.data) == DATA

    def test_a_whole_answer_that_breaks_is_read_again(self, source) -> None:
        def fault(sent: Sent, number: int) -> Answer | None:
            return cut(20_000) if number == 2 else None

        kept = Kept(len(DATA))
        self.load(source(BlobHost(fault, ranges=False)), kept, 1)
        assert bytes(kept.data) == DATA

    def test_bytes_that_were_verified_are_not_replaced_by_others(self, source) -> None:
        """A host that serves right ranges first and then all of it, wrong where it was hashed already."""

        def fault(sent: Sent, number: int) -> Answer | None:
            return answer(200, b"?" * 8192 + DATA[8192:]) if number >= 3 else None

        kept = Kept(len(DATA))
        with pytest.raises(errors.DigestMismatchError):
            self.load(source(BlobHost(fault)), kept, 1)

    def test_a_line_that_stays_broken_is_given_up(self, source) -> None:
        with pytest.raises(errors.ConnectionFailedError):
            self.load(source(BlobHost(lambda sent, number: reset())), Kept(len(DATA)), 1)

    def test_a_given_up_transfer_stops(self, source) -> None:
        storage = source(BlobHost())
        storage.opened.http.waiter.cancelled.set()
        with pytest.raises(errors.CancelledError):
            self.load(storage, Kept(len(DATA)), 1)
