"""How a run holds what it has not finished, against the sweep of another run: POSIX locks; Windows needs none."""

import contextlib
import os
from pathlib import Path

import pytest

from azext_acrartifact.files.directory import posix as folder_posix
from azext_acrartifact.files.directory.handle import remove_tree
from azext_acrartifact.files.directory.posix import DescriptorFolder
from azext_acrartifact.files.names import safe_name
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.files.writing.resumable_file import KeptPart
from azext_acrartifact.oci.digest import digest_of


def test_a_part_cannot_be_held_while_a_sweep_removes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = []

    def remove_late(folder: DescriptorFolder, name: str) -> None:
        descriptor = folder.reopen(name)
        held.append(folder.locks.hold(name, descriptor))
        os.close(descriptor)
        remove_tree(folder, name)

    monkeypatch.setattr(folder_posix, "remove_tree", remove_late)
    (tmp_path / ".acrartifact-0123456789abcdef.part").touch()
    with Destination.open(str(tmp_path)) as destination:
        destination.open_part(safe_name("a")).discard()
    assert held == [False]
    assert not os.listdir(tmp_path)


def test_a_file_with_its_final_name_is_not_held_by_the_name_it_had(tmp_path: Path) -> None:
    (tmp_path / "part").touch()
    with Destination.open(str(tmp_path)) as destination, contextlib.closing(destination.opened()) as folder:
        descriptor = folder.reopen("part")
        (tmp_path / "part").rename(tmp_path / "final")
        (tmp_path / "part").touch()
        assert not folder.locks.hold("part", descriptor)
        os.close(descriptor)


@pytest.mark.parametrize("locks", [True, False], ids=["locks", "no locks"])
def test_what_another_run_is_writing_is_not_written_by_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locks: bool
) -> None:
    """Without locks (some network mounts) nobody can tell whether that run still lives."""
    if not locks:
        monkeypatch.setattr(folder_posix, "try_lock", lambda _descriptor: None)
    name = safe_name("a")

    def begun(destination: Destination, content: bytes) -> KeptPart:
        part = destination.open_kept(name, digest_of(content), len(content), 1)
        part.write_at(memoryview(content), 0)
        part.mark(0)
        return part

    with Destination.open(str(tmp_path)) as one, Destination.open(str(tmp_path)) as other:
        first, second = begun(one, b"first"), begun(other, b"second")
        first.commit()
        assert (tmp_path / "a").read_bytes() == b"first"
        second.write_at(memoryview(b"s"), 0)
        assert (tmp_path / "a").read_bytes() == b"first"
        second.commit()
    assert (tmp_path / "a").read_bytes() == b"second"
