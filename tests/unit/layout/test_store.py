"""Two backups to one place: neither loses what the other has saved."""

from __future__ import annotations

import io
import tarfile
import threading
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.layout.files import TarFiles, open_layout
from azext_acrartifact.layout.index import LayoutIndex
from azext_acrartifact.layout.store import FolderStore, existing_layout
from azext_acrartifact.layout.tar_store import TarStore
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.mediatypes import IMAGE_MANIFEST

INDEX = LayoutIndex().encoded()
SEGMENT = 1024


def described(content: bytes) -> Descriptor:
    """A manifest of that content, which nobody reads here."""
    return Descriptor(IMAGE_MANIFEST, digest_of(content), len(content))


def other_tar(path: Path) -> bytes:
    """Write a tar as another program would, at once."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": INDEX}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    path.with_suffix(".new").write_bytes(made.getvalue())
    path.with_suffix(".new").rename(path)
    return made.getvalue()


def older(path: Path) -> TarFiles | None:
    """The tar that is at *path*."""
    found = existing_layout(str(path))
    assert found is None or isinstance(found[0], TarFiles)
    return found[0] if found else None


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("when", ["before it begins", "before it ends"])
def test_a_tar_that_another_run_has_made_stays(tmp_path: Path, there: bool, when: str) -> None:
    path = tmp_path / "saved.tar"
    if there:
        other_tar(path)
    before = older(path)
    if when == "before it begins":
        theirs = other_tar(path)
    store = TarStore(str(path), SEGMENT, {}, INDEX, before)
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


def test_a_tar_that_nobody_has_touched_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "saved.tar"
    theirs = other_tar(path)
    before = older(path)
    store = TarStore(
        str(path), SEGMENT, {}, LayoutIndex().with_artifacts({"1.0": described(b"x")}, []).encoded(), before
    )
    store.begin([])
    store.finish()
    store.close(failed=False)
    assert before is not None
    before.close()
    assert path.read_bytes() != theirs
    open_layout(str(path)).close()


def test_two_runs_that_end_at_once_both_list_their_artifacts(tmp_path: Path) -> None:
    path = str(tmp_path / "saved")
    second = FolderStore(path, SEGMENT, lambda index: index.with_artifacts({"2": described(b"2")}, []))
    ending = threading.Thread(target=second.finish)

    def change(index: LayoutIndex) -> LayoutIndex:
        ending.start()
        ending.join(0.3)
        return index.with_artifacts({"1": described(b"1")}, [])

    first = FolderStore(path, SEGMENT, change)
    first.begin([])
    first.finish()
    ending.join(30)
    for store in (first, second):
        store.close(failed=False)
    found = existing_layout(path)
    assert found is not None
    found[0].close()
    assert {entry.descriptor.digest for entry in found[1].entries} == {digest_of(b"1"), digest_of(b"2")}
