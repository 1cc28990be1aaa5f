"""A tar under way: what counts as there, what is taken over from the older one, and what is read how often."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tarfile
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from azext_acrartifact.errors import DigestMismatchError, LocalFileError
from azext_acrartifact.layout.files import TarFiles, open_layout
from azext_acrartifact.layout.index import LayoutIndex, blob_name
from azext_acrartifact.layout.tar_store import TarStore
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from tests.unit.files.descriptors import open_below

INDEX = LayoutIndex().encoded()
SEGMENT = 1000
LARGE = bytes(range(256)) * 10
SMALL = b"small"


def described(content: bytes) -> Descriptor:
    """The blob *content*."""
    return Descriptor("", digest_of(content), len(content))


def store_of(path: Path, *contents: bytes, before: TarFiles | None = None) -> TarStore:
    """A tar that is to hold *contents*."""
    return TarStore(str(path), SEGMENT, {digest_of(found): len(found) for found in contents}, INDEX, before)


def fill(store: TarStore, content: bytes, numbers: Iterator[int] | None = None) -> None:
    """Write all pieces of *content*, or those of *numbers*, and commit it if they are all."""
    pieces = store.open_ranged(described(content))
    for number in range(-(-len(content) // SEGMENT)) if numbers is None else numbers:
        start = number * SEGMENT
        pieces.write_at(memoryview(content[start : start + SEGMENT]), start)
        pieces.mark(number)
    if numbers is None:
        pieces.commit()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the tar goes."""
    return tmp_path / "saved.tar"


def test_what_nobody_has_written_is_not_there(path: Path) -> None:
    store = store_of(path, LARGE, SMALL, b"")
    assert not any(store.has(described(content)) for content in (LARGE, SMALL, b""))
    for content in (SMALL, b""):
        part = store.open_blob(described(content))
        part.write(memoryview(content))
        part.commit()
    assert [store.has(described(content)) for content in (LARGE, SMALL, b"")] == [False, True, True]
    with pytest.raises(LocalFileError, match="is missing"):
        store.finish()
    store.close(failed=True)
    assert not path.exists()


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_what_an_earlier_run_has_written_counts_when_it_is_all_there_and_right(path: Path, pieces: int) -> None:
    store = store_of(path, LARGE)
    fill(store, LARGE, iter(range(pieces)))
    store.close(failed=True)
    store = store_of(path, LARGE)
    assert store.open_ranged(described(LARGE)).done == set(range(pieces))
    assert store.has(described(LARGE)) == (pieces == 3)
    store.close(failed=True)
    [kept] = path.parent.glob("*.kept")
    kept.write_bytes(kept.read_bytes().replace(LARGE[:9], bytes(9)))
    store = store_of(path, LARGE)
    assert not store.has(described(LARGE))
    store.close(failed=True)


def test_what_came_in_one_go_counts_for_the_next_run_too(path: Path) -> None:
    store = store_of(path, LARGE, SMALL)
    for content in (LARGE, SMALL):
        part = store.open_blob(described(content))
        part.write(memoryview(content))
        part.commit()
    store.close(failed=True)
    store = store_of(path, LARGE, SMALL)
    assert all(store.has(described(content)) for content in (LARGE, SMALL))
    store.close(failed=True)


