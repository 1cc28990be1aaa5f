"""Staged folders move to their destination, whatever another run does there meanwhile."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.directory import open_folder
from azext_acrartifact.files.directory.handle import Folder
from azext_acrartifact.files.writing.merge import move, require_free_way
from azext_acrartifact.files.writing.staging import Node
from tests.support.system import RENAME, fifo, has_mode, on_posix
from tests.unit.files.conftest import Before


def node(name: str, *children: Node, kind: int = stat.S_IFDIR, mode: int = 0o755) -> Node:
    """Return a folder of *children*, or a node of another *kind*."""
    return Node(name, kind, mode, children={child.name: child for child in children})


A = node("a", kind=stat.S_IFREG, mode=0o644)


@contextlib.contextmanager
def staged(tmp_path: Path, *names: str) -> Iterator[tuple[Folder, Folder]]:
    """Yield the folder `from` with the files *names*, and the folder `to`, which are made if they are missing."""
    for name in names:
        (tmp_path / "from" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "from" / name).write_bytes(b"new")
    (tmp_path / "to").mkdir(exist_ok=True)
    with contextlib.closing(open_folder(str(tmp_path / "from"))) as source:
        with contextlib.closing(open_folder(str(tmp_path / "to"))) as target:
            yield source, target


@pytest.mark.usefixtures("folder_kind")
@pytest.mark.parametrize(
    ("make", "what"),
    [
        *on_posix((lambda path: path.symlink_to("mine"), "a symbolic link"), (fifo, "a device, FIFO or socket")),
        (os.mkdir, "a folder"),
    ],
)
def test_what_is_created_after_the_check_is_not_replaced(
    tmp_path: Path, make: Callable[[Path], object], what: str
) -> None:
    with staged(tmp_path, "a") as (source, target):
        require_free_way(node("", A), target)
        make(tmp_path / "to" / "a")
        kind = stat.S_IFMT((tmp_path / "to" / "a").lstat().st_mode)
        with pytest.raises(LocalFileError, match=f"in the way.*it is {what}"):
            move(node("", A), source, target)
    assert stat.S_IFMT((tmp_path / "to" / "a").lstat().st_mode) == kind


@pytest.mark.usefixtures("folder_kind")
def test_without_overwrite_nothing_is_written_into_an_existing_folder(tmp_path: Path) -> None:
    with staged(tmp_path, "d/a", "e/a") as (source, target):
        move(node("", node("d", A)), source, target, overwrite=False)
        (tmp_path / "to" / "e").mkdir()
        with pytest.raises(LocalFileError, match="A file of this name exists now"):
            move(node("", node("e", A)), source, target, overwrite=False)
    assert [os.listdir(tmp_path / "to" / name) for name in "de"] == [["a"], []]


@pytest.mark.usefixtures("folder_kind")
def test_an_existing_folder_stays_the_same_folder(tmp_path: Path) -> None:
    """POSIX would replace it by another one if it is empty."""
    (tmp_path / "to/d").mkdir(parents=True)
    before = (tmp_path / "to/d").stat().st_ino
    with staged(tmp_path, "d/a") as (source, target):
        move(node("", node("d", A)), source, target)
    assert ((tmp_path / "to/d").stat().st_ino, os.listdir(tmp_path / "to/d")) == (before, ["a"])


def fail_rename(before: Before, number: int, there: Path | None) -> None:
    """Make the folder *there* before the folder `d` is moved, and let the move fail with the error *number*."""

    def fail(name: str, *_rest: object, **_folders: int) -> None:
        if os.path.basename(name) == "d":
            if there:
                there.mkdir()
            raise OSError(number, os.strerror(number))

    before(os, RENAME, fail)


@pytest.mark.parametrize("number", [errno.EEXIST, errno.ENOTEMPTY, errno.EACCES])
def test_a_folder_made_at_the_last_moment_is_merged_into_whatever_the_system_says(
    tmp_path: Path, before: Before, number: int
) -> None:
    """POSIX allows the first two errors for rename, Windows reports that access is denied."""
    with staged(tmp_path, "d/a") as (source, target):
        fail_rename(before, number, tmp_path / "to" / "d")
        move(node("", node("d", A)), source, target)
    assert (tmp_path / "to/d/a").read_bytes() == b"new"


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EXDEV])
def test_where_folders_cannot_be_renamed_their_files_are_moved(tmp_path: Path, before: Before, number: int) -> None:
    with staged(tmp_path, "d/a") as (source, target):
        fail_rename(before, number, None)
        move(node("", node("d", A, mode=0o750)), source, target)
    assert (tmp_path / "to/d/a").read_bytes() == b"new"
    assert has_mode(tmp_path / "to/d", 0o750)


@pytest.mark.parametrize(("number", "there"), [(errno.EACCES, False), (errno.EIO, True), (errno.EIO, False)])
def test_a_folder_that_cannot_be_moved_says_why(tmp_path: Path, before: Before, number: int, there: bool) -> None:
    with staged(tmp_path, "d/a") as (source, target):
        fail_rename(before, number, tmp_path / "to" / "d" if there else None)
        with pytest.raises(LocalFileError, match=f"Cannot make the folder.*{os.strerror(number)}"):
            move(node("", node("d", A)), source, target)
    assert (tmp_path / "from/d/a").exists()


@pytest.mark.usefixtures("junctions")
def test_a_junction_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "to" / "junction").mkdir(parents=True)
    with staged(tmp_path, "junction/a") as (_, target), pytest.raises(LocalFileError, match="it is a symbolic link"):
        require_free_way(node("", node("junction", A)), target)
