"""Uploads of a blob: every way an upload can take, and be resumed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Container

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.transfer.budget import MOST_LOST_SESSIONS, MOST_RESTARTS
from azext_acrartifact.transfer.upload_source import Identity, StreamSource
from tests.support.server import RawResponse, Sent, reset, respond
from tests.support.uploads import BlobHost
from tests.unit.transfer.conftest import DATA, KIB, stored


@pytest.mark.parametrize("data", [b"", b"x", b"x" * 4 * KIB])
def test_a_small_blob_is_two_requests(run, data: bytes) -> None:
    one = run()
    assert one(data) == (Identity(digest_of(data), len(data)), True)
    assert one.methods() == ["POST", "PUT"]
    stored(one, data)


def test_a_large_blob_goes_in_chunks(run) -> None:
    one = run()
    assert one()[1] is True
    assert one.methods() == ["POST", *["PATCH"] * 4, "PUT"]
    assert [len(sent.body) for sent in one.server.requests] == [0, *[8 * KIB] * 5]
    ranges = [sent.headers["content-range"] for sent in one.server.requests if sent.method == "PATCH"]
    assert ranges[:2] == ["0-8191", "8192-16383"]
    stored(one)


def test_an_existing_blob_is_not_sent(run) -> None:
    one = run()
    assert one(exists=lambda identity: identity.digest == digest_of(DATA)) == (
        Identity(digest_of(DATA), len(DATA)),
        False,
    )
    assert one.methods() == []


def once(method: str, number: int, what: RawResponse | str):
    """Return a fault that hits one request."""
    return lambda sent, count: what if (sent.method, count) == (method, number) else None


BREAKS = {
    "reset": reset(),
    "lost-answer": "lost",
    "500": respond(500),
    "503": respond(503, Retry_After="0"),
    "429": respond(429, Retry_After="0"),
    "408": respond(408),
}


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
@pytest.mark.parametrize("what", BREAKS.values(), ids=BREAKS)
def test_after_a_break_the_session_is_resumed_at_its_offset(run, method: str, what: RawResponse | str) -> None:
    one = run(BlobHost(once(method, 1 if method != "PATCH" else 3, what)))
    one()
    stored(one)
    if method == "PATCH":
        assert one.methods().count("GET") == 1
        # A lost response costs the session. The next one gets 40 KiB in chunks of 10.
        assert one.methods().count("POST") == (2 if what == "lost" else 1)
        assert one.methods().count("PATCH") == (6 if what == "lost" else 5)
        assert len(one.notes) == (3 if what == "lost" else 1)


@pytest.mark.parametrize("what", BREAKS.values(), ids=BREAKS)
def test_a_small_blob_survives_a_break(run, what: RawResponse | str) -> None:
    one = run(BlobHost(once("PUT", 1, what)))
    one(b"small")
    stored(one, b"small")


@pytest.mark.parametrize("kind", [True, False])
def test_a_reset_in_the_middle_of_a_chunk_is_resumed_at_the_registrys_offset(run, kind: bool) -> None:
    """Keep the first half of a chunk: ACR then cancels the session, other registries respond with their offset."""
    host = BlobHost(kind=kind)

    def half(sent: Sent, number: int) -> RawResponse | None:
        if (sent.method, number) != ("PATCH", 2):
            return None
        host.sessions[sent.path.rpartition("/")[2]] += sent.body[:3000]
        return reset()

    host.fault = half
    one = run(host)
    one()
    ranges = [sent.headers["content-range"] for sent in one.server.requests if sent.method == "PATCH"]
    assert ranges[:3] == ["0-8191", "8192-16383", "11192-16383" if kind else "0-10239"]
    stored(one)


def test_413_halves_the_chunk(run) -> None:
    one = run(BlobHost(most=3 * KIB))
    one()
    sizes = [len(sent.body) for sent in one.server.requests if sent.method == "PATCH"]
    assert sizes[:2] == [8 * KIB, 4 * KIB]
    assert set(sizes[2:]) == {2 * KIB}
    stored(one)


def test_413_to_a_single_put_continues_in_chunks(run) -> None:
    one = run(BlobHost(most=3 * KIB))
    one(b"x" * 4 * KIB)
    assert [len(sent.body) for sent in one.server.requests if sent.method != "GET"] == [0, 4 * KIB, 2 * KIB, 2 * KIB]
    stored(one, b"x" * 4 * KIB)


def test_413_to_the_smallest_chunk_is_final(run) -> None:
    one = run(BlobHost(most=10))
    with pytest.raises(errors.RejectedError, match="status 413"):
        one()
    assert one.methods().count("PATCH") == 4


def test_416_queries_the_offset(run) -> None:
    one = run(BlobHost(once("PATCH", 2, respond(416))))
    one()
    assert one.methods()[2:5] == ["PATCH", "GET", "PATCH"]
    stored(one)


@pytest.mark.parametrize(("status", "restarts"), [(404, MOST_LOST_SESSIONS), (416, MOST_RESTARTS)])
def test_a_registry_that_refuses_every_chunk_is_given_up(run, status: int, restarts: int) -> None:
    one = run(BlobHost(lambda sent, number: respond(status) if sent.method == "PATCH" else None))
    with pytest.raises(errors.RegistryError, match=f"status {status}|does not exist|lost"):
        one()
    assert one.methods().count("PATCH") == restarts + 1


def test_a_lost_session_begins_again(run) -> None:
    host = BlobHost()
    host.fault = host.drop_at_fourth_chunk
    one = run(host)
    one()
    assert one.methods().count("POST") == 2
    stored(one)


def test_a_session_that_is_lost_after_every_chunk_is_given_up(run) -> None:
    host = BlobHost()

    def lose(sent: Sent, number: int) -> RawResponse | None:
        if sent.method != "PATCH" or number % 2:
            return None
        host.drop_sessions()
        return reset()

    host.fault = lose
    with pytest.raises(errors.ConnectionFailedError, match="upload sessions, and the upload gets no further"):
        run(host)()
    # The first session was lost after its first chunk, and so are the next seven.
    assert host.counts["POST"] == 8


def test_a_broken_connection_is_given_up_after_six_tries_without_progress(run) -> None:
    one = run(BlobHost(lambda sent, number: reset() if sent.method == "PATCH" else None))
    with pytest.raises(errors.ConnectionFailedError):
        one()
    assert one.methods().count("PATCH") == 6


def test_a_connection_that_breaks_after_each_chunk_gets_there(run) -> None:
    one = run(BlobHost(lambda sent, number: reset() if sent.method == "PATCH" and number % 2 else None))
    one()
    stored(one)


class Forgetful(BlobHost):
    """Confirms every other chunk, then forgets all chunks and responds *then*: no upload gets to its end."""

    def __init__(self, then: RawResponse | None) -> None:
        super().__init__(self._forget)
        self.then = then
        self.sent = 0

    def _forget(self, sent: Sent, number: int) -> RawResponse | None:
        self.sent += len(sent.body)
        if sent.method != "PATCH" or number % 2:
            return None
        for session in self.sessions.values():
            session.clear()
        if self.then is None:
            self.drop_sessions()
            return respond(404)
        return self.then


FORGETS = {"416": respond(416), "404": None, "503": respond(503, Retry_After="0"), "reset": reset()}


@pytest.mark.parametrize("then", FORGETS.values(), ids=FORGETS)
def test_chunks_that_are_confirmed_and_forgotten_are_not_progress(run, then: RawResponse | None) -> None:
    host = Forgetful(then)
    with pytest.raises((errors.RegistryError, errors.ConnectionFailedError)) as caught:
        run(host)()
    # The chunks of the third session get 8 KiB further than those of the first: then three times the size are left.
    assert host.sent <= 3 * len(DATA) + 8 * KIB + 2 * (8 + 10 + 16) * KIB
    if then in (None, FORGETS["416"]):
        assert f"sent {host.sent:,} bytes for a blob of {len(DATA):,}" in caught.value.message


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("step", [1, 64])
def test_progress_in_words_ends_with_the_bytes(run, step: int, stream: bool) -> None:
    """Claim a little more each time, and never take a whole chunk: each step is progress, and costs a chunk."""
    host, sent_bytes = BlobHost(kind=True), [0]

    def creep(sent: Sent, number: int) -> RawResponse | None:
        sent_bytes[0] += len(sent.body)
        if sent.method != "PATCH":
            return None
        host.sessions[sent.path.rpartition("/")[2]] += sent.body[:step]
        return reset()

    host.fault = creep
    source = StreamSource(lambda: iter([DATA[at : at + 100] for at in range(0, len(DATA), 100)]), "", 1 << 40)
    with pytest.raises(errors.ConnectionFailedError, match=r"does not get to its end.*sent [\d,]+ bytes") as caught:
        run(host)(source=source if stream else None)
    # Until a generated blob has been read once, its size is not known.
    assert sent_bytes[0] <= 3 * (9 * KIB if stream else len(DATA)) + 8 * KIB
    assert "resumes" in caught.value.hint


def test_a_registry_that_claims_more_than_was_sent_is_given_up(run) -> None:
    """Claim another MiB each time: without bytes to send, only the tries end it."""
    claimed = itertools.count(1 << 20, 1 << 20)

    def claim(sent: Sent, number: int) -> RawResponse | None:
        if sent.method == "GET":
            return RawResponse(
                b"HTTP/1.1 204 X\r\nRange: 0-%d\r\nLocation: %s\r\n\r\n" % (next(claimed), sent.target.encode())
            )
        return None if sent.method == "POST" else reset()

    one = run(BlobHost(claim))
    with pytest.raises(errors.ConnectionFailedError):
        one()
    assert len(one.methods()) < 30


def test_sessions_that_are_lost_after_progress_begin_again_as_often_as_it_takes(run) -> None:
    """Lose the session four times in all, each time after a chunk more than before."""
    host, data = BlobHost(), DATA + DATA[::-1] + DATA
    lost: list[int] = []

    def lose(sent: Sent, number: int) -> None:
        offset = int(sent.headers["content-range"].split("-")[0]) if sent.method == "PATCH" else 0
        if offset > max(lost, default=0) and len(lost) < 4:
            lost.append(offset)
            host.drop_sessions()

    host.fault = lose
    one = run(host)
    one(data)
    assert len(lost) == 4
    stored(one, data)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, errors.RejectedError), (405, errors.LockedError), (307, errors.ProtocolError)]
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_a_refusal_is_final(run, method: str, status: int, kind: type) -> None:
    one = run(BlobHost(once(method, 1, respond(status, Location="https://evil.example/"))))
    with pytest.raises(kind):
        one()
    assert one.methods().count(method) == 1


def test_another_digest_than_the_sent_one_is_an_error(run) -> None:
    one = run(BlobHost(once("PUT", 1, respond(201, Docker_Content_Digest=digest_of(b"")))))
    with pytest.raises(errors.DigestMismatchError, match="other bytes"):
        one()


def test_a_finish_whose_response_was_lost_is_not_sent_twice_when_the_blob_exists(run) -> None:
    host = BlobHost(once("PUT", 1, "lost"))
    one = run(host)
    identity, sent = one(exists=lambda identity: identity.digest in host.blobs)
    assert (identity.digest, sent) == (digest_of(DATA), True)
    assert one.methods().count("PATCH") == 4
    stored(one)


TEN = DATA + DATA[::-1]
"""Ten chunks of 8 KiB, as 160 MiB are ten of 16 MiB."""
HUNDRED = 10 * TEN


def losing(numbers: Container[int], most: int = 20 * KIB // 2) -> BlobHost:
    """Return a host that loses the responses to the PATCH requests with *numbers*. As ACR refuses bodies of more than
    about 20 MiB, this one refuses more than *most* bytes."""
    return BlobHost(lambda sent, n: "lost" if sent.method == "PATCH" and n in numbers else None, most=most)


@pytest.mark.parametrize(
    ("numbers", "sessions", "times"),
    [((3,), 2, 1.4), ((2, 5, 10, 13, 16), 6, 3.5), (range(8, 1000, 8), 2, 1.9)],
    ids=["one", "five", "every-eighth"],
)
def test_lost_responses_end_no_upload_that_makes_progress(run, numbers, sessions: int, times: float) -> None:
    one = run(losing(numbers))
    one(TEN)
    stored(one, TEN)
    assert one.methods().count("POST") == sessions
    sent = sum(len(request.body) for request in one.server.requests)
    assert sent <= times * len(TEN)
    *lost, last = [note for note in one.notes if not note.startswith("Waiting")]
    assert len(lost) == sessions - 1
    said = r"The registry dropped the upload session for sha256:\w+: ([\d,]+|no) .*"
    assert all(re.fullmatch(said, note) for note in lost)
    assert f"needed {sessions} upload sessions: sent " in last


def test_five_lost_sessions_in_a_row_end_no_upload(run) -> None:
    host = BlobHost()

    def lose(sent: Sent, number: int) -> RawResponse | None:
        if sent.method != "PATCH" or number not in range(2, 7):
            return None
        host.drop_sessions()
        return reset()

    host.fault = lose
    one = run(host)
    one(HUNDRED)
    stored(one, HUNDRED)
    assert one.methods().count("POST") == 6


def test_a_connection_that_loses_too_many_responses_is_given_up(run) -> None:
    """No more than four chunks of ten KiB arrive before a response is lost, and with the last one 50 KiB of 80."""
    one = run(losing(range(5, 1000, 5)))
    with pytest.raises(errors.ConnectionFailedError, match="upload sessions, and the upload gets no further") as caught:
        one(TEN)
    sent = sum(len(request.body) for request in one.server.requests)
    assert "it was reset; at most 40,960 bytes were confirmed; sent " in caught.value.message
    assert f"sent {sent:,} bytes for a blob of 81,920" in caught.value.message
    assert "smaller files" in caught.value.hint


def test_an_upload_that_the_registry_completed_is_no_loss(run) -> None:
    """Lose three sessions in a row, then only the response to the PUT that completes the blob."""
    host = BlobHost()

    def lose(sent: Sent, number: int) -> str | None:
        if sent.method == "PUT" and number < 4:
            host.drop_sessions()
        return "lost" if sent.method == "PUT" else None

    host.fault = lose
    one = run(host)
    assert one(exists=lambda identity: identity.digest in host.blobs)[1] is True
    stored(one)
    assert host.counts["PUT"] == 4


def test_requests_that_break_off_become_smaller(run) -> None:
    """Break every request of more than 3 KiB, and keep nothing of it: smaller ones get through."""
    one = run(BlobHost(lambda sent, number: reset() if len(sent.body) > 3 * KIB else None))
    one()
    stored(one)
    assert max(len(sent.body) for sent in one.server.requests[-5:]) == 2 * KIB
