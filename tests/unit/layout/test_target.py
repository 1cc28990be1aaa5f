"""The target of a backup: what is read, how often, and how many jobs receive a blob."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from azext_acrartifact.errors import CancelledError, DigestMismatchError, LocalFileError
from azext_acrartifact.layout.files import open_layout
from azext_acrartifact.layout.index import blob_name
from azext_acrartifact.layout.store import FolderStore
from azext_acrartifact.layout.target import LayoutTarget
from azext_acrartifact.oci.content import Advance, Memory
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.manifest import Manifest, build_manifest
from azext_acrartifact.oci.storage import COPIED, SKIPPED
from azext_acrartifact.transfer.blob_file import BlobFile, RangedFile
from azext_acrartifact.transfer.concurrency import MANY_BULK
from azext_acrartifact.transfer.sizes import TransferSizes
from azext_acrartifact.transport.client import HttpClient
from tests.unit.files.descriptors import open_below
from tests.unit.layout.layouts import blob_of

SIZES = TransferSizes(block=64, buffer=1000)
SMALL, CONFIG = b"small", b"{}"


def manifest_of(*layers: bytes) -> Manifest:
    """Return a manifest of *layers*."""
    return build_manifest(blob_of(CONFIG), [blob_of(layer) for layer in layers])


class Contents:
    """A source of the given blobs."""

    def __init__(self, *contents: bytes) -> None:
        self._blobs = {digest_of(content): content for content in contents}

    def fetch(self, blob: Descriptor, offset: int = 0, length: int | None = None) -> Bytes:
        """Open *blob*."""
        content = self._blobs[blob.digest]
        return Bytes(content[offset : None if length is None else offset + length], offset)


class Bytes:
    """A stream of *content* that begins at *offset*."""

    def __init__(self, content: bytes, offset: int) -> None:
        self._reader = Memory(content).open_range(0, len(content))
        self.offset = offset

    def readinto(self, buffer: memoryview) -> int:
        """Read the next bytes."""
        return self._reader.readinto(buffer)  # type: ignore[attr-defined, no-any-return]

    def close(self) -> None:
        """Do nothing."""


class Noted(FolderStore):
    """A folder that records the files that are opened in it."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), SIZES.block, lambda index: index)
        self.begun: list[tuple[str, int]] = []

    def open_blob(self, blob: Descriptor) -> BlobFile:
        """Record a file that is written in order."""
        self.begun.append(("in order", blob.size))
        return super().open_blob(blob)

    def open_ranged(self, blob: Descriptor) -> RangedFile:
        """Record a file that is written in ranges."""
        self.begun.append(("ranges", blob.size))
        return super().open_ranged(blob)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return the folder of a layout that has `SMALL` and `CONFIG`."""
    for content in (SMALL, CONFIG):
        path = tmp_path / "saved" / blob_name(digest_of(content))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "saved"


@pytest.fixture
def target(saved: Path, http: HttpClient) -> Iterator[LayoutTarget]:
    """Yield that layout, with a store."""
    with contextlib.closing(open_layout(str(saved))) as before:
        found = LayoutTarget(str(saved), before, http, SIZES)
        found.store = store = Noted(saved)
        yield found
        store.close(failed=False)


def receive(target: LayoutTarget, blob: Descriptor, source: Contents, advance: Advance = lambda size: None) -> str:
    """Run all jobs that receive *blob*; return the state that one of them reports."""
    states = [job() for job in target.receivers(blob, source, advance)]
    [state] = filter(None, states)
    return state


def begun(target: LayoutTarget) -> list[tuple[str, int]]:
    """Return the files that were opened."""
    assert isinstance(target.store, Noted)
    return target.store.begun


def test_an_existing_blob_is_read_once(target: LayoutTarget, reads: list[int]) -> None:
    assert [target.exists(blob_of(SMALL)) for _ in range(3)] == [True] * 3
    assert reads == [len(SMALL)]
    assert receive(target, blob_of(SMALL), Contents()) == SKIPPED
    assert begun(target) == []


def test_a_received_blob_or_manifest_exists(target: LayoutTarget, reads: list[int]) -> None:
    manifest, large = manifest_of(SMALL), random.Random(1).randbytes(1000)
    for content in (b"other", large):
        assert receive(target, blob_of(content), Contents(content)) == COPIED
        assert receive(target, blob_of(content), Contents(content)) == SKIPPED
    target.put(manifest, "1.0")
    reads.clear()
    assert all(target.exists(blob) for blob in (blob_of(b"other"), blob_of(large), manifest.descriptor))
    assert reads == []
    for content in (b"other", large, manifest.raw):
        assert (Path(target.label) / blob_name(digest_of(content))).read_bytes() == content
    before = list(begun(target))
    target.put(manifest, "1.0")
    assert begun(target) == before, "it exists already"


@pytest.mark.parametrize(
    ("present", "complete"), [(("manifest", "layer"), True), (("manifest",), False), (("layer",), False), ((), False)]
)
def test_a_manifest_is_complete_with_all_that_it_needs(
    target: LayoutTarget, present: tuple[str, ...], complete: bool
) -> None:
    manifest = manifest_of(SMALL, b"layer")
    if "manifest" in present:
        target.put(manifest, "")
    if "layer" in present:
        receive(target, blob_of(b"layer"), Contents(b"layer"))
    assert target.is_complete(manifest) == complete


def test_without_a_store_it_only_checks_what_exists(saved: Path, http: HttpClient) -> None:
    with contextlib.closing(open_layout(str(saved))) as before:
        target = LayoutTarget(str(saved), before, http)
        assert target.exists(blob_of(SMALL))
        assert not target.exists(blob_of(b"other"))
    assert not LayoutTarget(str(saved), None, http).exists(blob_of(SMALL))


@pytest.mark.parametrize("content", [SMALL + b"more", SMALL[:-1], b"", b"swall"])
def test_a_damaged_blob_does_not_exist(saved: Path, target: LayoutTarget, content: bytes) -> None:
    (saved / blob_name(digest_of(SMALL))).write_bytes(content)
    assert not target.exists(blob_of(SMALL))


@pytest.mark.parametrize(
    ("size", "way"), [(SIZES.ranged - 1, "in order"), (SIZES.ranged, "ranges"), (SIZES.ranged + 1, "ranges")]
)
def test_large_blobs_are_downloaded_in_ranges(target: LayoutTarget, size: int, way: str) -> None:
    moved: list[int] = []
    receive(target, blob_of(bytes(size)), Contents(bytes(size)), moved.append)
    assert begun(target) == [(way, size)]
    assert sum(moved) == size


@pytest.mark.parametrize(("ranges", "jobs"), [(2, 2), (MANY_BULK, MANY_BULK), (5 * MANY_BULK, MANY_BULK)])
def test_as_many_jobs_help_as_a_large_blob_has_ranges(target: LayoutTarget, ranges: int, jobs: int) -> None:
    content = random.Random(2).randbytes(ranges * SIZES.shortest_range * SIZES.block)
    assert len(target.receivers(blob_of(content), Contents(content), lambda size: None)) == jobs


class Wrong(Contents):
    """A source of wrong bytes."""

    def fetch(self, blob: Descriptor, offset: int = 0, length: int | None = None) -> Bytes:
        """Open zeros instead of *blob*."""
        return Bytes(bytes(blob.size - offset if length is None else length), offset)


@pytest.mark.parametrize("size", [400, 4000])
def test_wrong_bytes_leave_nothing(saved: Path, target: LayoutTarget, size: int) -> None:
    blob, before = blob_of(random.Random(4).randbytes(size)), sorted(saved.rglob("*"))
    opened_before = open_below(saved)
    with pytest.raises(DigestMismatchError):
        receive(target, blob, Wrong())
    assert sorted(saved.rglob("*")) == before
    assert open_below(saved) == opened_before
    assert not target.exists(blob)


@pytest.mark.parametrize("what", ["manifest", "small", "large"])
def test_a_full_disk_leaves_nothing_open_and_nothing_there(
    saved: Path, target: LayoutTarget, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    before = open_below(saved)
    content = random.Random(5).randbytes(2000 if what == "large" else 5)
    storing = (
        functools.partial(target.put, manifest_of(SMALL), "")
        if what == "manifest"
        else functools.partial(receive, target, blob_of(content), Contents(content))
    )
    with pytest.raises(LocalFileError, match="No space left"):
        storing()
    assert open_below(saved) == before
    assert not list(saved.rglob("*.part"))
    assert not target.exists(blob_of(content))


def test_an_existing_blob_is_read_in_blocks(saved: Path, target: LayoutTarget, reads: list[int]) -> None:
    content = random.Random(6).randbytes(2500)
    (saved / blob_name(digest_of(content))).write_bytes(content)
    assert target.exists(blob_of(content))
    assert reads == [1000, 1000, 500]


def test_an_existing_blob_needs_no_more_memory_than_its_size(saved: Path, http: HttpClient) -> None:
    with contextlib.closing(open_layout(str(saved))) as before:
        target = LayoutTarget(str(saved), before, http, TransferSizes(buffer=100 << 20))
        tracemalloc.start()
        assert target.exists(blob_of(SMALL))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1 << 20


def test_a_cancelled_command_stops_reading(target: LayoutTarget, http: HttpClient) -> None:
    http.waiter.cancelled.set()
    with pytest.raises(CancelledError):
        target.exists(blob_of(SMALL))
