"""Unfinished files that outlive a run, and what an earlier run's note is believed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from azext_acrartifact.files.names import safe_name
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.files.writing.resumable_file import DATA, NOTE, KeptPart, stem_of

NAME = safe_name("a.bin")
DIGEST = "sha256:" + "a" * 64
HEADER = json.dumps({"digest": DIGEST, "size": 10, "segment": 4}).encode() + b"\n"


def kept(destination: Destination) -> KeptPart:
    """An unfinished file of ten bytes, in pieces of four."""
    return destination.open_kept(NAME, DIGEST, 10, 4)


def noted(folder: Path, note: bytes) -> Path:
    """A file that an earlier run left, with *note*."""
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
def test_a_note_is_believed_as_far_as_it_is_whole(tmp_path: Path, lines: bytes, done: set[int]) -> None:
    noted(tmp_path, HEADER + lines)
    with Destination.open(str(tmp_path)) as destination, kept(destination) as part:
        assert part.done == done


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
def test_a_note_of_something_else_is_begun_anew(tmp_path: Path, note: bytes) -> None:
    path = noted(tmp_path, note)
    with Destination.open(str(tmp_path)) as destination, kept(destination) as part:
        assert part.done == set()
        assert path.read_bytes() == HEADER
        part.mark(1)
    assert path.read_bytes() == HEADER + b"1\n"


@given(st.lists(st.integers(0, 2)), st.binary(max_size=20), st.lists(st.integers(0, 2), max_size=3))
@example([], b"1", [0])
def test_what_is_noted_after_any_note_is_found(
    tmp_path_factory: pytest.TempPathFactory, before: list[int], broken: bytes, after: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("kept")
    noted(folder, HEADER + b"".join(b"%d\n" % number for number in before) + broken)
    with Destination.open(str(folder)) as destination:
        with kept(destination) as part:
            found = set(part.done)
            assert set(before) <= found <= {0, 1, 2}
            for number in after:
                part.mark(number)
        with kept(destination) as part:
            assert part.done == found | set(after)


def test_a_note_that_is_no_file_stops_nothing_but_this_file(tmp_path: Path) -> None:
    """Something else of the note's name is left alone."""
    (tmp_path / f"{stem_of(NAME)}{DATA}").write_bytes(b"0123456789")
    (tmp_path / f"{stem_of(NAME)}{NOTE}").symlink_to("elsewhere")
    with Destination.open(str(tmp_path)) as destination:
        with kept(destination) as part:
            part.write_at(memoryview(b"abcdefghij"), 0)
            part.commit()
    assert (tmp_path / "a.bin").read_bytes() == b"abcdefghij"
    assert not os.path.lexists(tmp_path / "elsewhere")
