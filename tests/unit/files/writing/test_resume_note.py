"""The note of an earlier run: which of its lines count, and which notes are replaced or left alone."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from azext_acrartifact.files.directory import open_folder
from azext_acrartifact.files.names import safe_name
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.files.writing.resumable_file import DATA, NOTE, ResumableFile, stem_of
from azext_acrartifact.files.writing.resume_note import Note, NoteHeader

NAME = safe_name("a.bin")
DIGEST = "sha256:" + "a" * 64
HEADER = json.dumps({"digest": DIGEST, "size": 10, "segment": 4}).encode() + b"\n"


def resumed(destination: Destination) -> ResumableFile:
    """Open a resumable file of ten bytes, in ranges of four."""
    return destination.open_resumable(NAME, DIGEST, 10, 4)


def noted(folder: Path, note: bytes) -> Path:
    """Make the file that an earlier run left, with *note*. Return the path of the note."""
    (folder / f"{stem_of(NAME)}{DATA}").write_bytes(b"0123456789")
    path = folder / f"{stem_of(NAME)}{NOTE}"
    path.write_bytes(note)
    return path


@pytest.mark.parametrize(
    ("lines", "done"),
    [
        (b"", set()),
        (b"0\n2\n", {0, 2}),
        (b"0\n0\n1\n", {0, 1}),
        (b"3\n1\n", {1}),
        (b"-1\n1\n", {1}),
        (b"9" * 5000 + b"\n1\n", {1}),
        (b"\xff\n+0\n 2\n0x1\n1_0\n1\n", {1}),
        (b"0\n1", {0}),
        (b"1", set()),
        (b"0\r\n1\n", {1}),
    ],
)
def test_complete_lines_of_a_note_are_used(tmp_path: Path, lines: bytes, done: set[int]) -> None:
    noted(tmp_path, HEADER + lines)
    with Destination.open(str(tmp_path)) as destination, resumed(destination) as file:
        assert file.done == done


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\n0\n",
        HEADER.replace(b"a", b"b") + b"0\n",
        HEADER.replace(b"10", b"11") + b"0\n",
        HEADER.replace(b"4", b"5") + b"0\n",
        b"[" * 100_000 + b"\n0\n",
        b"9" * 5000 + b"\n0\n",
        b"null\n0\n",
        HEADER.rstrip() + b" 0\n",
        HEADER.rstrip(),
    ],
)
def test_a_note_of_other_content_is_replaced(tmp_path: Path, note: bytes) -> None:
    path = noted(tmp_path, note)
    with Destination.open(str(tmp_path)) as destination, resumed(destination) as file:
        assert file.done == set()
        assert path.read_bytes() == HEADER
        file.mark(1)
    assert path.read_bytes() == HEADER + b"1\n"


@given(st.lists(st.integers(0, 2)), st.binary(max_size=20), st.lists(st.integers(0, 2), max_size=3))
@example([], b"1", [0])
def test_ranges_that_are_noted_after_any_note_are_found(
    tmp_path_factory: pytest.TempPathFactory, before: list[int], broken: bytes, after: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("resumed")
    noted(folder, HEADER + b"".join(b"%d\n" % number for number in before) + broken)
    with Destination.open(str(folder)) as destination:
        with resumed(destination) as file:
            found = set(file.done)
            assert set(before) <= found <= {0, 1, 2}
            for number in after:
                file.mark(number)
        with resumed(destination) as file:
            assert file.done == found | set(after)


def test_a_link_with_the_name_of_the_note_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / f"{stem_of(NAME)}{DATA}").write_bytes(b"0123456789")
    (tmp_path / f"{stem_of(NAME)}{NOTE}").symlink_to("elsewhere")
    with Destination.open(str(tmp_path)) as destination:
        with resumed(destination) as file:
            file.write_at(memoryview(b"abcdefghij"), 0)
            file.commit()
    assert (tmp_path / "a.bin").read_bytes() == b"abcdefghij"
    assert not os.path.lexists(tmp_path / "elsewhere")


def test_a_note_is_closed_before_it_is_removed(tmp_path: Path) -> None:
    """Windows removes no open file."""
    with contextlib.closing(open_folder(str(tmp_path))) as folder:
        note = Note("note", NoteHeader(DIGEST, 10, 4))
        note.open(folder, fresh=True)
        note.remove(folder)
    assert not note.is_open
    assert not os.listdir(tmp_path)