@pytest.mark.timeout(60)
def test_a_kept_tar_that_somebody_has_cut_off_is_not_right(path: Path) -> None:
    store = store_of(path, LARGE)
    fill(store, LARGE)
    store.close(failed=True)
    [kept] = path.parent.glob("*.kept")
    os.truncate(kept, kept.stat().st_size // 2)
    store = store_of(path, LARGE)
    assert not store.has(described(LARGE))
    store.close(failed=True)


def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of all reads at an offset, from now on."""
    found: list[int] = []
    real = os.preadv

    def noted(descriptor: int, buffers: list[memoryview], offset: int) -> int:
        found.append(sum(map(len, buffers)))
        return real(descriptor, buffers, offset)

    monkeypatch.setattr(os, "preadv", noted)
    return found


def test_what_is_known_to_be_right_or_not_there_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of(path, LARGE, SMALL)
    fill(store, LARGE)
    store.close(failed=True)
    found = reads(monkeypatch)
    store = store_of(path, LARGE, SMALL)
    assert not store.has(described(SMALL))
    assert found == []
    assert store.has(described(LARGE))
    assert store.has(described(LARGE))
    assert found == [len(LARGE)], "an earlier run's, once"
    fill(store, SMALL)
    store.finish()
    assert found == [len(LARGE)]
    store.close(failed=False)


def test_what_was_forgotten_is_not_there(path: Path) -> None:
    store = store_of(path, LARGE)
    pieces = store.open_ranged(described(LARGE))
    for number in range(3):
        pieces.mark(number)
    pieces.forget()
    assert pieces.done == set()
    assert store.open_ranged(described(LARGE)).done == set()
    pieces.write(memoryview(b"wrong"))
    pieces.restart()
    for start in range(0, len(LARGE), 700):
        pieces.write(memoryview(LARGE[start : start + 700]))
    buffer = memoryview(bytearray(5000))
    assert pieces.read_at(buffer, 0) == len(LARGE)
    assert (pieces.read_at(buffer, 2550), bytes(buffer[:10])) == (10, LARGE[2550:])
    pieces.commit()
    store.finish()
    store.close(failed=False)
    with tarfile.open(path) as archive:
        found = archive.extractfile(blob_name(digest_of(LARGE)))
        assert found is not None
        assert found.read() == LARGE


def test_each_piece_is_noted_once(path: Path) -> None:
    store = store_of(path, LARGE)
    fill(store, LARGE)
    store.close(failed=True)
    [note] = path.parent.glob("*.note")
    lines = note.read_bytes().splitlines()[1:]
    assert len(lines) == len(set(lines)) == 3


@pytest.fixture
def older(path: Path) -> TarFiles:
    """A tar that holds `SMALL` and `LARGE`."""
    store = store_of(path, LARGE, SMALL)
    for content in (LARGE, SMALL):
        fill(store, content)
    store.finish()
    store.close(failed=False)
    found = open_layout(str(path))
    assert isinstance(found, TarFiles)
    return found


def test_what_the_older_tar_holds_is_taken_over(path: Path, older: TarFiles) -> None:
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


def test_what_the_older_tar_lacks_or_holds_damaged_ends_it(path: Path, older: TarFiles) -> None:
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


def test_room_for_the_whole_is_asked_for_less_what_is_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = bytes(1 << 20)
    store = store_of(path, large)
    fill(store, large)
    store.close(failed=True)
    store = store_of(path, large)
    for free, enough in ((64 << 10, True), (100, False)):
        monkeypatch.setattr(os, "fstatvfs", lambda _, free=free: types.SimpleNamespace(f_bavail=free, f_frsize=1))
        with contextlib.nullcontext() if enough else pytest.raises(LocalFileError, match="not enough free space"):
            store.begin([])
    store.close(failed=True)


def test_it_is_durable_before_others_have_to_wait(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    for module, name in ((os, "fsync"), (fcntl, "flock"), (os, "rename")):
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
    assert done == ["fsync", "flock", "fsync", "rename"]


@pytest.mark.parametrize("failed", [True, False])
def test_nothing_stays_open_or_lies_about(path: Path, failed: bool) -> None:
    place = path.parent / "new" / "deep" / path.name
    store = store_of(place, SMALL)
    if not failed:
        fill(store, SMALL)
        store.finish()
    store.close(failed=failed)
    assert open_below(path.parent) == []
    assert [entry.name for entry in path.parent.rglob("*")] == ([] if failed else ["new", "deep", path.name])
    with pytest.raises(LocalFileError):
        store_of(path.parent / "other" / ("x" * 300), SMALL)
    assert open_below(path.parent) == []
    assert not (path.parent / "other").exists()
