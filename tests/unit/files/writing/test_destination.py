"""What a destination looks at, makes and lets go of, and how often."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.names import RelativeName, safe_folder, safe_name
from azext_acrartifact.files.writing import destination as place
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.files.writing.resumable_file import DATA, KEPT_FOR, NOTE, stem_of
from tests.unit.files.descriptors import open_below

pytestmark = pytest.mark.usefixtures("folder_kind")
HERE = RelativeName(())
MISSING = ("none", "d/none", "none/a", "d/none/a")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder with the file `d/a`, the folder `d/e`, a link and a FIFO."""
    (tmp_path / "d/e").mkdir(parents=True)
    (tmp_path / "d/a").write_bytes(b"12345")
    (tmp_path / "d/link").symlink_to("a")
    os.mkfifo(tmp_path / "d/fifo")
    return tmp_path


def test_each_system_is_held_its_own_way(out: Path, folder_kind: type) -> None:
    with Destination.open(str(out)) as destination, contextlib.closing(destination.opened()) as folder:
        assert isinstance(folder, folder_kind)


def test_folders_that_were_made_go_when_the_last_cannot_be_opened(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise OSError(errno.EMFILE, "Too many open files", path)

    monkeypatch.setattr(place, "open_folder", refuse)
    with pytest.raises(LocalFileError, match="Too many open files"):
        Destination.open(str(out / "d/new/er"))
    assert sorted(os.listdir(out / "d")) == ["a", "e", "fifo", "link"]


def test_what_is_no_regular_file_has_no_size(out: Path) -> None:
    with Destination.open(str(out)) as destination:
        assert destination.size_of(safe_name("d/a")) == 5
        for name in ("d/e", "d/link", "d/fifo", *MISSING):
            assert destination.size_of(safe_name(name)) is None
            assert destination.digest_of(safe_name(name)) is None


def test_what_a_name_is_held_by_is_told(out: Path) -> None:
    with Destination.open(str(out)) as destination:
        assert all(destination.holds(safe_name(name)) for name in ("d", "d/a", "d/e", "d/link", "d/fifo"))
        assert not any(destination.holds(safe_name(name)) for name in MISSING)
        assert destination.holds(HERE)
    with Destination.open(str(out / "d/e")) as destination:
        assert not destination.holds(HERE)


def test_only_what_is_kept_in_the_files_own_folder_counts(out: Path) -> None:
    name = safe_name("d/deep/b")
    for folder in ("d", "d/e"):
        (out / folder / f"{stem_of(name)}{DATA}").write_bytes(bytes(5000))
    with Destination.open(str(out)) as destination:
        assert destination.kept_bytes(safe_name("d/e/b")) >= 5000
        assert destination.kept_bytes(name) == 0, "its folder is not there yet"
        assert destination.kept_bytes(safe_name("d/c")) == 0


def test_nothing_is_made_where_that_is_not_asked_for(out: Path) -> None:
    with Destination.open(str(out)) as destination:
        with pytest.raises(LocalFileError, match="No such file"), destination.folder(safe_folder("d/none")):
            pass
        with destination.folder(safe_folder("d/new"), create=True):
            assert (out / "d/new").is_dir()
    assert not (out / "d/none").exists()


def test_a_folder_that_was_there_stays_also_when_it_is_empty(out: Path) -> None:
    with contextlib.suppress(RuntimeError), Destination.open(str(out)) as destination:
        for folder in ("d/e", "d/new/deep", "e"):
            with destination.folder(safe_folder(folder), create=True):
                pass
        raise RuntimeError
    assert sorted(path.name for path in out.rglob("*") if path.is_dir()) == ["d", "e"]


def test_who_was_alone_lets_others_in_again(out: Path) -> None:
    with Destination.open(str(out)) as destination:
        before = open_below(out)
        for _ in range(2):
            with destination.alone():
                pass
            assert open_below(out) == before


def test_all_that_is_free_may_be_used(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fstatvfs", lambda _: types.SimpleNamespace(f_bavail=10, f_frsize=100))
    monkeypatch.setattr("shutil.disk_usage", lambda _: types.SimpleNamespace(free=1000))
    with Destination.open(str(out)) as destination:
        destination.require_space(1000)
        with pytest.raises(LocalFileError, match="1,001 bytes are needed and 1,000 are free"):
            destination.require_space(1001)


def counted(monkeypatch: pytest.MonkeyPatch, name: str, which: Callable[..., bool]) -> list[object]:
    """The calls of the system's function *name* from now on, those *which* says."""
    found: list[object] = []
    real = getattr(os, name)

    def noted(*arguments: object, **more: object) -> object:
        if which(*arguments):
            found.append(arguments)
        return real(*arguments, **more)

    monkeypatch.setattr(os, name, noted)
    return found


def test_a_folder_of_many_files_is_tried_once(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = counted(monkeypatch, "open", lambda _path, flags, *_: bool(flags & os.O_CREAT))
    with Destination.open(str(out)) as destination:
        destination.require_writable([safe_name(f"{folder}/{number}") for folder in ("d", "d/e") for number in "123"])
    assert len(made) == 2
    assert not list(out.rglob(".acrartifact-*"))


@pytest.mark.parametrize("way", ["looked at", "written to"])
def test_a_folder_is_swept_once(out: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    def abandoned(folder: str, number: int = 0) -> Path:
        path = out / folder / f".acrartifact-{number:016x}.part"
        path.touch()
        os.utime(path, (1, 1))
        return path

    gone = [abandoned("d"), abandoned("d/e")]
    listed = counted(monkeypatch, "listdir", lambda *_: True)
    with Destination.open(str(out)) as destination:
        for _ in range(5):
            for name in ("d/b", "d/e/b"):
                if way == "looked at":
                    destination.size_of(safe_name(name))
                else:
                    destination.open_part(safe_name(name)).discard()
        stays = abandoned("d", 1)
        destination.size_of(safe_name("d/b"))
    assert [path.exists() for path in (*gone, stays)] == [False, False, True]
    assert len(listed) == 2


def test_what_was_kept_for_too_long_is_swept(out: Path) -> None:
    stem = stem_of(safe_name("b"))
    for age, folder in ((KEPT_FOR - 3600, "d"), (KEPT_FOR + 3600, "d/e")):
        for end in (DATA, NOTE):
            (out / folder / f"{stem}{end}").touch()
            os.utime(out / folder / f"{stem}{end}", (time.time() - age,) * 2)
    with Destination.open(str(out)) as destination:
        for name in ("d/a", "d/e/a"):
            destination.size_of(safe_name(name))
    assert sorted(path.suffix for path in (out / "d").glob(".acrartifact-*")) == [DATA, NOTE]
    assert not list((out / "d/e").glob(".acrartifact-*"))


def test_what_cannot_be_listed_is_not_swept(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> list[str]:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "listdir", refused)
    with Destination.open(str(out)) as destination:
        assert destination.size_of(safe_name("d/a")) == 5


@pytest.mark.parametrize(
    "opened", [Destination.open_part, lambda *given: Destination.open_kept(*given, "sha256:0", 9, 9)]
)
def test_what_is_in_a_files_way_is_told_and_nothing_stays_open(out: Path, opened: Callable[..., object]) -> None:
    with Destination.open(str(out)) as destination:
        before = open_below(out)
        for name, what in (("d/e", "a folder"), ("d/link", "a symbolic link"), ("d/fifo", "a device, FIFO or socket")):
            with pytest.raises(LocalFileError, match=f"it is {what}, not a regular file"):
                opened(destination, safe_name(name))
        for name, what in (("d/a/x", "a file"), ("d/link/x", "a symbolic link"), ("d/fifo/x", "a device")):
            with pytest.raises(LocalFileError, match=f"it is {what}.*, not a folder"):
                opened(destination, safe_name(name))
        assert open_below(out) == before
    assert open_below(out) == []


def test_a_system_that_refuses_a_folder_is_quoted(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it is gone when it is opened, or when it is looked at again to say why it could not be."""
    with Destination.open(str(out)) as destination:
        kind = type(destination.opened())
        child = kind.child

        def vanishing(folder: object, name: str) -> object:
            if name == "e":
                (out / "d/e").rmdir()
            return child(folder, name)

        def refused(folder: object, name: str) -> object:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(kind, "child", refused)
        with pytest.raises(LocalFileError, match=r"Cannot open the folder.*Permission denied"):
            destination.open_part(safe_name("d/b"))
        monkeypatch.setattr(kind, "child", vanishing)
        with pytest.raises(LocalFileError, match=r"Cannot open the folder.*No such file"):
            destination.size_of(safe_name("d/e/b"))


@pytest.mark.usefixtures("junctions")
def test_a_junction_is_no_folder_to_write_below(out: Path) -> None:
    (out / "junction").mkdir()
    with Destination.open(str(out)) as destination:
        with pytest.raises(LocalFileError, match="it is a symbolic link, not a folder"):
            destination.open_part(safe_name("junction/b"))
    assert stat.S_ISDIR((out / "junction").stat().st_mode)


def test_folders_that_another_run_makes_meanwhile_are_used_and_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = os.mkdir

    def late(path: str, *rest: int, **folder: int) -> None:
        if path == str(tmp_path / "theirs"):
            mkdir(path)
        mkdir(path, *rest, **folder)

    monkeypatch.setattr(os, "mkdir", late)
    with contextlib.suppress(RuntimeError), Destination.open(str(tmp_path / "theirs/ours/too")):
        raise RuntimeError
    assert [path.name for path in tmp_path.rglob("*")] == ["theirs"]
