"""A blob that several jobs download for one reader in order: the bytes are right, or there is an error."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.transfer.read_ahead import ReadAhead
from azext_acrartifact.transfer.sizes import TransferSizes
from tests.support.server import Sent, reset
from tests.support.uploads import BlobHost
from tests.unit.transfer.conftest import BLOB, DATA, KIB, cut

SIZES = TransferSizes(ahead=4 * KIB, buffer=KIB)


class Reading:
    """One download, with the bytes that it reports and what its helpers raised."""

    def __init__(self, storage) -> None:
        self.moved = 0
        self.errors: list[BaseException] = []
        self.download = ReadAhead(storage, BLOB, storage.registry.http, self._advance, SIZES)

    def _advance(self, size: int) -> None:
        self.moved += size

    def _help(self) -> None:
        try:
            self.download.help()
        except errors.ArtifactError as error:
            self.errors.append(error)

    @contextmanager
    def helped(self, helpers: int) -> Iterator[None]:
        """Let *helpers* threads help; check that all of them end."""
        threads = [threading.Thread(target=self._help) for _ in range(helpers)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.download.close()
            for thread in threads:
                thread.join(10)
            assert not any(thread.is_alive() for thread in threads)

    def all(self, size: int = 3000) -> bytes:
        """Read to the end, *size* bytes at a time, and verify."""
        data = b"".join(iter(lambda: self.download.read(size), b""))
        self.download.drain()
        return data


def first_byte(sent: Sent) -> int:
    """Return the first byte that a request asks for."""
    return int(sent.headers.get("range", "bytes=0-")[6:].split("-")[0])


@pytest.mark.parametrize("helpers", [0, 1, 3, 7])
def test_the_bytes_arrive_in_order(source, helpers: int) -> None:
    storage = source(BlobHost())
    reading = Reading(storage)
    with reading.helped(helpers):
        assert (reading.all(), reading.moved, reading.errors) == (DATA, len(DATA), [])
    assert len(storage.server.requests) == 10


@pytest.mark.parametrize("helpers", [0, 3])
@pytest.mark.parametrize("after", [0, 1, 3000])
def test_a_break_is_resumed_at_its_byte(source, helpers: int, after: int) -> None:
    storage = source(BlobHost(lambda sent, number: cut(after, DATA[: 4 * KIB]) if number == 1 else None))
    reading = Reading(storage)
    with reading.helped(helpers):
        assert (reading.all(), reading.moved) == (DATA, len(DATA))


@pytest.mark.parametrize("helpers", [0, 1, 3])
def test_a_host_without_ranges_is_read_in_order(source, helpers: int) -> None:
    storage = source(BlobHost(ranges=False))
    reading = Reading(storage)
    with reading.helped(helpers):
        assert (reading.all(), reading.moved) == (DATA, len(DATA))
    assert len(storage.server.requests) <= 3 + helpers


def test_helpers_stay_near_the_reader(source) -> None:
    """Limit what waits in memory until it is read."""
    storage = source(BlobHost())
    reading = Reading(storage)
    with reading.helped(2):
        reading.download.read(1)
        threading.Event().wait(0.3)
        assert len(storage.server.requests) == 4
        assert reading.all() == DATA[1:]


def test_wrong_bytes_are_refused(source) -> None:
    reading = Reading(source(BlobHost(blobs={BLOB.digest: b"?" * len(DATA)})))
    with reading.helped(3), pytest.raises(errors.DigestMismatchError):
        reading.all()


def test_a_helper_that_fails_ends_the_reader(source) -> None:
    reading = Reading(source(BlobHost(lambda sent, number: reset() if first_byte(sent) else None)))
    with reading.helped(3), pytest.raises((errors.CancelledError, errors.ConnectionFailedError)):
        reading.all()
    assert any(isinstance(error, errors.ConnectionFailedError) for error in reading.errors)


def test_cancelling_ends_all(source) -> None:
    storage = source(BlobHost())
    reading = Reading(storage)
    with reading.helped(3):
        storage.registry.http.waiter.cancelled.set()
        with pytest.raises(errors.CancelledError):
            reading.all()


def test_a_small_blob_needs_no_help(source) -> None:
    storage = source(BlobHost())
    small = Descriptor("x", BLOB.digest, 5)
    assert ReadAhead(storage, small, storage.registry.http, lambda size: None, SIZES).most_helpers == 0
