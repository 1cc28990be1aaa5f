"""The sources of uploads: files that are hashed first or meanwhile, and streams that are generated again."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time
from collections.abc import Iterator

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.content import Memory
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.transfer.sizes import TransferSizes
from azext_acrartifact.transfer.upload_source import FileSource, Identity, StreamSource
from tests.support.uploads import BlobHost
from tests.unit.transfer.conftest import DATA, stored

HASHED_BESIDE = TransferSizes(hashed_first=0)


def test_a_large_file_is_hashed_while_it_is_sent(run) -> None:
    one = run()
    assert one(source=FileSource(Memory(DATA), "key", one.cancelled, sizes=HASHED_BESIDE)) == (
        Identity(digest_of(DATA), len(DATA)),
        True,
    )
    stored(one)


def test_the_last_chunk_waits_for_the_hash_and_goes_with_the_end(run) -> None:
    class SlowlyHashed(Memory):
        def open_range(self, offset: int, length: int) -> io.BytesIO:
            time.sleep(0.3 if length == len(DATA) else 0)
            return io.BytesIO(self.data[offset : offset + length])

    one = run()
    one(source=FileSource(SlowlyHashed(DATA), "key", one.cancelled, sizes=HASHED_BESIDE))
    assert one.methods() == ["POST", *["PATCH"] * 4, "PUT"]
    stored(one)


def test_an_error_of_hashing_is_raised() -> None:
    class Broken(Memory):
        def open_range(self, offset: int, length: int):
            raise errors.LocalFileError("The file changed")

    source = FileSource(Broken(DATA), "key", threading.Event())
    with pytest.raises(errors.LocalFileError):
        source.settle()
    source = FileSource(Broken(DATA), "key", threading.Event(), sizes=HASHED_BESIDE)
    source.identity()
    with pytest.raises(errors.LocalFileError):
        source.settle()


def test_hashing_ends_when_the_command_is_cancelled() -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(errors.CancelledError):
        FileSource(Memory(DATA), "key", cancelled).settle()


def stream(made: list[int]) -> StreamSource:
    def restart() -> Iterator[bytes]:
        made.append(1)
        return (DATA[at : at + 1000] for at in range(0, len(DATA), 1000))

    return StreamSource(restart, "key", len(DATA))


def test_a_stream_is_generated_once_and_its_digest_known_at_its_end(run) -> None:
    made: list[int] = []
    one = run()
    assert one(source=stream(made)) == (Identity(digest_of(DATA), len(DATA)), True)
    assert made == [1]
    stored(one)


def test_a_chunk_of_a_stream_is_never_larger_than_its_memory() -> None:
    source = StreamSource(lambda: iter([DATA]), "key", len(DATA), largest=1000)
    assert [chunk and chunk.size for chunk in (source.chunk(0, 5000), source.chunk(1000, 500))] == [1000, 500]


def test_a_stream_that_must_go_back_is_generated_again(run) -> None:
    host = BlobHost()
    host.fault = host.drop_at_fourth_chunk
    made: list[int] = []
    one = run(host)
    one(source=stream(made))
    assert made == [1, 1]
    stored(one)


def test_an_existing_stream_is_found_before_its_last_chunk(run) -> None:
    one = run()
    identity, sent = one(source=stream([]), exists=lambda identity: True)
    assert (identity, sent) == (Identity(digest_of(DATA), len(DATA)), False)


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 5000])
def test_any_offset_of_a_stream_can_be_read(size: int) -> None:
    data = os.urandom(size)
    source = StreamSource(lambda: (data[at : at + 1000] for at in range(0, size, 1000)), "key", size)
    for offset in (0, size // 2, size, 0, size // 3):
        chunk = source.chunk(offset, 1500)
        found = b""
        if chunk is not None:
            with chunk.open() as reader:
                found = reader.read()
        assert found == data[offset : offset + 1500]
    assert source.settle() == Identity(f"sha256:{hashlib.sha256(data).hexdigest()}", size)  # type: ignore[arg-type]


def test_without_more_threads_a_file_is_hashed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    source = FileSource(Memory(DATA), "key", threading.Event(), sizes=HASHED_BESIDE)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert source.identity() == Identity(digest_of(DATA), len(DATA))
    assert source.settle() == Identity(digest_of(DATA), len(DATA))
