"""A layout that is backed up to: what is read, how often, and by how many threads what is missing comes."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from azext_acrartifact.errors import CancelledError, DigestMismatchError, LocalFileError
from azext_acrartifact.layout import target as layout_target
from azext_acrartifact.layout.files import open_layout
from azext_acrartifact.layout.index import blob_name
from azext_acrartifact.layout.store import BlobPart, BlobPieces, FolderStore
from azext_acrartifact.layout.target import LayoutTarget
from azext_acrartifact.oci.content import Memory
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.manifest import Manifest, parse_manifest
from azext_acrartifact.oci.mediatypes import IMAGE_MANIFEST
from azext_acrartifact.transfer import concurrency as pace
from azext_acrartifact.transfer import ranged_download as ranges
from azext_acrartifact.transfer.concurrency import FEW_BULK, MANY_BULK
from azext_acrartifact.transport.client import HttpClient
from tests.unit.files.descriptors import open_below

SEGMENT, RANGED_FROM = 64, 512
SMALL, CONFIG = b"small", b"{}"


def described(content: bytes) -> Descriptor:
    """The blob *content*."""
    return Descriptor("application/octet-stream", digest_of(content), len(content))


def manifest_of(*layers: bytes) -> Manifest:
    """A manifest of *layers*."""
    found = [described(layer).to_json() for layer in layers]
    fields = {"schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "config": described(CONFIG).to_json(), "layers": found}
    return parse_manifest(json.dumps(fields).encode(), IMAGE_MANIFEST, "here")


class Contents:
    """A source that has all blobs that it is told of."""

    def __init__(self, *contents: bytes) -> None:
        self._held = {digest_of(content): content for content in contents}

    def fetch(self, blob: Descriptor, offset: int = 0, length: int | None = None) -> Bytes:
        """Of *blob*."""
        content = self._held[blob.digest]
        return Bytes(content[offset : None if length is None else offset + length], offset)


class Bytes:
    """A stream of *content* that says it begins at *offset*."""

    def __init__(self, content: bytes, offset: int) -> None:
        self._reader = Memory(content).open_range(0, len(content))
        self.offset = offset

    def readinto(self, buffer: memoryview) -> int:
        """The next bytes."""
        return self._reader.readinto(buffer)  # type: ignore[attr-defined, no-any-return]

    def close(self) -> None:
        """Nothing is open."""


class Noted(FolderStore):
    """A folder that notes what is begun in it, and how."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), SEGMENT, lambda index: index)
        self.begun: list[tuple[str, int]] = []

    def open_part(self, blob: Descriptor) -> BlobPart:
        """One that is written from its first byte to its last."""
        self.begun.append(("whole", blob.size))
        return super().open_part(blob)

    def open_pieces(self, blob: Descriptor) -> BlobPieces:
        """One that is written piece by piece."""
        self.begun.append(("pieces", blob.size))
        return super().open_pieces(blob)


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "SEGMENT", SEGMENT)
    monkeypatch.setattr(layout_target, "RANGED_FROM", RANGED_FROM)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a layout begins: it has `SMALL` and `CONFIG`."""
    for content in (SMALL, CONFIG):
        path = tmp_path / "saved" / blob_name(digest_of(content))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "saved"


@pytest.fixture
def target(place: Path, http: HttpClient) -> Iterator[LayoutTarget]:
    """That layout."""
    yield from opened(place, http, None)


def opened(place: Path, http: HttpClient, concurrency: int | None) -> Iterator[LayoutTarget]:
    """The layout at *place*, with a store."""
    with contextlib.closing(open_layout(str(place))) as before:
        found = LayoutTarget(str(place), before, http, concurrency)
        found.store = store = Noted(place)
        yield found
        store.close(failed=False)


def begun(target: LayoutTarget) -> list[tuple[str, int]]:
    """What has been begun."""
    assert isinstance(target.store, Noted)
    return target.store.begun


def nothing(_size: int) -> None:
    """Of the progress."""


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of all reads at an offset."""
    found: list[int] = []
    real = os.preadv

    def noted(descriptor: int, buffers: list[memoryview], offset: int) -> int:
        found.append(sum(map(len, buffers)))
        return real(descriptor, buffers, offset)

    monkeypatch.setattr(os, "preadv", noted)
    return found


def test_what_is_there_is_read_once(target: LayoutTarget, reads: list[int]) -> None:
    assert [target.exists(described(SMALL)) for _ in range(3)] == [True] * 3
    assert reads == [len(SMALL)]
    assert target.receive(described(SMALL), Contents(), nothing) == "skipped"
    assert begun(target) == []


def test_what_was_received_or_put_is_there(target: LayoutTarget, reads: list[int]) -> None:
    manifest, large = manifest_of(SMALL), random.Random(1).randbytes(1000)
    for content in (b"other", large):
        assert target.receive(described(content), Contents(content), nothing) == "copied"
    target.put(manifest, "1.0")
    reads.clear()
    assert all(target.exists(blob) for blob in (described(b"other"), described(large), manifest.descriptor))
    assert reads == []
    for content in (b"other", large, manifest.raw):
        assert (Path(target.place) / blob_name(digest_of(content))).read_bytes() == content
    before = list(begun(target))
    target.put(manifest, "1.0")
    assert begun(target) == before, "it is there already"


