"""What is typed on the command line: every right spelling reads back, any other is refused."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.errors import InvalidInputError
from azext_acrartifact.oci.mediatypes import is_media_type
from azext_acrartifact.operations.file_spec import FileSpec, parse_file_spec, title_below, title_of
from tests.support.system import WINDOWS

_path = st.text("ab./- é", min_size=1, max_size=12).filter(lambda text: text.strip())
_drive = st.sampled_from(["", "C:\\", "d:/"])
TYPE = "application/vnd.unknown.layer.v1+txt"
_type = st.from_regex(r"[a-z][a-z0-9.+-]{0,9}/[a-z][a-z0-9.+-]{0,9}", fullmatch=True)


@given(_drive, _path, _type)
def test_path_and_type_read_back(drive: str, path: str, media_type: str) -> None:
    whole = f"{drive}{path}"
    assert parse_file_spec(f"{whole}:{media_type}") == FileSpec(whole, media_type)
    assert parse_file_spec(f"{whole}:") == FileSpec(whole)
    assert parse_file_spec(whole) == FileSpec(whole)


@given(st.text(st.characters(exclude_characters="\x00"), min_size=1, max_size=30))
def test_any_text_is_a_path_and_perhaps_a_type_or_is_refused(text: str) -> None:
    with contextlib.suppress(InvalidInputError):
        found = parse_file_spec(text)
        assert found.path
        assert found.media_type is None or is_media_type(found.media_type)
        assert text in (found.path, f"{found.path}:", f"{found.path}:{found.media_type}")


@given(st.text(st.characters(exclude_characters="\x00"), min_size=1, max_size=30))
def test_a_title_lies_below_the_current_folder(path: str) -> None:
    title = title_of(path)
    assert not title.startswith("/")
    assert ".." not in title.split("/")[:1]


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        (f"/dev/null:{TYPE}", FileSpec("/dev/null", TYPE)),
        (f"NUL:{TYPE}", FileSpec("NUL", TYPE)),
        (r"C:\x.txt", FileSpec(r"C:\x.txt")),
        ("a:b:", FileSpec("a:b")),
        (f"a:b:{TYPE}", FileSpec("a:b", TYPE)),
        ("no/such/file", FileSpec("no/such/file")),
        ("", FileSpec("")),
    ],
)
def test_spellings(work: Path, text: str, spec: FileSpec) -> None:
    assert parse_file_spec(text) == spec


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("http://h.example/a", "A URL is not a file", "--stdin-name"),
        ("file:///a.txt", "A URL is not a file", "its path alone"),
        ("a.txt:text/plain; charset=utf-8", "Not a media type", "Write a.txt:text/plain"),
    ],
)
def test_the_hint_is_what_to_type(work: Path, text: str, what: str, hint: str) -> None:
    with pytest.raises(InvalidInputError, match=what) as caught:
        parse_file_spec(text)
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", [":", f":{TYPE}", "a.txt:nonsense", "a.txt:text/", "a:b"])
def test_an_invalid_spec_is_refused_with_a_hint(work: Path, text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_file_spec(text)
    assert "PATH:TYPE" in caught.value.hint


def test_a_path_that_exists_wins(work: Path) -> None:
    (work / "a:b").write_text("")
    assert parse_file_spec("a:b") == FileSpec("a:b")
    (work / "a:text").mkdir()
    (work / "a:text" / "plain").write_text("")
    assert parse_file_spec("a:text/plain") == FileSpec("a:text/plain")
    (work / "a").write_text("")
    assert parse_file_spec("a:text/plain") == FileSpec("a", "text/plain")


def test_windows_separators_are_read_where_that_exists(work: Path) -> None:
    (work / "d").mkdir()
    (work / "d" / "a.txt").write_text("")
    assert parse_file_spec(rf".\d\a.txt:{TYPE}") == FileSpec(r".\d\a.txt" if WINDOWS else "./d/a.txt", TYPE)
    assert parse_file_spec(r"e\a.txt") == FileSpec(r"e\a.txt")
    (work / r"d\a.txt").write_text("")
    assert parse_file_spec(r"d\a.txt") == FileSpec(r"d\a.txt")


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("a.txt", "a.txt"),
        ("./d/../a.txt", "a.txt"),
        ("d/a.txt", "d/a.txt"),
        ("d//a.txt/", "d/a.txt"),
        ("/tmp/x", "x"),
        ("../x", "x"),
        ("../../d/x", "x"),
        ("..x", "..x"),
        ("./..", None),
        (".", "."),
    ],
)
def test_titles(work: Path, path: str, title: str | None) -> None:
    assert title_of(path) == (os.path.basename(os.path.abspath(path)) if title is None else title)


def test_a_path_below_the_current_folder_is_relative_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [title_below(path) for path in (f"{tmp_path}/a/b", "a/b", "./a//b")] == ["a/b"] * 3
    assert [title_below(path) for path in (f"{tmp_path.parent}/b", "../b", f"{tmp_path}-x/b")] == ["b"] * 3


def test_a_path_from_the_top_of_a_drive_gets_its_last_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a drive, Python 3.13 takes it for relative on Windows."""
    monkeypatch.setattr(os.path, "isabs", lambda _path: False)
    assert title_of(os.sep + os.path.join("folder", "a.txt")) == "a.txt"
