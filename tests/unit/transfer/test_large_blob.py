"""One large blob that several jobs receive: one of them completes it, whatever the others do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.storage import COPIED, SKIPPED
from azext_acrartifact.transfer.large_blob import LargeBlob
from azext_acrartifact.transfer.repository_storage import RepositoryStorage
from azext_acrartifact.transfer.sizes import TransferSizes
from tests.support.server import reset
from tests.support.threads import run_all
from tests.support.uploads import BlobHost
from tests.unit.transfer.conftest import BLOB, DATA, MemoryFile

SIZES = TransferSizes(block=1024, shortest_range=2, longest_range=2)


class NotedFile(MemoryFile):
    def __init__(self) -> None:
        super().__init__(len(DATA))
        self.calls: list[str] = []

    def commit(self) -> None:
        self.calls.append("commit")

    def discard(self) -> None:
        self.calls.append("discard")


def large(storage: RepositoryStorage, open_file: Callable[[], NotedFile | None]) -> LargeBlob:
    return LargeBlob(storage, BLOB, open_file, storage.registry.http, lambda size: None, SIZES)


@pytest.mark.parametrize("jobs", [1, 8])
def test_one_job_completes_the_blob_and_says_so(source, jobs: int) -> None:
    file, states = NotedFile(), []
    blob = large(source(BlobHost()), lambda: file)
    run_all(lambda: states.append(blob.work()) for _ in range(jobs))
    assert [state for state in states if state] == [COPIED]
    assert (bytes(file.data), file.calls, blob.work()) == (DATA, ["commit", "discard"], None)


def test_a_blob_that_exists_is_skipped_once(source) -> None:
    blob = large(source(BlobHost()), lambda: None)
    assert [blob.work() for _ in range(3)] == [SKIPPED, None, None]


def test_after_a_failure_nothing_is_committed(source) -> None:
    file = NotedFile()
    blob = large(source(BlobHost(lambda sent, number: reset() if number > 3 else None)), lambda: file)
    with pytest.raises(errors.ConnectionFailedError):
        blob.work()
    assert (file.calls, blob.work()) == (["discard"], None)


def test_a_file_that_cannot_be_opened_is_opened_once(source) -> None:
    def refuse() -> NotedFile:
        raise errors.LocalFileError("No permission")

    blob = large(source(BlobHost()), refuse)
    with pytest.raises(errors.LocalFileError):
        blob.work()
    assert blob.work() is None
