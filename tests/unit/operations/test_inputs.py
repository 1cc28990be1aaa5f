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


@pytest.mark.parametrize(("first", "second"), [("a", "./a"), ("A", "a"), ("d/x", "d"), ("../x", "x")])
def test_two_files_of_one_title_are_refused(work: Path, first: str, second: str, monkeypatch) -> None:
    (work / "w" / "d").mkdir(parents=True)
    for name in ("w/a", "w/A", "w/d/x", "w/x", "x"):
        (work / name).write_text("")
    monkeypatch.chdir(work / "w")
    with pytest.raises(errors.InvalidInputError):
        open_all(first, second)


@pytest.mark.parametrize("name", ["a:b", "con", "a ", "a\\b", "b\x1b", "\udcff"])
def test_a_name_that_cannot_be_pulled_is_not_pushed(work: Path, name: str) -> None:
    try:
        (work / name).write_text("")
    except OSError:
        pytest.fail("the file system of this test must accept every name")
    with pytest.raises(errors.LocalFileError, match="cannot be pushed"):
        open_all(name)
