"""Uploads and downloads of a blob of 40 KiB, over sizes that make it a large one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from azext_acrartifact.oci.content import Memory
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.transfer.repository_storage import RepositoryStorage
from azext_acrartifact.transfer.sizes import TransferSizes
from azext_acrartifact.transfer.upload_sessions import UploadSessions
from azext_acrartifact.transfer.upload_source import FileSource, Identity
from tests.support.server import RawResponse, respond
from tests.support.uploads import BlobHost

KIB = 1024
DATA = bytes(range(256)) * 4 * 40  # 40 KiB
BLOB = Descriptor("text/plain", digest_of(DATA), len(DATA))
SIZES = TransferSizes(single=4 * KIB, chunk=8 * KIB, smallest_chunk=KIB, larger_chunk=10 * KIB, largest_chunk=16 * KIB)
"""Chunks of 8 KiB, so that 40 KiB are five; after a lost session of 10 KiB, then of 16."""


class MemoryFile:
    """A file in memory, written in order or in ranges."""

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
            found = self.data[offset : offset + len(buffer)]
        self.read_back += len(found)
        buffer[: len(found)] = found
        return len(found)

    def mark(self, number: int) -> None:
        self.done.add(number)

    def forget(self, numbers: Collection[int]) -> None:
        self.done.difference_update(numbers)
        self.restarts += 1


@pytest.fixture
def source(serve, registry) -> Callable[[BlobHost], RepositoryStorage]:
    """Open the repository of a host that has `BLOB`."""

    def open_source(host: BlobHost) -> RepositoryStorage:
        host.blobs.setdefault(BLOB.digest, DATA)
        server = serve(host, forever=True)
        storage = RepositoryStorage(registry(server), "a")
        storage.server = server  # type: ignore[attr-defined]
        return storage

    return open_source


def cut(after: int, data: bytes = DATA, status: int = 200) -> RawResponse:
    """Return a response that breaks after *after* bytes of *data*."""
    whole = respond(status, data)
    return RawResponse(whole.raw[: len(whole.raw) - len(data) + after], "close")


def cut_without_length(after: int) -> RawResponse:
    """Return a response that ends after *after* bytes of `DATA`, and announces no length: its end looks complete."""
    return RawResponse(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + DATA[:after], "close")


class Run:
    """One upload to a host, with the bytes that it reports."""

    def __init__(self, serve, registry, host: BlobHost, folder: Path | None = None) -> None:
        self.host = host
        self.server = serve(host, forever=True)
        self.registry = registry(self.server)
        self.sessions = UploadSessions(str(folder) if folder else None)
        self.storage = RepositoryStorage(self.registry, "a", self.sessions, SIZES)
        self.cancelled = threading.Event()
        self.moved = 0
        self.notes: list[str] = []
        self.registry.http.waiter.notice = self.notes.append

    def __call__(self, data: bytes = DATA, source=None, exists: Callable[[Identity], bool] = lambda identity: False):
        return self.storage.upload(source or FileSource(Memory(data), "key", self.cancelled), exists, self._advance)

    def again(self) -> Run:
        """Return the same upload, as another process runs it later."""
        again = Run.__new__(Run)
        again.__dict__.update(self.__dict__, moved=0)
        return again

    def _advance(self, size: int) -> None:
        self.moved += size

    def methods(self) -> list[str]:
        return [request.method for request in self.server.requests]


@pytest.fixture
def run(serve, registry) -> Callable[..., Run]:
    """Begin uploads to a host."""
    return lambda host=None, folder=None: Run(serve, registry, host or BlobHost(), folder)


def stored(run: Run, data: bytes = DATA) -> None:
    """Check that the registry has *data*, and that exactly that was reported."""
    assert run.host.blobs[digest_of(data)] == data
    assert run.moved == len(data)
