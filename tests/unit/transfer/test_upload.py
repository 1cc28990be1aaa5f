"""Blobs up: every way an upload can go, and go on."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.content import Memory
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.uploads import Session
from azext_acrartifact.transfer import upload
from azext_acrartifact.transfer import upload_sessions as journals
from azext_acrartifact.transfer import upload_source as feeds
from azext_acrartifact.transfer.repository_storage import RepositoryStorage
from azext_acrartifact.transfer.upload_sessions import Journal
from azext_acrartifact.transfer.upload_source import FileFeed, Identity, StreamFeed
from tests.support.server import Answer, Sent, answer, reset
from tests.support.uploads import BlobHost

KIB = 1024
DATA = bytes(range(256)) * 4 * 40  # 40 KiB


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of 8 KiB, so that 40 KiB are five."""
    monkeypatch.setattr(upload, "SINGLE_LIMIT", 4 * KIB)
    monkeypatch.setattr(upload, "CHUNK", 8 * KIB)
    monkeypatch.setattr(upload, "SMALLEST_CHUNK", KIB)


class Run:
    """One upload to a host: what it gave, and what was told of its progress."""

    def __init__(self, serve, registry, host: BlobHost, folder: Path | None = None) -> None:
        self.host = host
        self.server = serve(host, forever=True)
        self.registry = registry(self.server)
        self.journal = Journal(str(folder) if folder else None)
        self.storage = RepositoryStorage(self.registry, "a", self.journal)
        self.cancelled = threading.Event()
        self.moved = 0

    def __call__(self, data: bytes = DATA, feed=None, held: Callable[[Identity], bool] = lambda identity: False):
        feed = feed or FileFeed(Memory(data), "key", self.cancelled)
        return self.storage.upload(feed, held, self._advance)

    def _advance(self, size: int) -> None:
        self.moved += size

    def lines(self) -> list[str]:
        return [request.method for request in self.server.requests]


@pytest.fixture
def run(serve, registry) -> Callable[..., Run]:
    return lambda host=None, folder=None: Run(serve, registry, host or BlobHost(), folder)


def stored(run: Run, data: bytes = DATA) -> None:
    """The registry has *data*, and progress says exactly that."""
    assert run.host.blobs[digest_of(data)] == data
    assert run.moved == len(data)


@pytest.mark.parametrize("data", [b"", b"x", b"x" * 4 * KIB])
def test_a_small_blob_is_two_requests(run, data: bytes) -> None:
    one = run()
    assert one(data) == (Identity(digest_of(data), len(data)), True)
    assert one.lines() == ["POST", "PUT"]
    stored(one, data)


def test_a_large_blob_goes_in_chunks(run) -> None:
    one = run()
    assert one()[1] is True
    assert one.lines() == ["POST", *["PATCH"] * 5, "PUT"]
    assert [len(sent.body) for sent in one.server.requests] == [0, *[8 * KIB] * 5, 0]
    ranges = [sent.headers["content-range"] for sent in one.server.requests if sent.method == "PATCH"]
    assert ranges[:2] == ["0-8191", "8192-16383"]
    stored(one)


def test_a_blob_that_is_held_is_not_sent(run) -> None:
    one = run()
    assert one(held=lambda identity: identity.digest == digest_of(DATA)) == (
        Identity(digest_of(DATA), len(DATA)),
        False,
    )
    assert one.lines() == []


def once(method: str, number: int, what: Answer | str):
    """A fault that hits one request."""
    return lambda sent, count: what if (sent.method, count) == (method, number) else None


BREAKS = {
    "reset": reset(),
    "lost-answer": "lost",
    "500": answer(500),
    "503": answer(503, Retry_After="0"),
    "429": answer(429, Retry_After="0"),
    "408": answer(408),
}


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
@pytest.mark.parametrize("what", BREAKS.values(), ids=BREAKS)
def test_after_a_break_the_session_is_asked_and_goes_on(run, method: str, what: Answer | str) -> None:
    one = run(BlobHost(once(method, 1 if method != "PATCH" else 3, what)))
    one()
    stored(one)
    if method == "PATCH":
        assert one.lines().count("POST") == 1
        assert one.lines().count("GET") == 1
        sent_again = 6 if what != "lost" else 5
        assert one.lines().count("PATCH") == sent_again


