"""Folders by path: read-only files, locks and long paths as on Windows, on every system."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files import modes
from azext_acrartifact.files.directory import windows
from azext_acrartifact.files.directory.handle import remove_tree
from azext_acrartifact.files.directory.windows import PathFolder
from azext_acrartifact.files.names import RelativeName, safe_folder, safe_name
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.files.writing.merge import move
from azext_acrartifact.files.writing.staging import Staging
from tests.unit.files.conftest import Before, failing, leftovers, put

READ_ONLY = 0o444


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    """Return a folder with the read-only file `a`, and allow its removal."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "a").write_bytes(b"old")
    (folder / "a").chmod(READ_ONLY)
    yield folder
    for path in folder.rglob("*"):
        path.chmod(0o700)


@pytest.fixture(autouse=True)
def by_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use folders by path, as on Windows."""
    monkeypatch.setattr(os, "supports_dir_fd", set())


@pytest.fixture
def refusing(before: Before) -> None:
    """Refuse to replace or remove what is read-only, as Windows does."""

    def refuse(number: int) -> Callable[..., None]:
        def check(*paths: str) -> None:
            with contextlib.suppress(FileNotFoundError):
                if not os.lstat(paths[number]).st_mode & stat.S_IWRITE:
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), paths[number])

        return check

    before(os, "replace", refuse(1))
    before(os, "unlink", refuse(0))
    before(os, "rmdir", refuse(0))


@pytest.mark.usefixtures("refusing")
def test_a_read_only_file_is_replaced_and_removed(out: Path) -> None:
    with Destination.open(str(out)) as destination:
        put(destination, "a", b"new")
    assert (out / "a").read_bytes() == b"new"
    (out / "a").chmod(READ_ONLY)
    PathFolder(str(out)).remove("a")
    assert not os.listdir(out)


@pytest.mark.usefixtures("refusing")
def test_a_folder_of_read_only_files_is_unpacked_again_and_again(out: Path) -> None:
    """Also after a run that left its files in the staging folder."""
    for content in (b"1", b"2"):
        with Destination.open(str(out)) as destination, contextlib.closing(destination.opened()) as folder:
            staging = Staging(folder.again(), 9)
            staging.add_folder(RelativeName(("d",)), 0o555)
            for name in ("d", "twice"):
                staging.add_file(RelativeName((name, "a")), READ_ONLY, [memoryview(content)])
            move(staging.root, staging.folder, folder)
            staging.add_file(RelativeName(("left", "a")), READ_ONLY, [])
            staging.remove()
        assert (out / "d/a").read_bytes() == (out / "twice/a").read_bytes() == content
    assert not leftovers(out)


def test_a_file_that_cannot_be_replaced_stays_read_only(out: Path, before: Before) -> None:
    before(os, "replace", failing(errno.EACCES))
    (out / "b").touch()
    with contextlib.closing(PathFolder(str(out))) as folder, pytest.raises(PermissionError):
        folder.rename("b", folder, "a")
    assert stat.S_IMODE((out / "a").stat().st_mode) == READ_ONLY


@pytest.mark.parametrize(("times", "goes"), [(2, True), (1 << 30, False)], ids=["for a moment", "for long"])
@pytest.mark.parametrize("code", [32, 145], ids=["open", "not empty yet"])
def test_what_another_process_has_open_is_removed_when_it_is_closed(
    out: Path, before: Before, monkeypatch: pytest.MonkeyPatch, times: int, goes: bool, code: int
) -> None:
    left = [times]

    def refuse(*_: str) -> None:
        left[0] -= 1
        if left[0] >= 0:
            error = OSError(errno.EACCES if code == 32 else errno.ENOTEMPTY, "in use", "b", code)
            if os.name != "nt":
                error.winerror = code  # type: ignore[attr-defined]
            raise error

    monkeypatch.setattr(windows, "_MOMENT", 0.1)
    before(os, "rmdir", refuse)
    (out / "b").mkdir()
    with contextlib.suppress(OSError), contextlib.closing(PathFolder(str(out))) as folder:
        folder.remove_folder("b")
    assert (out / "b").exists() != goes


def test_a_staging_folder_is_removed_when_its_run_has_ended(out: Path) -> None:
    with contextlib.closing(PathFolder(str(out))) as folder:
        staging = Staging(folder.again(), 9)
        (left,) = leftovers(out)[:1]
        os.utime(left, (1, 1))
        folder.locks.remove_abandoned(left.name)
        staging.add_file(RelativeName(("b",)), 0o644, [])
        staging.folder.close()
        folder.locks.remove_abandoned(left.name)
    assert os.listdir(out) == ["a"]


@pytest.mark.parametrize(("age", "stays"), [(0, True), (100, False)])
def test_without_a_lock_age_decides(out: Path, age: float, stays: bool) -> None:
    """No folder has a lock just after it was made, and no file is open just before it is renamed."""
    file, folder = out / ".acrartifact-0.part", out / ".acrartifact-1.part"
    file.touch()
    (folder / "below").mkdir(parents=True)
    for path in (file, folder):
        os.utime(path, (path.stat().st_mtime - age,) * 2)
        PathFolder(str(out)).locks.remove_abandoned(path.name)
        assert path.exists() is stays


def test_a_new_folder_has_the_rights_of_the_one_around_it(
    out: Path, before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all modes, Windows gives 700 a meaning."""
    monkeypatch.setattr(modes, "HAS_MODES", False)
    made: list[int] = []
    before(os, "mkdir", lambda _path, mode: made.append(mode))
    Staging(PathFolder(str(out)), 9).remove()
    assert made == [0o777]


def test_one_run_at_a_time_has_a_folder_to_itself(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with Destination.open(str(out)) as mine, Destination.open(str(out)) as other:
        with mine.alone(), pytest.raises(LocalFileError, match="has not released its lock"), other.alone(0.1):
            pass
        with other.alone(0.1):
            pass
    assert os.listdir(out) == ["a"]


def test_a_drive_or_share_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    root = "Q:\\" if os.name == "nt" else "/"
    monkeypatch.setattr(os.path, "lexists", lambda _path: False)
    with pytest.raises(LocalFileError, match="there is no drive or share") as caught:
        Destination.open(os.path.join(root, "absent", "out"))
    assert root in caught.value.why


def test_a_folder_that_is_made_meanwhile_is_missing_and_no_file(out: Path, before: Before) -> None:
    before(os.path, "exists", lambda path: os.mkdir(path))
    with contextlib.closing(PathFolder(str(out))) as folder, pytest.raises(FileNotFoundError):
        folder.child("new")


def test_a_path_of_any_length_is_read_and_written(out: Path) -> None:
    """MAX_PATH is 260 on Windows."""
    parts = ["n" * 50] * 5
    with Destination.open(os.path.join(str(out), *parts)) as destination:
        put(destination, "/".join([*parts, "b"]), b"new")
        assert destination.digest_of(safe_name("/".join([*parts, "b"])))
        with destination.folders.open(safe_folder("/".join(parts))) as folder:
            assert folder.names() == ["b"]
            folder.remove("b")
    with contextlib.closing(PathFolder(str(out))) as folder:
        remove_tree(folder, parts[0])
    assert os.listdir(out) == ["a"]