@pytest.mark.parametrize(
    ("held", "whole"), [(("manifest", "layer"), True), (("manifest",), False), (("layer",), False), ((), False)]
)
def test_a_manifest_is_held_with_all_that_it_needs(target: LayoutTarget, held: tuple[str, ...], whole: bool) -> None:
    manifest = manifest_of(SMALL, b"layer")
    if "manifest" in held:
        target.put(manifest, "")
    if "layer" in held:
        target.receive(described(b"layer"), Contents(b"layer"), nothing)
    assert target.holds(manifest) == whole


def test_without_a_store_it_only_tells_what_is_there(place: Path, http: HttpClient) -> None:
    with contextlib.closing(open_layout(str(place))) as before:
        target = LayoutTarget(str(place), before, http, None)
        assert target.exists(described(SMALL))
        assert not target.exists(described(b"other"))
    assert not LayoutTarget(str(place), None, http, None).exists(described(SMALL))


@pytest.mark.parametrize("content", [SMALL + b"more", SMALL[:-1], b"", b"swall"])
def test_what_is_damaged_is_not_there(place: Path, target: LayoutTarget, content: bytes) -> None:
    (place / blob_name(digest_of(SMALL))).write_bytes(content)
    assert not target.exists(described(SMALL))


@pytest.mark.parametrize(
    ("size", "way"), [(RANGED_FROM - 1, "whole"), (RANGED_FROM, "pieces"), (RANGED_FROM + 1, "pieces")]
)
def test_large_blobs_come_in_pieces(target: LayoutTarget, size: int, way: str) -> None:
    told: list[int] = []
    target.receive(described(bytes(size)), Contents(bytes(size)), told.append)
    assert begun(target) == [(way, size)]
    assert sum(told) == size


@pytest.mark.parametrize(("runs", "threads"), [(2, 2), (MANY_BULK, MANY_BULK), (5 * MANY_BULK, MANY_BULK)])
def test_as_many_threads_help_as_a_large_blob_is_worth(
    place: Path, http: HttpClient, monkeypatch: pytest.MonkeyPatch, runs: int, threads: int
) -> None:
    started: list[str] = []
    start = threading.Thread.start

    def noted(thread: threading.Thread) -> None:
        started.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", noted)
    content = random.Random(2).randbytes(runs * ranges.SHORTEST_RUN * SEGMENT)
    for target in opened(place, http, 100):
        target.receive(described(content), Contents(content), nothing)
    assert started.count("acrartifact-transfer") == threads


def test_what_moves_decides_how_many_connections_there_are(
    target: LayoutTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step counts as a faster one here, so that connections are added."""
    monkeypatch.setattr(pace, "WINDOW", 1e-9)
    monkeypatch.setattr(pace, "GAIN", 0.0)
    assert target._pace.bulk() == FEW_BULK
    content = random.Random(3).randbytes(20 * ranges.SHORTEST_RUN * SEGMENT)
    target.receive(described(content), Contents(content), nothing)
    assert target._pace.bulk() > FEW_BULK


class Wrong(Contents):
    """A source whose bytes are others than the digest's."""

    def fetch(self, blob: Descriptor, offset: int = 0, length: int | None = None) -> Bytes:
        """Zeros instead of *blob*."""
        return Bytes(bytes(blob.size - offset if length is None else length), offset)


@pytest.mark.parametrize("size", [400, 4000])
def test_wrong_bytes_leave_nothing(place: Path, target: LayoutTarget, size: int) -> None:
    blob, before = described(random.Random(4).randbytes(size)), sorted(place.rglob("*"))
    opened_before = open_below(place)
    with pytest.raises(DigestMismatchError):
        target.receive(blob, Wrong(), nothing)
    assert sorted(place.rglob("*")) == before
    assert open_below(place) == opened_before
    assert not target.exists(blob)


@pytest.mark.parametrize("what", ["manifest", "small", "large"])
def test_a_disk_that_is_full_leaves_nothing_open_and_nothing_there(
    place: Path, target: LayoutTarget, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    before = open_below(place)
    content = random.Random(5).randbytes(2000 if what == "large" else 5)
    storing = (
        functools.partial(target.put, manifest_of(SMALL), "")
        if what == "manifest"
        else functools.partial(target.receive, described(content), Contents(content), nothing)
    )
    with pytest.raises(LocalFileError, match="No space left"):
        storing()
    assert open_below(place) == before
    assert not list(place.rglob("*.part"))
    assert not target.exists(described(content))


@pytest.mark.parametrize("block", [1000, 100 << 20])
def test_what_is_there_is_read_in_blocks_and_no_more_memory_is_taken_than_it_has(
    place: Path, target: LayoutTarget, reads: list[int], monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    content = random.Random(6).randbytes(2500)
    (place / blob_name(digest_of(content))).write_bytes(content)
    monkeypatch.setattr(layout_target, "BLOCK", block)
    tracemalloc.start()
    assert target.exists(described(content))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20
    assert reads == ([1000, 1000, 500] if block == 1000 else [2500])


def test_to_stop_ends_reading_too(target: LayoutTarget, http: HttpClient) -> None:
    http.waiter.cancelled.set()
    with pytest.raises(CancelledError):
        target.exists(described(SMALL))
