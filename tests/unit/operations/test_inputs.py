"""The files and folders of a push, checked before anything is sent."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.operations.file_spec import FileSpec
from azext_acrartifact.operations.inputs import Opening, open_inputs


def open_all(*paths: str) -> None:
    with contextlib.ExitStack() as stack:
        open_inputs([FileSpec(path) for path in paths], Opening(), stack)


def test_files_are_opened_and_folders_scanned(work: Path) -> None:
    (work / "d").mkdir()
    (work / "d" / "x").write_text("12345")
    (work / "a").write_text("123")
    with contextlib.ExitStack() as stack:
        file, folder = open_inputs([FileSpec("a"), FileSpec("d")], Opening(annotations={"a": {"k": "v"}}), stack)
        assert (file.title, file.size, file.annotations) == ("a", 3, {"k": "v"})
        assert (folder.title, folder.size, folder.file) == ("d", 5, None)


@pytest.mark.parametrize("path", ["missing", "", "d/missing"])
def test_a_missing_file_is_refused(work: Path, path: str) -> None:
    with pytest.raises(errors.LocalFileError):
        open_all(path)


@pytest.mark.parametrize(
    ("first", "second", "hint"),
    [
        ("a", "./a", "Give ./a once."),
        ("d/x", "d", "Leave d/x out: it is in d."),
        ("d", "d/x", "Leave d/x out: it is in d."),
        ("../x", "x", "Rename one, or push their folder."),
    ],
)
def test_two_files_of_one_title_are_refused(work: Path, first: str, second: str, hint: str, monkeypatch) -> None:
    (work / "w" / "d").mkdir(parents=True)
    for name in ("w/a", "w/A", "w/d/x", "w/x", "x"):
        (work / name).write_text("")
    monkeypatch.chdir(work / "w")
    with pytest.raises(errors.InvalidInputError) as caught:
        open_all(first, second)
    assert caught.value.hint.endswith(hint)


@pytest.mark.parametrize("name", ["a:b", "con", "a ", "a\\b", "b\x1b", "\udcff"])
def test_a_name_that_cannot_be_pulled_is_not_pushed(work: Path, name: str) -> None:
    try:
        (work / name).write_text("")
    except OSError:
        pytest.fail("the file system of this test must accept every name")
    with pytest.raises(errors.LocalFileError, match="cannot be pushed"):
        open_all(name)


def test_names_that_differ_by_case_are_pushed_and_noted(work: Path) -> None:
    for name in ("a", "A"):
        (work / name).write_text("")
    opening = Opening()
    with contextlib.ExitStack() as stack:
        assert [item.title for item in open_inputs([FileSpec("a"), FileSpec("A")], opening, stack)] == ["a", "A"]
    assert opening.exclusion.twins == [("a", "A")]


def test_absolute_paths_of_one_last_name_keep_their_folders(work: Path) -> None:
    for name in ("x/a", "y/a", "b"):
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_text("")
    paths = [FileSpec(str(work / name)) for name in ("x/a", "y/a", "b")]
    with contextlib.ExitStack() as stack:
        assert [item.title for item in open_inputs(paths, Opening(), stack)] == ["x/a", "y/a", "b"]


@pytest.mark.parametrize(("mode", "stated"), [(0o755, 0o755), (0o775, 0o755), (0o4711, 0o711), (0o644, 0o644)])
def test_the_mode_is_that_of_a_packed_file(work: Path, mode: int, stated: int) -> None:
    (work / "a").write_text("")
    (work / "a").chmod(mode)
    with contextlib.ExitStack() as stack:
        assert open_inputs([FileSpec("a")], Opening(), stack)[0].mode == stated


@pytest.mark.parametrize("path", ["/proc/version", "/proc/self/maps"])
def test_a_file_with_content_behind_its_size_is_read_to_the_end(path: str) -> None:
    with contextlib.ExitStack() as stack:
        (item,) = open_inputs([FileSpec(path)], Opening(), stack)
        assert item.file
        item.file.park()
        content = item.file.open_range(0, item.size).read()
    assert content.endswith(b"\n")
    assert item.size == len(content) > 20
