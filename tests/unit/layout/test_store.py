"""The store of a backup: what it replaces, what it refuses, and two backups at once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from azext_acrartifact.errors import ArtifactError, InvalidInputError, LocalFileError, UnsafeContentError
from azext_acrartifact.layout.files import TarFiles, open_layout
from azext_acrartifact.layout.index import LayoutIndex
from azext_acrartifact.layout.store import FolderStore, existing_layout, is_tar, require_name
from azext_acrartifact.layout.tar_store import TarStore
from azext_acrartifact.oci.digest import digest_of
from tests.support.system import fifo, link, on_posix
from tests.unit.layout.layouts import MARKER, blob_of, layout, put

INDEX = LayoutIndex().encoded()
BLOCK = 1024


def adding(path: Path, tag: str) -> FolderStore:
    """Open a store at *path* that adds an artifact under *tag*."""
    return FolderStore(str(path), BLOCK, lambda index: index.with_artifacts({tag: blob_of(tag.encode())}, []))


def other_tar(path: Path) -> bytes:
    """Write a tar as another program would, atomically."""
    put(path.with_suffix(".new.tar"), {"oci-layout": MARKER, "index.json": INDEX}).replace(path)
    return path.read_bytes()


def older(path: Path) -> TarFiles | None:
    """Open the tar at *path*, if it exists."""
    found = existing_layout(str(path))
    assert found is None or isinstance(found[0], TarFiles)
    return found[0] if found else None


@pytest.mark.parametrize("ending", [".tar.gz", ".tgz", ".TGZ", ".tar.zst", ".tar.xz", ".tar.bz2", ".zip", ".7z", ".gz"])
def test_a_new_backup_is_no_compressed_archive(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"saved{ending}"
    with pytest.raises(InvalidInputError) as raised:
        require_name(str(path))
    assert raised.value.hint == f"Give --destination {tmp_path / 'saved.tar'}"
    path.mkdir()
    require_name(str(path))


@pytest.mark.parametrize("name", ["saved", "saved.tar", "gz", ".zip", "a.tar.gz/b", "saved.v1", "a.gz.d"])
def test_other_names_are_no_archives(tmp_path: Path, name: str) -> None:
    require_name(str(tmp_path / name))


@pytest.mark.parametrize("there", [False, *on_posix(True)])  # Windows replaces no tar that is open
@pytest.mark.parametrize("when", ["before it begins", "before it ends"])
def test_a_tar_of_another_run_stays(tmp_path: Path, there: bool, when: str) -> None:
    path = tmp_path / "saved.tar"
    if there:
        other_tar(path)
    before = older(path)
    if when == "before it begins":
        theirs = other_tar(path)
    store = TarStore(str(path), BLOCK, {}, INDEX, before)
    if when == "before it ends":
        store.begin([])
        theirs = other_tar(path)
    refusing = store.finish if when == "before it ends" else lambda: store.begin([])
    with pytest.raises(LocalFileError, match="replaced"):
        refusing()
    store.close(failed=True)
    if before:
        before.close()
    assert path.read_bytes() == theirs
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_an_untouched_tar_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "saved.tar"
    theirs = other_tar(path)
    before = older(path)
    store = TarStore(str(path), BLOCK, {}, LayoutIndex().with_artifacts({"1.0": blob_of(b"x")}, []).encoded(), before)
    store.begin([])
    store.finish()
    store.close(failed=False)
    assert before is not None
    before.close()
    assert path.read_bytes() != theirs
    open_layout(str(path)).close()


def test_two_runs_that_end_at_once_both_list_their_artifacts(tmp_path: Path) -> None:
    path = tmp_path / "saved"
    second = adding(path, "2")
    ending = threading.Thread(target=second.finish)

    def change(index: LayoutIndex) -> LayoutIndex:
        ending.start()
        ending.join(0.3)
        return index.with_artifacts({"1": blob_of(b"1")}, [])

    first = FolderStore(str(path), BLOCK, change)
    first.begin([])
    first.finish()
    ending.join(30)
    for store in (first, second):
        store.close(failed=False)
    found = existing_layout(str(path))
    assert found is not None
    found[0].close()
    assert {entry.descriptor.digest for entry in found[1].entries} == {digest_of(b"1"), digest_of(b"2")}


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"photo.jpg": b"x"}, "no file oci-layout"),
        ({".git/config": b"x"}, "no file oci-layout"),
        ({"oci-layout": b"{}"}, "version"),
        ({"manifest.json": b"[]"}, "docker save"),
    ],
)
def test_a_backup_is_not_mixed_with_other_files(tmp_path: Path, files: dict[str, bytes], why: str) -> None:
    for form in ("there", "there.tar"):
        with pytest.raises(ArtifactError, match=why):
            existing_layout(str(put(tmp_path / form, files)))


def test_a_backup_replaces_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "thesis.tar").write_bytes(b"a thesis")
    with pytest.raises(UnsafeContentError):
        existing_layout(str(tmp_path / "thesis.tar"))
    fifo(tmp_path / "fifo.tar")
    link(tmp_path / "dangling.tar", "nowhere")
    for name in on_posix("fifo.tar", "dangling.tar"):
        with pytest.raises(LocalFileError):
            existing_layout(str(tmp_path / name))


def test_the_files_of_an_interrupted_backup_are_no_obstacle(tmp_path: Path) -> None:
    assert existing_layout(str(tmp_path / "none")) is None
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".acrartifact-1.part").touch()
    assert existing_layout(str(tmp_path / "empty")) is None
    found = existing_layout(str(put(tmp_path / "begun", layout(index=None))))
    assert found is not None
    assert found[1] == LayoutIndex()
    found[0].close()


def test_an_existing_file_or_folder_decides_before_the_name(tmp_path: Path) -> None:
    (tmp_path / "folder.tar").mkdir()
    (tmp_path / "file").touch()
    assert [is_tar(str(tmp_path / name)) for name in ("folder.tar", "file", "new.tar", "new.TAR", "new")] == [
        False, True, True, True, False,
    ]  # fmt: skip
