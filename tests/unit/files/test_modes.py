"""The modes of files where the disk has none: the same for the same content."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from azext_acrartifact.files import modes
from azext_acrartifact.files.archive.pack import PackedFolder
from azext_acrartifact.files.modes import mode_by_content

FILE, FOLDER = stat.S_IFREG, stat.S_IFDIR
CONTENTS = {
    "run.sh": b"#!/bin/sh\n",
    "tool": b"\x7fELF\x02\x01",
    "tool.mac": b"\xcf\xfa\xed\xfe\x07",
    "setup.exe": b"MZ\x90\x00",
    "notes.txt": b"text",
    "empty": b"",
}
PROGRAMS = {"run.sh", "tool", "tool.mac"}


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize(("bits", "plain"), [(0o777, 0o644), (0o666, 0o644), (0o555, 0o444), (0o444, 0o444)])
def test_the_content_says_what_a_program_is(name: str, bits: int, plain: int) -> None:
    expected = plain | (0o111 if name in PROGRAMS else 0)
    assert mode_by_content(FILE | bits, lambda: CONTENTS[name]) == expected


def test_a_folder_needs_no_content() -> None:
    assert mode_by_content(FOLDER | 0o555, bytes) == 0o755


def test_windows_packs_the_modes_of_other_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = tmp_path / "d"
    (top / "sub").mkdir(parents=True)
    for name, content in CONTENTS.items():
        (top / name).write_bytes(content)
        (top / name).chmod(0o755 if name in PROGRAMS else 0o644)
    elsewhere = PackedFolder.scan(str(top), "d", mtime=0).tar_digest()
    for name in CONTENTS:
        (top / name).chmod(0o666)
    monkeypatch.setattr(modes, "HAS_MODES", False)
    assert PackedFolder.scan(str(top), "d", mtime=0).tar_digest() == elsewhere
