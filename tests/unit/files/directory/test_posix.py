"""Locks of folders and of temporary files in them on POSIX systems."""

import contextlib
import os
from pathlib import Path

from azext_acrartifact.files.directory import open_folder
from tests.unit.files.conftest import Before


def test_a_file_cannot_be_locked_while_a_sweep_removes_it(tmp_path: Path, before: Before) -> None:
    locked: list[bool | None] = []
    (tmp_path / "temporary").touch()
    with contextlib.closing(open_folder(str(tmp_path))) as folder:

        def lock(name: str, **_folder: int) -> None:
            descriptor = folder.reopen(name)
            locked.append(folder.locks.try_lock(name, descriptor))
            os.close(descriptor)

        before(os, "unlink", lock)
        folder.locks.remove_abandoned("temporary")
    assert locked == [False]
    assert not os.listdir(tmp_path)


def test_a_file_cannot_be_locked_by_the_name_it_had(tmp_path: Path) -> None:
    (tmp_path / "temporary").touch()
    with contextlib.closing(open_folder(str(tmp_path))) as folder:
        descriptor = folder.reopen("temporary")
        (tmp_path / "temporary").rename(tmp_path / "final")
        (tmp_path / "temporary").touch()
        assert not folder.locks.try_lock("temporary", descriptor)
        os.close(descriptor)