@pytest.mark.parametrize("what", BREAKS.values(), ids=BREAKS)
def test_a_small_blob_survives_a_break(run, what: Answer | str) -> None:
    one = run(BlobHost(once("PUT", 1, what)))
    one(b"small")
    stored(one, b"small")


def test_a_reset_in_the_middle_of_a_chunk_goes_on_at_the_registrys_offset(run) -> None:
    host = BlobHost()

    def half(sent: Sent, number: int) -> Answer | None:
        if (sent.method, number) != ("PATCH", 2):
            return None
        host.sessions[sent.path.rpartition("/")[2]] += sent.body[:3000]
        return reset()

    host.fault = half
    one = run(host)
    one()
    ranges = [sent.headers["content-range"] for sent in one.server.requests if sent.method == "PATCH"]
    assert ranges[:3] == ["0-8191", "8192-16383", "11192-19383"]
    stored(one)


def test_413_halves_the_chunk(run) -> None:
    one = run(BlobHost(most=3 * KIB))
    one()
    sizes = [len(sent.body) for sent in one.server.requests if sent.method == "PATCH"]
    assert sizes[:2] == [8 * KIB, 4 * KIB]
    assert set(sizes[2:]) == {2 * KIB}
    stored(one)


def test_413_to_a_single_put_goes_on_in_chunks(run) -> None:
    one = run(BlobHost(most=3 * KIB))
    one(b"x" * 4 * KIB)
    assert [len(sent.body) for sent in one.server.requests if sent.method == "PATCH"] == [2 * KIB] * 2
    stored(one, b"x" * 4 * KIB)


def test_413_to_the_smallest_chunk_is_final(run) -> None:
    one = run(BlobHost(most=10))
    with pytest.raises(errors.RejectedError, match="status 413"):
        one()
    assert one.lines().count("PATCH") == 4


def test_416_asks_for_the_offset(run) -> None:
    one = run(BlobHost(once("PATCH", 2, answer(416))))
    one()
    assert one.lines()[2:5] == ["PATCH", "GET", "PATCH"]
    stored(one)


@pytest.mark.parametrize("status", [404, 416])
def test_a_registry_that_never_takes_it_is_given_up(run, status: int) -> None:
    one = run(BlobHost(lambda sent, number: answer(status) if sent.method == "PATCH" else None))
    with pytest.raises(errors.RegistryError, match=f"status {status}|does not exist|lost"):
        one()
    assert one.lines().count("PATCH") == 4


def test_a_lost_session_begins_anew(run) -> None:
    host = BlobHost()

    def lose(sent: Sent, number: int) -> None:
        if (sent.method, number) == ("PATCH", 4):
            host.drop_sessions()

    host.fault = lose
    one = run(host)
    one()
    assert one.lines().count("POST") == 2
    stored(one)


def test_a_session_that_is_lost_after_every_chunk_is_given_up(run) -> None:
    host = BlobHost()

    def lose(sent: Sent, number: int) -> Answer | None:
        if sent.method != "PATCH" or number % 2:
            return None
        host.drop_sessions()
        return reset()

    host.fault = lose
    with pytest.raises(errors.ConnectionFailedError, match="again and again"):
        run(host)()
    assert host.counts["POST"] == 4


def test_a_broken_line_is_given_up_after_six_tries_without_progress(run) -> None:
    one = run(BlobHost(lambda sent, number: reset() if sent.method == "PATCH" else None))
    with pytest.raises(errors.ConnectionFailedError):
        one()
    assert one.lines().count("PATCH") == 6


def test_a_line_that_breaks_after_each_chunk_gets_there(run) -> None:
    one = run(BlobHost(lambda sent, number: reset() if sent.method == "PATCH" and number % 2 else None))
    one()
    stored(one)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, errors.RejectedError), (405, errors.LockedError), (307, errors.ProtocolError)]
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_a_refusal_is_final(run, method: str, status: int, kind: type) -> None:
    one = run(BlobHost(once(method, 1, answer(status, Location="https://evil.example/"))))
    with pytest.raises(kind):
        one()
    assert one.lines().count(method) == 1


