"""Blobs that are relayed from one storage to another, whatever breaks on either side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.content import Memory
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.mediatypes import LAYER
from azext_acrartifact.oci.storage import COPIED, MOUNTED, SKIPPED
from azext_acrartifact.transfer.relay import RelaySource
from azext_acrartifact.transfer.repository_storage import RepositoryStorage
from tests.support.server import respond
from tests.support.uploads import BlobHost
from tests.unit.transfer.conftest import BLOB, DATA, KIB, Run


class Source:
    """A storage of *data* that breaks each response after *after* bytes, *times* times."""

    def __init__(self, data: bytes = DATA, after: int = 1 << 40, times: int = 1 << 40, ranges: bool = True) -> None:
        self.data, self.after, self.times, self.ranges = data, after, times, ranges
        self.offsets: list[int] = []
        self.given = 0
        self.open = 0

    def fetch(self, blob: Descriptor, offset: int = 0, length: int | None = None) -> Stream:
        self.offsets.append(offset)
        self.open += 1
        return Stream(self, offset if self.ranges else 0)


class Stream:
    """The bytes of one response."""

    def __init__(self, source: Source, offset: int) -> None:
        self.offset = self._at = offset
        self._source, self._left = source, source.after

    def readinto(self, buffer: memoryview) -> int:
        source = self._source
        if self._left <= 0 and source.times > 0:
            source.times -= 1
            raise errors.ConnectionFailedError("The connection failed", why="it broke")
        count = min(len(buffer), max(self._left, 1), 3000, len(source.data) - self._at)
        buffer[:count] = source.data[self._at : self._at + count]
        self._at += count
        self._left -= count
        source.given += count
        return count

    def close(self) -> None:
        self._source.open -= 1


class Relay(Run):
    """Relays to one target."""

    def __call__(self, source: object, blob: Descriptor = BLOB) -> str:  # type: ignore[override]
        return self.storage.receive(blob, source, self._advance)  # type: ignore[arg-type]

    def count(self, method: str) -> int:
        return self.methods().count(method)


@pytest.fixture
def run(serve, registry) -> Callable[..., Relay]:
    return lambda host=None, folder=None: Relay(serve, registry, host or BlobHost(), folder)


def test_a_blob_is_read_once_and_in_one_response(run) -> None:
    source, target = Source(), run()
    assert target(source) == COPIED
    assert target.host.blobs == {BLOB.digest: DATA}
    assert (source.offsets, source.given, source.open, target.moved) == ([0], len(DATA), 0, len(DATA))
    assert target.count("PATCH") == 4


@pytest.mark.parametrize("size", [0, 1, 4 * KIB, 4 * KIB + 1])
def test_of_any_size(run, size: int) -> None:
    data = DATA[:size]
    target = run()
    assert target(Source(data), Descriptor(LAYER, digest_of(data), size)) == COPIED
    assert target.host.blobs == {digest_of(data): data}


def test_an_existing_blob_is_not_read(run) -> None:
    source, target = Source(), run(BlobHost(blobs={BLOB.digest: DATA}))
    assert target(source) == SKIPPED
    assert (source.offsets, target.count("POST")) == ([], 0)


def test_the_rest_is_read_from_a_source_that_breaks(run) -> None:
    source, target = Source(after=9000, times=3), run()
    assert target(source) == COPIED
    assert target.host.blobs == {BLOB.digest: DATA}
    assert (source.offsets, source.given) == ([0, 9000, 18000, 27000], len(DATA))
    assert target.count("PATCH") == 4


def test_a_source_that_cannot_begin_in_the_middle_is_read_past_what_was_sent(run) -> None:
    source, target = Source(after=30_000, times=1, ranges=False), run()
    assert target(source) == COPIED
    assert target.host.blobs == {BLOB.digest: DATA}
    assert source.given == 30_000 + len(DATA)


def test_a_response_that_ends_among_the_sent_bytes_is_a_break(run) -> None:
    source, target = Source(after=30_000, times=1, ranges=False), run()
    fetch = source.fetch

    def cut(blob: Descriptor, offset: int = 0, length: int | None = None) -> Stream:
        source.data = DATA[:10_000] if len(source.offsets) == 1 else DATA
        return fetch(blob, offset, length)

    source.fetch = cut  # type: ignore[method-assign]
    assert target(source) == COPIED
    assert target.host.blobs == {BLOB.digest: DATA}
    assert len(source.offsets) == 3


def test_a_source_that_stays_broken_ends_it(run, tmp_path: Path) -> None:
    source = Source(after=0)
    target = run(folder=tmp_path)
    with pytest.raises(errors.ConnectionFailedError, match="it broke"):
        target(source)
    assert len(source.offsets) == 6
    assert (target.moved, source.open) == (0, 0)


@pytest.mark.parametrize(("after", "why"), [(1 << 40, r"sent [\d,]+ bytes for a blob of 40,960"), (5000, "it broke")])
def test_a_target_that_forgets_ends_it(run, after: int, why: str) -> None:
    def forget(sent, number):
        if sent.method == "PATCH" and number % 2 == 0:
            target.host.drop_sessions()
            return respond(404)
        return None

    source, target = Source(after=after), run(BlobHost(forget))
    with pytest.raises(errors.ArtifactError, match=why):
        target(source)
    # The chunks of the third session get 8 KiB further than those of the first: then three times the size are left.
    assert source.given <= 3 * len(DATA) + 8 * KIB + 2 * (8 + 10 + 16) * KIB


def test_a_source_is_read_again_as_often_as_the_target_loses_what_it_had(run) -> None:
    """Lose four sessions, three of them one chunk later than the one before."""
    lost = (2, 5, 9, 13)
    source, target = Source(), run(BlobHost(lambda sent, number: "lost" if number in lost and sent.body else None))
    target.storage.sizes = replace(target.storage.sizes, larger_chunk=8 * KIB, largest_chunk=8 * KIB)
    assert target(source) == COPIED
    assert target.host.blobs == {BLOB.digest: DATA}
    assert source.given == (2 + 3 + 4 + 4 + 5) * 8 * KIB > 3 * len(DATA) + 8 * KIB


def test_a_target_that_breaks_gets_the_rest(run) -> None:
    def lose(sent, number):
        return "lost" if sent.method == "PATCH" and number in (2, 4) else None

    source, target = Source(), run(BlobHost(lose, kind=True))
    assert target(source) == COPIED
    assert target.host.blobs == {BLOB.digest: DATA}
    assert (target.moved, source.given) == (len(DATA), len(DATA))


def test_a_chunk_that_was_refused_is_read_again(run) -> None:
    def refuse(sent, number):
        return respond(503) if sent.method == "PATCH" and number == 3 else None

    source, target = Source(), run(BlobHost(refuse))
    assert target(source) == COPIED
    assert target.host.blobs == {BLOB.digest: DATA}
    assert (source.offsets, source.given) == ([0, 16 * KIB], len(DATA) + 8 * KIB)


def test_a_lost_session_begins_at_the_first_byte(run) -> None:
    def lose(sent, number):
        return respond(404) if sent.method == "PATCH" and number == 4 else None

    source, target = Source(), run(BlobHost(lose))
    assert target(source) == COPIED
    assert target.host.blobs == {BLOB.digest: DATA}
    assert source.offsets == [0, 0]


@pytest.mark.parametrize("size", [100, len(DATA)])
@pytest.mark.parametrize("where", [0, -1])
def test_a_wrong_byte_never_completes_an_upload(run, tmp_path: Path, size: int, where: int) -> None:
    wrong = bytearray(DATA[:size])
    wrong[where] ^= 1
    target = run(folder=tmp_path)
    with pytest.raises(errors.DigestMismatchError, match="does not match its digest"):
        target(Source(bytes(wrong)), Descriptor(LAYER, digest_of(DATA[:size]), size))
    assert not target.host.blobs
    # The registry would have noticed as well. What counts is that the upload was not even finished.
    last = min(size, 8 * KIB)
    assert not any(request.method == "PUT" and len(request.body) >= last for request in target.server.requests)
    assert not list(tmp_path.iterdir())


def test_a_source_that_stays_too_short_ends_it(run) -> None:
    target = run()
    with pytest.raises(errors.ConnectionFailedError, match="ended early"):
        target(Source(DATA[:-1]))
    assert not target.host.blobs


def test_another_run_resumes_a_killed_one(run, tmp_path: Path) -> None:
    class KilledError(BaseException):
        pass

    class Killed(Stream):
        def readinto(self, buffer: memoryview) -> int:
            if self._at >= 20_000:
                raise KilledError
            return super().readinto(buffer)

    class Dying(Source):
        def fetch(self, blob: Descriptor, offset: int = 0, length: int | None = None) -> Stream:
            self.open += 1
            return Killed(self, offset)

    target, source = run(folder=tmp_path), Source()
    with pytest.raises(KilledError):
        target(Dying())
    assert target.moved == 16 * KIB
    assert target(source) == COPIED
    assert target.host.blobs == {BLOB.digest: DATA}
    whole = [request for request in target.server.requests if len(request.body) == 8 * KIB]
    assert (len(whole), source.offsets, target.count("POST")) == (5, [0], 1)


def test_another_run_verifies_all_that_an_earlier_one_has_sent(run, tmp_path: Path) -> None:
    def refuse(sent, number):
        return respond(418) if sent.method == "PUT" and number == 1 else None

    target, wrong = run(BlobHost(refuse), tmp_path), Source(b"x" + DATA[1:])
    with pytest.raises(errors.RejectedError):
        target(Source())
    with pytest.raises(errors.DigestMismatchError):
        target(wrong)
    # The last PUT breaks off at the wrong bytes, perhaps before the server has read its head.
    assert (wrong.given, target.count("PATCH")) == (len(DATA), 4)
    assert target.count("PUT") in (1, 2)
    assert target(Source()) == COPIED
    assert target.host.blobs == {BLOB.digest: DATA}


def test_a_mount_moves_nothing(run) -> None:
    def mount(sent, number):
        return respond(201, Location="/v2/a/blobs/x") if "mount=" in sent.query else None

    target = run(BlobHost(mount))
    assert target(RepositoryStorage(target.registry, "b")) == MOUNTED
    [request] = target.server.requests
    assert (request.method, request.path) == ("POST", "/v2/a/blobs/uploads/")
    assert request.query == f"mount=sha256%3A{BLOB.digest[7:]}&from=b"


def test_a_mount_that_is_not_granted_uses_the_session_that_came_instead(run) -> None:
    def read(sent, number):
        return respond(200, DATA) if sent.method == "GET" and sent.path.startswith("/v2/b/") else None

    target = run(BlobHost(read))
    assert target(RepositoryStorage(target.registry, "b")) == COPIED
    assert target.host.blobs == {BLOB.digest: DATA}
    assert target.count("POST") == 1


def test_no_mount_from_another_sign_in(run, registry) -> None:
    target = run(BlobHost(lambda sent, number: respond(200, DATA) if sent.method == "GET" else None))
    assert target(RepositoryStorage(registry(target.server), "b")) == COPIED
    assert not [request for request in target.server.requests if "mount" in request.query]


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_mount_that_is_not_possible_is_an_upload(run, status: int) -> None:
    def refuse(sent, number):
        if "mount=" in sent.query:
            return respond(status)
        return respond(200, DATA) if sent.method == "GET" and sent.path.startswith("/v2/b/") else None

    target = run(BlobHost(refuse))
    assert target(RepositoryStorage(target.registry, "b")) == COPIED
    assert target.host.blobs == {BLOB.digest: DATA}


@pytest.mark.parametrize(
    ("status", "kind"), [(403, errors.PermissionDeniedError), (405, errors.LockedError), (500, errors.ServerFaultError)]
)
def test_a_mount_that_the_target_refuses_is_an_error(run, status: int, kind: type) -> None:
    target = run(BlobHost(lambda sent, number: respond(status) if "mount=" in sent.query else None))
    with pytest.raises(kind, match="Could not mount"):
        target(RepositoryStorage(target.registry, "b"))


def test_few_marks_are_stored(http) -> None:
    relay = RelaySource(Source(), BLOB, http.attempts(), "")
    for offset in range(0, len(DATA), KIB):
        chunk = relay.chunk(offset, KIB)
        assert chunk is not None
        reader = chunk.open()
        while reader.readinto(memoryview(bytearray(100))):  # type: ignore[union-attr]
            pass
    assert relay.chunk(len(DATA), KIB) is None
    assert len(relay._marks) <= 5
    assert Memory(DATA).size == relay.size == relay.expected
