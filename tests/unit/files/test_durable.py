"""What a drive holds in its own cache is written too, where the system can say so."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from azext_acrartifact.files.durable import make_durable
from tests.unit.files.conftest import Before

FULL_SYNC = 51
"""F_FULLFSYNC in macOS's sys/fcntl.h."""


@pytest.fixture
def synced(before: Before) -> list[str]:
    """Return the calls of fsync and of F_FULLFSYNC; without fcntl, on Windows, only the first exists."""
    found: list[str] = []
    before(os, "fsync", lambda _descriptor: found.append("fsync"))
    return found


def sync(path: Path) -> None:
    """Make the file *path* durable."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        make_durable(descriptor)
    finally:
        os.close(descriptor)


def test_fsync_is_called(tmp_path: Path, synced: list[str]) -> None:
    sync(tmp_path / "a")
    assert synced == ["fsync"]


if sys.platform != "win32":
    import fcntl

    @pytest.mark.parametrize(
        ("number", "calls"),
        [(0, ["full"]), (errno.ENOTSUP, ["full", "fsync"]), (errno.ENOTTY, ["full", "fsync"]), (errno.EIO, ["full"])],
    )
    def test_macos_writes_the_cache_of_the_drive(
        tmp_path: Path, synced: list[str], monkeypatch: pytest.MonkeyPatch, number: int, calls: list[str]
    ) -> None:
        def control(_descriptor: int, command: int) -> int:
            assert command == FULL_SYNC
            synced.append("full")
            if number:
                raise OSError(number, os.strerror(number))
            return 0

        monkeypatch.setattr(fcntl, "F_FULLFSYNC", FULL_SYNC, raising=False)
        monkeypatch.setattr(fcntl, "fcntl", control)
        if number == errno.EIO:
            with pytest.raises(OSError, match=os.strerror(errno.EIO)):
                sync(tmp_path / "a")
        else:
            sync(tmp_path / "a")
        assert synced == calls
