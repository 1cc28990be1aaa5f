"""A member costs the same however deep it is."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError, UnsafeContentError
from azext_acrartifact.files.directory import open_folder
from azext_acrartifact.files.names import RelativeName
from azext_acrartifact.files.writing.staging import OPEN_FOLDERS, Staging
from tests.support.system import WINDOWS, on_posix
from tests.unit.files.conftest import Before, failing
from tests.unit.files.descriptors import open_below

DEEP = ("x",) * 50


@pytest.fixture
def steps(before: Before) -> list[str]:
    """Return the names that are opened and made."""
    found: list[str] = []
    before(os, "open", lambda name, *_rest, **_folder: found.append(name))
    before(os, "mkdir", lambda name, *_rest, **_folder: found.append(name))
    return found


def add(staging: Staging, *parts: str) -> None:
    staging.add_file(RelativeName(parts), 0o644, [])


def jump(staging: Staging, *parts: str) -> None:
    """Add members that are, by turns, below ten folders."""
    for number in range(500):
        add(staging, f"{number % 10}", *parts, f"{number}")


def test_a_mount_without_symbolic_links_says_what_to_do(tmp_path: Path, before: Before) -> None:
    before(os, "symlink", failing(errno.EPERM))
    with contextlib.closing(open_folder(str(tmp_path))) as folder:
        staging = Staging(folder.again(), 9)
        staging.add_link(RelativeName(("link",)), "target")
        with pytest.raises(LocalFileError) as caught:
            staging.make_links()
        staging.remove()
    what = "Turn on Developer Mode" if WINDOWS else "Choose a folder whose file system has symbolic links"
    assert what in caught.value.hint


def test_members_of_one_folder_open_it_once(tmp_path: Path, steps: list[str]) -> None:
    with contextlib.closing(open_folder(str(tmp_path))) as folder:
        staging = Staging(folder.again(), 1000)
        add(staging, *DEEP, "first")
        begun = len(steps)
        for number in range(100):
            add(staging, *DEEP, f"{number}")
            staging.add_folder(RelativeName((*DEEP, "again")), 0o755)
        assert len(steps) == begun + 101
        staging.remove()
    assert os.listdir(tmp_path) == []


def test_siblings_are_reached_from_their_parent(tmp_path: Path, steps: list[str]) -> None:
    with contextlib.closing(open_folder(str(tmp_path))) as folder:
        staging = Staging(folder.again(), 1000)
        add(staging, *DEEP, "first")
        begun, opened = len(steps), len(open_below(tmp_path))
        for number in range(100):
            add(staging, *DEEP, f"{number}", "file")
        assert len(steps) == begun + 200 + len(on_posix("open") * 100)  # make and open the folder, create the file
        assert len(open_below(tmp_path)) <= opened + OPEN_FOLDERS
        staging.remove()


def test_members_that_jump_between_deep_folders_are_refused(tmp_path: Path) -> None:
    with contextlib.closing(open_folder(str(tmp_path))) as folder:
        staging = Staging(folder.again(), 100_000, free_steps=1000)
        with pytest.raises(UnsafeContentError, match="takes too long to unpack"):
            jump(staging, *DEEP)
        staging.remove()


def test_the_order_of_shallow_members_does_not_matter(tmp_path: Path) -> None:
    with contextlib.closing(open_folder(str(tmp_path))) as folder:
        staging = Staging(folder.again(), 100_000, free_steps=10)
        jump(staging, *"abcdef")
        staging.remove()