def test_another_digest_than_the_sent_one_is_an_error(run) -> None:
    one = run(BlobHost(once("PUT", 1, answer(201, Docker_Content_Digest=digest_of(b"")))))
    with pytest.raises(errors.DigestMismatchError, match="other bytes"):
        one()


def test_a_finish_whose_answer_was_lost_is_not_sent_twice_when_the_blob_is_there(run) -> None:
    host = BlobHost(once("PUT", 1, "lost"))
    one = run(host)
    identity, sent = one(held=lambda identity: identity.digest in host.blobs)
    assert (identity.digest, sent) == (digest_of(DATA), True)
    assert one.lines().count("PATCH") == 5
    stored(one)


class TestJournal:
    def test_a_killed_upload_goes_on_where_it_was(self, run, tmp_path: Path) -> None:
        host = BlobHost()
        one = run(host, tmp_path / "journal")
        host.fault = lambda sent, number: answer(400) if (sent.method, number) == ("PATCH", 4) else None
        with pytest.raises(errors.RejectedError):
            one()
        (kept,) = (tmp_path / "journal").iterdir()
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
        host.fault = lambda sent, number: None
        two = Run.__new__(Run)
        two.__dict__.update(one.__dict__, moved=0)
        begun = len(one.server.requests)
        two()
        assert one.lines()[begun:] == ["GET", "PATCH", "PATCH", "PUT"]
        stored(two)
        assert list((tmp_path / "journal").iterdir()) == []

    @pytest.mark.parametrize("status", [404, 403, 500, 307])
    def test_a_session_that_is_gone_is_begun_anew(self, run, tmp_path: Path, status: int) -> None:
        one = run(BlobHost(lambda sent, number: answer(status) if sent.method == "GET" else None), tmp_path)
        one.journal.keep("key", Session(f"{one.server.url}/v2/a/blobs/uploads/gone", 5))
        one()
        stored(one)

    def test_what_was_finished_before_the_kill_is_not_sent_again(self, run, tmp_path: Path, monkeypatch) -> None:
        class SlowlyHashed(Memory):
            def open_range(self, offset: int, length: int) -> io.RawIOBase:
                time.sleep(0.3 if length == len(DATA) else 0)
                return super().open_range(offset, length)

        monkeypatch.setattr(feeds, "HASHED_FIRST", KIB)
        host = BlobHost(blobs={digest_of(DATA): DATA})
        one = run(host, tmp_path)
        one.journal.keep("key", Session(f"{one.server.url}/v2/a/blobs/uploads/finished", 32 * KIB))
        feed = FileFeed(SlowlyHashed(DATA), "key", one.cancelled)
        identity, sent = one(feed=feed, held=lambda identity: identity.digest in host.blobs)
        assert (identity.digest, sent) == (digest_of(DATA), False)
        assert one.lines() == ["GET"]
        assert list(tmp_path.iterdir()) == []

    def test_a_small_blob_does_not_look(self, run, tmp_path: Path) -> None:
        one = run(None, tmp_path)
        one.journal.keep("key", Session(f"{one.server.url}/v2/a/blobs/uploads/gone", 5))
        one(b"small")
        assert one.lines() == ["POST", "PUT"]

    def test_sessions_are_kept_by_key(self, tmp_path: Path) -> None:
        journal = Journal(str(tmp_path / "new" / "folder"))
        assert journal.session("a") is None
        journal.keep("a", Session("https://h.example/1?s", 5))
        journal.keep("b\udcff/ü", Session("https://h.example/2", 6))
        assert journal.session("a") == Session("https://h.example/1?s", 5)
        assert journal.session("b\udcff/ü") == Session("https://h.example/2", 6)
        journal.forget("a")
        journal.forget("a")
        assert journal.session("a") is None

    def test_an_old_session_is_taken_for_lost(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        journal = Journal(str(tmp_path))
        journal.keep("a", Session("https://h.example/1", 5))
        monkeypatch.setattr(journals, "KEPT_FOR", -1)
        assert journal.session("a") is None

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            "[]",
            "null",
            '{"url":"x"}',
            '{"url":"x","offset":"y","time":9e99}',
            '{"url":"x","offset":1e999,"time":9e99}',
            '{"url":"x","offset":1,"time":"z"}',
            '{"url":"x","offset":-1,"time":9e99}',
            '{"url":"x","offset":9223372036854775808,"time":9e99}',
        ],
    )
    def test_a_file_that_is_no_session_is_none(self, tmp_path: Path, text: str) -> None:
        journal = Journal(str(tmp_path))
        journal.keep("a", Session("https://h.example/1", 5))
        next(tmp_path.iterdir()).write_text(text)
        assert journal.session("a") is None

    def test_without_a_folder_or_a_key_nothing_is_kept(self, tmp_path: Path) -> None:
        Journal(None).keep("a", Session("https://h.example/1", 5))
        assert Journal(None).session("a") is None
        Journal(None).forget("a")
        Journal(str(tmp_path)).keep("", Session("https://h.example/1", 5))
        assert list(tmp_path.iterdir()) == []

    def test_a_disk_that_does_not_take_it_costs_only_the_resumption(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        journal = Journal(str(tmp_path / "file" / "below"))
        journal.keep("a", Session("https://h.example/1", 5))
        assert journal.session("a") is None


class TestFeeds:
    def test_a_large_file_is_hashed_beside(self, run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(feeds, "HASHED_FIRST", 0)
        one = run()
        assert one() == (Identity(digest_of(DATA), len(DATA)), True)
        stored(one)

    def test_what_hashing_raises_is_raised(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Broken(Memory):
            def open_range(self, offset: int, length: int):
                raise errors.LocalFileError("The file changed")

        feed = FileFeed(Broken(DATA), "key", threading.Event())
        with pytest.raises(errors.LocalFileError):
            feed.settle()
        monkeypatch.setattr(feeds, "HASHED_FIRST", 0)
        feed = FileFeed(Broken(DATA), "key", threading.Event())
        feed.identity()
        with pytest.raises(errors.LocalFileError):
            feed.settle()

    def test_hashing_ends_when_the_work_is_given_up(self) -> None:
        cancelled = threading.Event()
        cancelled.set()
        with pytest.raises(errors.CancelledError):
            FileFeed(Memory(DATA), "key", cancelled).settle()

    @staticmethod
    def stream(made: list[int]) -> StreamFeed:
        def restart() -> Iterator[bytes]:
            made.append(1)
            return (DATA[at : at + 1000] for at in range(0, len(DATA), 1000))

        return StreamFeed(restart, "key", len(DATA))

    def test_a_stream_is_made_once_and_its_digest_known_at_its_end(self, run) -> None:
        made: list[int] = []
        one = run()
        assert one(feed=self.stream(made)) == (Identity(digest_of(DATA), len(DATA)), True)
        assert made == [1]
        stored(one)

    def test_a_stream_that_must_go_back_is_made_again(self, run) -> None:
        host = BlobHost()

        def lose(sent: Sent, number: int) -> None:
            if (sent.method, number) == ("PATCH", 4):
                host.drop_sessions()

        host.fault = lose
        made: list[int] = []
        one = run(host)
        one(feed=self.stream(made))
        assert made == [1, 1]
        stored(one)

    def test_a_stream_that_is_held_is_told_so_before_its_last_part(self, run) -> None:
        one = run()
        identity, sent = one(feed=self.stream([]), held=lambda identity: True)
        assert (identity, sent) == (Identity(digest_of(DATA), len(DATA)), False)

    @pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 5000])
    def test_any_offset_of_a_stream_can_be_read(self, size: int) -> None:
        data = os.urandom(size)
        feed = StreamFeed(lambda: (data[at : at + 1000] for at in range(0, size, 1000)), "key", size)
        for offset in (0, size // 2, size, 0, size // 3):
            chunk = feed.chunk(offset, 1500)
            found = b""
            if chunk is not None:
                with chunk.open() as reader:
                    found = reader.read()
            assert found == data[offset : offset + 1500]
        assert feed.settle() == Identity(f"sha256:{hashlib.sha256(data).hexdigest()}", size)  # type: ignore[arg-type]


def test_a_system_without_threads_to_give_hashes_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(feeds, "HASHED_FIRST", 0)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    feed = FileFeed(Memory(DATA), "key", threading.Event())
    assert feed.identity() == Identity(digest_of(DATA), len(DATA))
    assert feed.settle() == Identity(digest_of(DATA), len(DATA))
