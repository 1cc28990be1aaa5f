"""A blob over one connection: whatever breaks, the bytes are right or there are none."""

from __future__ import annotations

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.transfer.download import BlobDownload
from azext_acrartifact.transfer.repository_storage import RepositoryStorage
from azext_acrartifact.transfer.sizes import DEFAULT_SIZES, TransferSizes
from tests.support.server import RawResponse, Sent, reset, respond
from tests.support.uploads import BlobHost
from tests.unit.transfer.conftest import BLOB, DATA, KIB, MemoryFile, cut, cut_without_length


def load(storage, blob: Descriptor = BLOB, sizes: TransferSizes = DEFAULT_SIZES) -> tuple[MemoryFile, int]:
    file, moved = MemoryFile(), [0]

    def advance(size: int) -> None:
        moved[0] += size

    BlobDownload(storage, blob, storage.registry.http.attempts(), advance, sizes).into(file)
    return file, moved[0]


@pytest.mark.parametrize("data", [b"", b"x", DATA])
def test_the_bytes_arrive(source, data: bytes) -> None:
    host = BlobHost(blobs={digest_of(data): data})
    file, moved = load(source(host), Descriptor("x", digest_of(data), len(data)))
    assert (bytes(file.data), moved, file.restarts) == (data, len(data), 0)


@pytest.mark.parametrize("after", [0, 1, 20_000, len(DATA) - 1])
def test_a_break_is_resumed_at_its_byte(source, after: int) -> None:
    storage = source(BlobHost(lambda sent, number: cut(after) if number == 1 else None))
    file, moved = load(storage)
    assert (bytes(file.data), moved, file.restarts) == (DATA, len(DATA), 0)
    assert len(storage.server.requests) == 2


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("after", [0, 20_000, len(DATA) - 1])
def test_a_response_without_a_length_that_ends_early_is_resumed(source, after: int, ranges: bool) -> None:
    storage = source(BlobHost(lambda sent, number: cut_without_length(after) if number == 1 else None, ranges=ranges))
    file, moved = load(storage)
    assert (bytes(file.data), moved, file.restarts) == (DATA, len(DATA), 0)
    assert len(storage.server.requests) == 2


@pytest.mark.parametrize("short", [DATA[:-1], b""])
def test_a_blob_that_stays_too_short_is_given_up(source, short: bytes) -> None:
    storage = source(BlobHost(blobs={BLOB.digest: short}))
    with pytest.raises(errors.ConnectionFailedError, match=f"at byte {len(short):,} instead of {len(DATA):,}"):
        load(storage)
    assert len(storage.server.requests) < 20


def test_a_connection_that_breaks_again_and_again_gets_there(source) -> None:
    def fault(sent: Sent, number: int) -> RawResponse | None:
        first = int(sent.headers.get("range", "bytes=0-")[6:-1])
        if first > 39_000:
            return None
        rest = DATA[first:]
        partial = respond(206 if first else 200, rest, Content_Range=f"bytes {first}-{len(DATA) - 1}/{len(DATA)}")
        return RawResponse(partial.raw[: len(partial.raw) - len(rest) + 4000], "close")

    file, moved = load(source(BlobHost(fault)))
    assert (bytes(file.data), moved) == (DATA, len(DATA))


def test_a_connection_that_stays_broken_is_given_up(source) -> None:
    storage = source(BlobHost(lambda sent, number: cut(100) if number == 1 else reset()))
    with pytest.raises(errors.ConnectionFailedError):
        load(storage)
    assert len(storage.server.requests) < 50


@pytest.mark.parametrize("again", [5_000, 30_000])
def test_bytes_that_a_host_without_ranges_sends_again_are_skipped(source, again: int) -> None:
    host = BlobHost(lambda sent, number: cut([20_000, again][number - 1]) if number < 3 else None, ranges=False)
    file, moved = load(source(host))
    assert (bytes(file.data), moved, file.restarts) == (DATA, len(DATA), 0)


def test_a_host_that_never_gets_further_is_given_up(source) -> None:
    host = BlobHost(lambda sent, number: cut(20_000), ranges=False)
    with pytest.raises(errors.ConnectionFailedError):
        load(source(host))


def test_bytes_of_two_responses_that_do_not_fit_are_downloaded_again_once(source) -> None:
    wrong = b"?" * 20_000
    host = BlobHost(lambda sent, number: cut(20_000, wrong + DATA[20_000:]) if number == 1 else None)
    file, moved = load(source(host))
    assert (bytes(file.data), moved, file.restarts) == (DATA, len(DATA), 1)


@pytest.mark.parametrize("wrong", [b"?" * len(DATA), DATA + b"x"])
def test_wrong_bytes_are_final(source, wrong: bytes) -> None:
    storage = source(BlobHost(blobs={BLOB.digest: wrong}))
    with pytest.raises(errors.DigestMismatchError):
        load(storage)
    assert len(storage.server.requests) == 1


class Creeping(BlobHost):
    """Ignores Range, and breaks *step* bytes later each time: every response makes a little progress."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__(self._break, blobs={digest_of(data): data})
        self.data, self.step = data, step
        self.given = 0

    def _break(self, sent: Sent, number: int) -> RawResponse:
        after = min(number * self.step, len(self.data) - 1)
        self.given += after
        return cut(after, self.data)


def test_a_host_that_breaks_a_little_later_each_time_is_given_up(source) -> None:
    host = Creeping(DATA, 1000)
    with pytest.raises(errors.ConnectionFailedError, match=r"does not get to its end.*fetched [\d,]+ bytes") as caught:
        load(source(host), sizes=TransferSizes(chunk=KIB))
    assert host.given <= 3 * len(DATA) + KIB
    assert f"for a blob of {len(DATA):,}" in caught.value.message


def test_a_blob_that_is_another_one_after_each_break_is_given_up(source) -> None:
    """Break every download in the middle, and resume it with other bytes."""
    storage = source(BlobHost(lambda sent, number: None if "range" in sent.headers else cut(20_000, b"?" * len(DATA))))
    with pytest.raises(errors.DigestMismatchError, match=rf"fetched {4 * len(DATA):,} bytes for a blob of"):
        load(storage)
    assert len(storage.server.requests) == 8


def test_wrong_bytes_stay_wrong_after_a_restart(source) -> None:
    host = BlobHost(lambda sent, number: cut(20_000) if number == 1 else None, blobs={BLOB.digest: b"?" * len(DATA)})
    storage = source(host)
    with pytest.raises(errors.DigestMismatchError):
        load(storage)
    assert len(storage.server.requests) == 3


def test_an_expired_storage_address_is_asked_for_anew(serve, registry) -> None:
    storage_host = serve(respond(403, b"<Error/>"), respond(200, DATA))
    server = serve(*[respond(307, Location=f"{storage_host.url}/x?sig={n}") for n in range(2)])
    opened = registry(server)
    storage = RepositoryStorage(opened, "a")
    storage.opened = opened  # type: ignore[attr-defined]
    file, _ = load(storage)
    assert bytes(file.data) == DATA
    assert [sent.query for sent in storage_host.requests] == ["sig=0", "sig=1"]


def test_a_storage_that_always_refuses_is_given_up(serve, registry) -> None:
    storage_host = serve(lambda sent: respond(403), forever=True)
    server = serve(lambda sent: respond(307, Location=f"{storage_host.url}/x"), forever=True)
    opened = registry(server)
    with pytest.raises(errors.ConnectionFailedError, match="refused its own address"):
        RepositoryStorage(opened, "a").fetch(BLOB)
    assert len(storage_host.requests) == 6
