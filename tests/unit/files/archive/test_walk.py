"""Folders to pack: what cannot be packed or pulled is refused, unless it is excluded."""

import os
import stat
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.archive.exclusion import Exclusion
from azext_acrartifact.files.archive.walk import walk
from azext_acrartifact.files.patterns import Patterns
from tests.support.system import WINDOWS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of five entries, itself included."""
    top = tmp_path / "d"
    (top / "sub").mkdir(parents=True)
    (top / "one.txt").touch()
    (top / "sub/group").touch()
    (top / "sub/up").touch()
    return top


NO_FILES = {
    "fifo": (lambda top: os.mkfifo(top / "bad"), "device, FIFO or socket"),
    "socket": (lambda top: os.mknod(top / "bad", stat.S_IFSOCK), "device, FIFO or socket"),
    "link-absolute": (lambda top: (top / "bad").symlink_to("/tmp"), "absolute"),
    "link-outside": (lambda top: (top / "bad").symlink_to("../x"), "outside"),
    "link-outside-deep": (lambda top: (top / "sub/bad").symlink_to("../../x"), "outside"),
    "link-late-dots": (lambda top: (top / "sub/bad").symlink_to("group/../../one.txt"), "only allowed at the start"),
    "link-unsafe": (lambda top: (top / "bad").symlink_to("a:b"), "not allowed"),
}
NAMES_THAT_WINDOWS_REFUSES = {
    "not-utf8": (lambda top: open(os.fsencode(top) + b"/bad\xff", "w").close(), "U\\+DCFF"),
    "newline": (lambda top: (top / "bad\nname").touch(), "U\\+000A"),
    "colon": (lambda top: (top / "bad:name").touch(), "U\\+003A"),
    "device-name": (lambda top: (top / "aux.bad").touch(), "device on Windows"),
    "trailing-dot": (lambda top: (top / "bad.").mkdir(), "dot or a space"),
    "too-long": (lambda top: (top.joinpath(*["bad" * 30] * 12)).mkdir(parents=True), "longer than 1024"),
}
UNPACKABLE = {
    **({} if WINDOWS else NO_FILES | NAMES_THAT_WINDOWS_REFUSES),
    "leftover": (lambda top: (top / ".acrartifact-bad.part").touch(), "temporary files"),
    "too-deep": (lambda top: (top.joinpath(*["b"] * 64)).mkdir(parents=True), "more than 64 components"),
}


@pytest.mark.parametrize(("make", "why"), UNPACKABLE.values(), ids=UNPACKABLE.keys())
@pytest.mark.timeout(5)
def test_refuses_entries_that_could_not_be_pulled(folder: Path, make: object, why: str) -> None:
    make(folder)  # type: ignore[operator]
    with pytest.raises(LocalFileError, match=why) as caught:
        walk(str(folder), "d")
    assert "--exclude" in caught.value.hint
    assert caught.value.where.startswith(str(folder))
    assert len(walk(str(folder), "d", Exclusion(Patterns.of(["*bad*", "b"])))) == 5


def test_the_components_of_the_title_count(folder: Path) -> None:
    (folder.joinpath(*["s"] * 63)).mkdir(parents=True)
    assert len(walk(str(folder), "d")) == len(walk(str(folder), ".")) == 5 + 63
    with pytest.raises(LocalFileError, match="more than 64 components"):
        walk(str(folder), "c/d")


def test_refuses_other_than_folders(folder: Path) -> None:
    with pytest.raises(LocalFileError, match="not a folder"):
        walk(str(folder / "one.txt"), "d")
    with pytest.raises(LocalFileError, match=r"No such file|File not found|cannot find"):
        walk(str(folder / "missing"), "d")


def test_the_number_of_entries_is_limited(folder: Path) -> None:
    assert len(walk(str(folder), "d", limit=5)) == 5
    with pytest.raises(LocalFileError, match=r"too many files.*at most 4"):
        walk(str(folder), "d", limit=4)


def test_names_that_differ_by_case_are_packed_and_noted(folder: Path) -> None:
    (folder / "ONE.txt").touch()
    exclusion = Exclusion()
    assert len(walk(str(folder), "d", exclusion)) == len(walk(str(folder), "d")) == 6
    assert exclusion.twins == [("ONE.txt", "one.txt")]
