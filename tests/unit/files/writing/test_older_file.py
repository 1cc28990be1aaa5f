"""The older file of a name: read for its parts, and never in the way."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from azext_acrartifact.files.directory import open_folder
from azext_acrartifact.files.writing.older_file import OlderFile
from tests.support.system import on_posix


def read(folder: Path, offset: int = 0) -> bytes:
    buffer = bytearray(4)
    with contextlib.closing(open_folder(str(folder))) as opened, contextlib.closing(OlderFile(opened, "f")) as older:
        return bytes(buffer[: older.read(memoryview(buffer), offset)])


def test_a_regular_file_is_read_at_any_offset(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"012345")
    assert (read(tmp_path), read(tmp_path, 3), read(tmp_path, 6), read(tmp_path, 99)) == (b"0123", b"345", b"", b"")


@pytest.mark.parametrize("kind", ["missing", "folder", *on_posix("link")])
def test_anything_else_counts_as_missing(tmp_path: Path, kind: str) -> None:
    make = {"folder": os.mkdir, "link": lambda path: os.symlink("other", path)}
    (tmp_path / "other").write_bytes(b"012345")
    make.get(kind, lambda path: None)(tmp_path / "f")
    assert read(tmp_path) == b""


def test_a_closed_one_stays_closed(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"012345")
    with contextlib.closing(open_folder(str(tmp_path))) as folder:
        older = OlderFile(folder, "f")
        older.close()
        older.close()
        assert older.read(memoryview(bytearray(4)), 0) == 0
