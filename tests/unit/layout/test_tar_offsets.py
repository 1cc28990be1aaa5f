"""The offsets of files in a tar, before any of them is written."""

from __future__ import annotations

import tarfile
from pathlib import Path

from azext_acrartifact.layout.tar_offsets import TarLayout


def test_every_offset_of_a_tar_is_known_at_first(tmp_path: Path) -> None:
    sizes = {"oci-layout": 30, "blobs/sha256/a": 0, "blobs/sha256/b": 513, "x": 9 << 30}
    plan = TarLayout.of(sizes)
    with (tmp_path / "x.tar").open("wb") as file:
        for offset, header in plan.headers.items():
            file.seek(offset)
            file.write(header)
        assert file.tell() == plan.size
    with tarfile.open(tmp_path / "x.tar") as archive:
        entries = {entry.name: entry for entry in archive}
    assert {name: entry.size for name, entry in entries.items() if entry.isfile()} == sizes
    assert {name: entry.offset_data for name, entry in entries.items() if entry.isfile()} == {
        name: extent.offset for name, extent in plan.members.items()
    }
    assert [name for name, entry in entries.items() if entry.isdir()] == ["blobs", "blobs/sha256"]
    assert {(entry.uid, entry.gid, entry.mtime, entry.uname) for entry in entries.values()} == {(0, 0, 0, "")}
    assert TarLayout.of(sizes).identity == plan.identity != TarLayout.of({**sizes, "x": 1}).identity
