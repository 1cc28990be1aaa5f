"""Destination folders."""

from pathlib import Path

import pytest

from tests.support.system import fifo, link


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return a folder with the file `d/a`, the folder `d/e`, and, but for Windows, the link `d/link` and a FIFO."""
    (tmp_path / "d/e").mkdir(parents=True)
    (tmp_path / "d/a").write_bytes(b"12345")
    link(tmp_path / "d/link", "a")
    fifo(tmp_path / "d/fifo")
    return tmp_path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Return an empty folder that is not the top of the temporary one."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder
