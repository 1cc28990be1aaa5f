"""Destination folders."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return a folder with the file `d/a`, the folder `d/e`, a link and a FIFO."""
    (tmp_path / "d/e").mkdir(parents=True)
    (tmp_path / "d/a").write_bytes(b"12345")
    (tmp_path / "d/link").symlink_to("a")
    os.mkfifo(tmp_path / "d/fifo")
    return tmp_path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Return an empty folder that is not the top of the temporary one."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder
