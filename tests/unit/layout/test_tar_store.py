"""An unfinished tar: which blobs it has, what is copied from the older one, and what is read how often."""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from azext_acrartifact.errors import DigestMismatchError, LocalFileError
from azext_acrartifact.layout.files import TarFiles, open_layout
from azext_acrartifact.layout.index import LayoutIndex, blob_name
from azext_acrartifact.layout.tar_store import TarStore
from azext_acrartifact.oci.digest import digest_of
from tests.support.system import LOCK, RENAME, on_posix
from tests.unit.files.descriptors import open_below
from tests.unit.layout.layouts import blob_of

INDEX = LayoutIndex().encoded()
BLOCK = 1000
LARGE = bytes(range(256)) * 10
SMALL = b"small"


def store_of(path: Path, *contents: bytes, before: TarFiles | None = None) -> TarStore:
    """Open the store of a tar of *contents*."""
    return TarStore(str(path), BLOCK, {digest_of(found): len(found) for found in contents}, INDEX, before)


def fill(store: TarStore, content: bytes, numbers: Iterator[int] | None = None) -> None:
    """Write all blocks of *content* and commit it, or only those of *numbers*."""
    file = store.open_ranged(blob_of(content))
    for number in range(-(-len(content) // BLOCK)) if numbers is None else numbers:
        start = number * BLOCK
        file.write_at(memoryview(content[start : start + BLOCK]), start)
        file.mark(number)
    if numbers is None:
        file.commit()


def interrupt(store: TarStore, content: bytes, numbers: Iterator[int] | None = None) -> None:
    """Do the same and close *store* as after a failure."""
    fill(store, content, numbers)
    store.close(failed=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of the tar."""
    return tmp_path / "saved.tar"


def test_a_blob_that_was_not_written_is_missing(path: Path) -> None:
    store = store_of(path, LARGE, SMALL, b"")
    assert not any(store.has(blob_of(content)) for content in (LARGE, SMALL, b""))
    for content in (SMALL, b""):
        file = store.open_blob(blob_of(content))
        file.write(memoryview(content))
        file.commit()
    assert [store.has(blob_of(content)) for content in (LARGE, SMALL, b"")] == [False, True, True]
    with pytest.raises(LocalFileError, match="is missing"):
        store.finish()
    store.close(failed=True)
    assert not path.exists()


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_a_blob_of_an_earlier_run_counts_when_it_is_complete_and_intact(path: Path, blocks: int) -> None:
    interrupt(store_of(path, LARGE), LARGE, iter(range(blocks)))
    store = store_of(path, LARGE)
    assert store.open_ranged(blob_of(LARGE)).done == set(range(blocks))
    assert store.has(blob_of(LARGE)) == (blocks == 3)
    store.close(failed=True)
    [unfinished] = path.parent.glob("*.kept")
    unfinished.write_bytes(unfinished.read_bytes().replace(LARGE[:9], bytes(9)))
    store = store_of(path, LARGE)
    assert not store.has(blob_of(LARGE))
    store.close(failed=True)


def test_a_blob_that_was_written_in_order_counts_for_the_next_run_too(path: Path) -> None:
    store = store_of(path, LARGE, SMALL)
    for content in (LARGE, SMALL):
        file = store.open_blob(blob_of(content))
        file.write(memoryview(content))
        file.commit()
    store.close(failed=True)
    store = store_of(path, LARGE, SMALL)
    assert all(store.has(blob_of(content)) for content in (LARGE, SMALL))
    store.close(failed=True)


@pytest.mark.timeout(60)
def test_an_unfinished_tar_that_was_truncated_is_not_intact(path: Path) -> None:
    interrupt(store_of(path, LARGE), LARGE)
    [unfinished] = path.parent.glob("*.kept")
    os.truncate(unfinished, unfinished.stat().st_size // 2)
    store = store_of(path, LARGE)
    assert not store.has(blob_of(LARGE))
    store.close(failed=True)


def test_a_blob_that_is_known_to_be_intact_or_missing_is_not_read(path: Path, reads: list[int]) -> None:
    interrupt(store_of(path, LARGE, SMALL), LARGE)
    reads.clear()
    store = store_of(path, LARGE, SMALL)
    assert not store.has(blob_of(SMALL))
    assert reads == []
    assert store.has(blob_of(LARGE))
    assert store.has(blob_of(LARGE))
    assert reads == [len(LARGE)], "once, that of an earlier run"
    fill(store, SMALL)
    store.finish()
    assert reads == [len(LARGE)]
    store.close(failed=False)


def test_a_forgotten_blob_is_missing(path: Path) -> None:
    store = store_of(path, LARGE)
    file = store.open_ranged(blob_of(LARGE))
    for number in range(3):
        file.mark(number)
    file.forget(range(3))
    assert file.done == set()
    assert store.open_ranged(blob_of(LARGE)).done == set()
    file.write(memoryview(b"wrong"))
    file.restart()
    for start in range(0, len(LARGE), 700):
        file.write(memoryview(LARGE[start : start + 700]))
    buffer = memoryview(bytearray(5000))
    assert file.read_at(buffer, 0) == len(LARGE)
    assert (file.read_at(buffer, 2550), bytes(buffer[:10])) == (10, LARGE[2550:])
    file.commit()
    store.finish()
    store.close(failed=False)
    with tarfile.open(path) as archive:
        found = archive.extractfile(blob_name(digest_of(LARGE)))
        assert found is not None
        assert found.read() == LARGE


def test_each_block_is_recorded_once(path: Path) -> None:
    interrupt(store_of(path, LARGE), LARGE)
    [note] = path.parent.glob("*.note")
    lines = note.read_bytes().splitlines()[1:]
    assert len(lines) == len(set(lines)) == 3


@pytest.fixture
def older(path: Path) -> TarFiles:
    """Return a tar of `SMALL` and `LARGE`."""
    store = store_of(path, LARGE, SMALL)
    for content in (LARGE, SMALL):
        fill(store, content)
    store.finish()
    store.close(failed=False)
    found = open_layout(str(path))
    assert isinstance(found, TarFiles)
    return found


def test_the_blobs_of_the_older_tar_are_copied(path: Path, older: TarFiles) -> None:
    store = store_of(path, b"new", before=older)
    fill(store, b"new")
    store.finish()
    store.close(failed=False)
    older.close()
    with contextlib.closing(open_layout(str(path))) as found:
        for content in (b"new", LARGE, SMALL):
            file = found.open(blob_name(digest_of(content)))
            assert file is not None
            assert file.open_range(0, file.size).readall() == content


def test_a_missing_or_damaged_blob_of_the_older_tar_is_an_error(path: Path, older: TarFiles) -> None:
    older.close()
    for damaged in (path.read_bytes().replace(SMALL, b"swall"), path.read_bytes().replace(LARGE[:50], bytes(50), 1)):
        path.write_bytes(damaged)
        with contextlib.closing(open_layout(str(path))) as before:
            store = store_of(path, before=before)  # type: ignore[arg-type]
            with pytest.raises(DigestMismatchError, match="The existing tar is damaged"):
                store.finish()
            store.close(failed=True)
            store = store_of(path, b"new", before=before)  # type: ignore[arg-type]
            before.members.clear()  # type: ignore[attr-defined]
            with pytest.raises(LocalFileError, match="is missing"):
                store.finish()
            store.close(failed=True)
        assert path.read_bytes() == damaged


def test_space_for_the_whole_tar_is_required_less_what_exists(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = bytes(1 << 20)
    interrupt(store_of(path, large), large)
    store = store_of(path, large)
    for free, enough in ((64 << 10, True), (100, False)):
        said = types.SimpleNamespace(f_blocks=9**9, f_bavail=free, f_frsize=1)
        monkeypatch.setattr(os, "fstatvfs", lambda _, said=said: said, raising=False)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: (9**9, 0, free))
        with contextlib.nullcontext() if enough else pytest.raises(LocalFileError, match="not enough free space"):
            store.begin([])
    store.close(failed=True)


def test_the_tar_is_durable_before_others_have_to_wait(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    for module, name in ((os, "fsync"), LOCK, (os, RENAME)):
        real = getattr(module, name)

        def noted(*arguments: object, _name: str = name, _real: object = real, **more: object) -> None:
            done.append(_name)
            _real(*arguments, **more)  # type: ignore[operator]

        monkeypatch.setattr(module, name, noted)
    store = store_of(path, SMALL)
    fill(store, SMALL)
    done.clear()
    store.finish()
    store.close(failed=False)
    assert done == ["fsync", *on_posix(LOCK[1]), "fsync", RENAME]


def test_the_older_tar_is_closed_before_it_is_replaced(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows replaces no open file."""
    first = store_of(path, SMALL)
    fill(first, SMALL)
    first.finish()
    first.close(failed=False)
    older = open_layout(str(path))
    assert isinstance(older, TarFiles)
    store = store_of(path, LARGE, before=older)
    fill(store, LARGE)
    opened: list[list[str]] = []
    rename = getattr(os, RENAME)
    monkeypatch.setattr(os, RENAME, lambda *names, **at: (opened.append(open_below(path)), rename(*names, **at)))
    store.finish()
    store.close(failed=False)
    assert opened == [[]]


@pytest.mark.parametrize("failed", [True, False])
def test_nothing_stays_open_or_is_left(path: Path, failed: bool) -> None:
    deep = path.parent / "new" / "deep" / path.name
    store = store_of(deep, SMALL)
    if not failed:
        fill(store, SMALL)
        store.finish()
    store.close(failed=failed)
    assert open_below(path.parent) == []
    assert [entry.name for entry in path.parent.rglob("*")] == ([] if failed else ["new", "deep", path.name])
    for name in on_posix("x" * 300):  # Wine takes it for a missing file
        with pytest.raises(LocalFileError):
            store_of(path.parent / "other" / name, SMALL)
    assert open_below(path.parent) == []
    assert not (path.parent / "other").exists()
