"""What a push leaves out of folders: by .artifactignore, by --exclude, and by default."""

from __future__ import annotations

from pathlib import Path

import pytest

from azext_acrartifact.errors import InvalidInputError, LocalFileError
from azext_acrartifact.files.archive.exclusion import Exclusion
from azext_acrartifact.files.archive.walk import walk
from azext_acrartifact.files.patterns import Patterns


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a checkout, with a submodule and what macOS leaves in folders."""
    for name in (
        ".git/config",
        "sub/.git",
        "sub/.DS_Store",
        "docs/a.md",
        "docs/b.log",
        "src/bin/Release/a.dll",
        "src/c",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def files(folder: Path, exclusion: Exclusion, title: str = ".") -> set[str]:
    """Return the files that are packed."""
    return {entry.path for entry in walk(str(folder), title, exclusion) if Path(entry.source).is_file()}


OWN = {"docs/a.md", "docs/b.log", "src/bin/Release/a.dll", "src/c"}
GIT = {".git/config", "sub/.git", "sub/.DS_Store"}


@pytest.mark.parametrize(
    ("own", "exclude", "expected", "left"),
    [
        (None, [], OWN, [".git", "sub/.DS_Store", "sub/.git"]),
        (None, ["!.git"], OWN | GIT - {"sub/.DS_Store"}, ["sub/.DS_Store"]),
        (None, [".git", "*.md"], OWN - {"docs/a.md"}, ["sub/.DS_Store"]),
        ("", [], OWN | GIT, []),
        ("# nothing\n.git/\n", [], OWN | GIT - {".git/config"}, []),
        ("*.log\nsrc/\n.git\n.DS_Store\n", ["!b.log"], {"docs/a.md", "docs/b.log"}, []),
        ("**/*\n!src/bin/Release/**.*\r\n", [], {"src/bin/Release/a.dll"}, []),
        ("/a.md\ndocs/b.log\n", [".git", ".DS_Store"], OWN - {"docs/b.log"}, []),
    ],
    ids=["default", "taken-back", "asked-for", "empty", "own", "both", "azure", "anchored"],
)
def test_what_is_left(folder: Path, own: str | None, exclude: list[str], expected: set[str], left: list[str]) -> None:
    """Note that a pattern for folders only does not match the file `.git` of a submodule."""
    if own is not None:
        (folder / ".artifactignore").write_text(own)
    exclusion = Exclusion(Patterns.of(exclude))
    assert files(folder, exclusion) - {".artifactignore"} == expected
    assert exclusion.left_out == left


def test_patterns_are_relative_to_each_folder_and_names_to_the_artifact(folder: Path) -> None:
    exclusion = Exclusion(Patterns.of(["/a.md"]))
    assert files(folder / "docs", exclusion, "x/docs") == {"b.log"}
    assert files(folder / "sub", exclusion, "y") == set()
    assert exclusion.left_out == ["y/.DS_Store", "y/.git"]


def test_folders_above_a_file_that_is_taken_back_are_packed(folder: Path) -> None:
    (folder / ".artifactignore").write_text("*\n!/src/bin/Release/*\n")
    paths = [entry.path for entry in walk(str(folder), ".", Exclusion())]
    assert paths == ["", "src", "src/bin", "src/bin/Release", "src/bin/Release/a.dll"]


def test_without_rules_nothing_is_left_out(folder: Path) -> None:
    (folder / ".artifactignore").write_text("*")
    assert {entry.path for entry in walk(str(folder), ".")} > OWN | GIT


@pytest.mark.parametrize(
    ("content", "kind", "why"),
    [
        (b"a\n[z-a]", InvalidInputError, "line 2"), (b"\xff", LocalFileError, "UTF-8"),
        (b"a\n" * (1 << 20), LocalFileError, "longer"),
    ],
    ids=["pattern", "bytes", "length"],
)  # fmt: skip
def test_an_ignore_file_that_cannot_be_read_is_an_error(folder: Path, content: bytes, kind: type, why: str) -> None:
    (folder / ".artifactignore").write_bytes(content)
    with pytest.raises(kind, match=why) as caught:
        files(folder, Exclusion())
    assert ".artifactignore" in caught.value.where
