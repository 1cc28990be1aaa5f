"""Reads and writes at an offset."""

import os
from pathlib import Path

import pytest

from azext_acrartifact.files.positioned_io import PositionedFile


@pytest.mark.parametrize("missing", [(), ("preadv", "pwrite")], ids=["", "neither preadv nor pwrite"])
def test_reads_and_writes_at_an_offset(tmp_path: Path, missing: tuple[str, ...], monkeypatch) -> None:
    for name in missing:
        monkeypatch.delattr(os, name, raising=False)
    with (tmp_path / "a").open("w+b", buffering=0) as opened:
        file = PositionedFile(opened.fileno())
        assert file.write(memoryview(b"0123456789"), 5) == 10
        buffer = bytearray(6)
        assert file.read(memoryview(buffer), 3) == 6
        assert bytes(buffer) == b"\0\x000123"
        assert file.read(memoryview(buffer), 12) == 3
        assert (bytes(buffer[:3]), file.read(memoryview(buffer), 15)) == (b"789", 0)
