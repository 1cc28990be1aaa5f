"""Local files and folders as typed."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

import pytest

from azext_acrartifact.cli.local_paths import file_specs, require_folder, require_layout
from azext_acrartifact.errors import LocalFileError


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a few files."""
    monkeypatch.chdir(tmp_path)
    for name in ("b.txt", "a.txt", "s[1].env", "s1.env", ".hidden.txt"):
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "paths"),
    [
        ("*.txt", ["a.txt", "b.txt"]), ("?.txt:text/plain", ["a.txt", "b.txt"]), ("s[1].env", ["s[1].env"]),
        ("s[12].env", ["s1.env"]), ("missing.txt", ["missing.txt"]), ("a.txt", ["a.txt"]),
    ],
)  # fmt: skip
def test_a_pattern_that_the_shell_left_stands_for_its_files(typed: str, paths: list[str]) -> None:
    found = file_specs([typed])
    assert [spec.path for spec in found] == paths
    assert {spec.media_type for spec in found} == {"text/plain" if ":" in typed else None}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("*.zip", "No file matches *.zip"),
        ("'*.txt'", "quotes"),
        ("\u201ca.txt\u201d", "quotes"),
        ("a.txt,b.txt", "by spaces: a.txt b.txt"),
    ],
)
def test_a_pattern_without_a_file_is_refused(typed: str, words: str) -> None:
    with pytest.raises(LocalFileError) as caught:
        file_specs([typed])
    assert words in f"{caught.value.message} {caught.value.hint}"


def test_a_destination_is_a_folder(work: Path) -> None:
    require_folder(".")
    require_folder("new/folder")
    with pytest.raises(LocalFileError, match=r"a\.txt is a file"):
        require_folder("a.txt")


def test_a_file_that_is_no_archive_is_no_layout(work: Path) -> None:
    with tarfile.open("layout.bin", "w") as tar:
        tar.add("a.txt")
    (work / "layout.gz").write_bytes(gzip.compress(b""))
    for other in ("layout.bin", "layout.gz", "missing", "."):
        require_layout(other, "is no OCI layout", "Name another.")
    (work / "empty.tar").touch()
    for wrong in ("a.txt", "empty.tar"):
        with pytest.raises(LocalFileError, match=f"{wrong} is no OCI layout"):
            require_layout(wrong, "is no OCI layout", "Name another.")
