"""Folders below a destination: made, removed after a failure, never reached through a link, and swept once."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.names import safe_folder, safe_name
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.files.writing.resumable_file import DATA, LIFETIME, NOTE, stem_of
from azext_acrartifact.files.writing.staging import Staging
from tests.support.system import link, on_posix
from tests.unit.files.conftest import Before, failing, leftovers, put
from tests.unit.files.descriptors import open_below

pytestmark = pytest.mark.usefixtures("folder_kind")


def test_folders_are_made_only_with_create(out: Path) -> None:
    with Destination.open(str(out)) as destination:
        with pytest.raises(LocalFileError, match="No such file"), destination.folders.open(safe_folder("d/none")):
            pass
        with destination.folders.open(safe_folder("d/new"), create=True):
            assert (out / "d/new").is_dir()
    assert not (out / "d/none").exists()


def test_after_a_failure_folders_that_existed_stay(out: Path) -> None:
    with contextlib.suppress(RuntimeError), Destination.open(str(out)) as destination:
        for folder in ("d/e", "d/new/deep", "e"):
            with destination.folders.open(safe_folder(folder), create=True):
                pass
        raise RuntimeError
    assert sorted(path.name for path in out.rglob("*") if path.is_dir()) == ["d", "e"]


@pytest.mark.parametrize("writes", [False, True])
def test_a_folder_is_swept_once(out: Path, before: Before, writes: bool) -> None:
    def abandoned(folder: str, number: int = 0) -> Path:
        path = out / folder / f".acrartifact-{number:016x}.part"
        path.touch()
        os.utime(path, (1, 1))
        return path

    gone = [abandoned("d"), abandoned("d/e")]
    listed: list[object] = []
    before(os, "listdir", listed.append)
    with Destination.open(str(out)) as destination:
        for _ in range(5):
            for name in ("d/b", "d/e/b"):
                if writes:
                    destination.open_temporary(safe_name(name)).discard()
                else:
                    destination.size_of(safe_name(name))
        stays = abandoned("d", 1)
        destination.size_of(safe_name("d/b"))
    assert [path.exists() for path in (*gone, stays)] == [False, False, True]
    assert len(listed) == 2


def test_a_resumable_file_is_swept_when_it_is_too_old(out: Path) -> None:
    stem = stem_of(safe_name("b"))
    (out / "c").mkdir()  # as on a mount without times
    now = time.time()
    for age, folder in ((LIFETIME - 3600, "d"), (LIFETIME + 3600, "d/e"), (now, "c")):
        for end in (DATA, NOTE):
            (out / folder / f"{stem}{end}").touch()
            os.utime(out / folder / f"{stem}{end}", (now - age,) * 2)
    with Destination.open(str(out)) as destination:
        for name in ("d/a", "d/e/a", "c/a"):
            destination.size_of(safe_name(name))
    for folder in ("c", "d"):
        assert sorted(path.suffix for path in (out / folder).glob(".acrartifact-*")) == [DATA, NOTE]
    assert not list((out / "d/e").glob(".acrartifact-*"))


def test_a_folder_that_cannot_be_listed_is_not_swept(out: Path, before: Before) -> None:
    before(os, "listdir", failing(errno.EACCES))
    with Destination.open(str(out)) as destination:
        assert destination.size_of(safe_name("d/a")) == 5


@pytest.mark.parametrize(
    "opened", [Destination.open_temporary, lambda *given: Destination.open_resumable(*given, "sha256:0", 9, 9)]
)
def test_a_taken_name_is_refused_and_nothing_stays_open(out: Path, opened: Callable[..., object]) -> None:
    with Destination.open(str(out)) as destination:
        opened_before = open_below(out)
        special = on_posix(("d/link", "a symbolic link"), ("d/fifo", "a device, FIFO or socket"))
        for name, what in (("d/e", "a folder"), *special):
            with pytest.raises(LocalFileError, match=f"it is {what}, not a regular file"):
                opened(destination, safe_name(name))
        for name, what in (("d/a/x", "a file"), *((f"{name}/x", what.partition(",")[0]) for name, what in special)):
            with pytest.raises(LocalFileError, match=f"it is {what}.*, not a folder"):
                opened(destination, safe_name(name))
        assert open_below(out) == opened_before
    assert open_below(out) == []


def test_a_folder_that_vanishes_before_it_is_opened_is_an_error(out: Path, before: Before) -> None:
    looks = itertools.count()

    def vanish(path: str, *_flags: int, **_folder: int) -> None:
        if os.path.basename(path) == "e":
            (out / "d/e").rmdir()

    def vanish_when_looked_at_again(path: str, *_flags: int, **_folder: int) -> None:
        if os.path.basename(path) == "e" and next(looks) == 1:
            vanish(path)

    with Destination.open(str(out)) as destination:
        before(os, "open", vanish)
        before(os, "lstat", vanish_when_looked_at_again)
        with pytest.raises(LocalFileError, match=r"Cannot open the folder.*No such file"):
            destination.size_of(safe_name("d/e/b"))


def test_a_folder_that_the_system_does_not_open_is_an_error(out: Path, before: Before) -> None:
    with Destination.open(str(out)) as destination:
        before(os, "open", failing(errno.EACCES))
        before(os, "lstat", failing(errno.EACCES))
        with pytest.raises(LocalFileError, match=r"Cannot open the folder.*Permission denied"):
            destination.open_temporary(safe_name("d/b"))


@pytest.mark.usefixtures("junctions")
def test_nothing_is_written_below_a_junction(out: Path) -> None:
    (out / "junction").mkdir()
    with Destination.open(str(out)) as destination:
        with pytest.raises(LocalFileError, match="it is a symbolic link, not a folder"):
            destination.open_temporary(safe_name("junction/b"))
    assert stat.S_ISDIR((out / "junction").stat().st_mode)


def test_after_a_failure_folders_that_were_made_are_removed(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with contextlib.suppress(RuntimeError), Destination.open(str(tmp_path / "old/new/out")) as destination:
        destination.open_temporary(safe_name("p/q/a")).discard()
        raise RuntimeError
    assert os.listdir(tmp_path / "old") == []


def test_nothing_is_written_through_a_linked_folder(target: Path) -> None:
    outside = target.parent / "outside"
    outside.mkdir()
    (target / "d").symlink_to(outside)
    (target / "file").touch()
    with Destination.open(str(target)) as destination:
        for title, why in (("d/a", "a symbolic link"), ("d/e/a", "a symbolic link"), ("file/a", "a file")):
            for refused in (destination.open_temporary, lambda name: destination.require_writable([name])):
                with pytest.raises(LocalFileError, match=f"it is {why}"):
                    refused(safe_name(title))
    assert os.listdir(outside) == []


def test_temporary_files_of_killed_runs_are_removed(target: Path, folder_kind: type) -> None:
    old = target / ".acrartifact-0123456789abcdef.part"
    old.write_bytes(b"half")
    staging = target / ".acrartifact-fedcba9876543210.part"
    staging.mkdir()
    link(staging / "x", target)
    (staging / "d").mkdir()
    for path in (old, staging):
        os.utime(path, (1, 1))
    (target / ".acrartifact-notes").touch()
    (target / "mine.part").touch()
    with Destination.open(str(target)) as destination:
        put(destination, "a", b"")
    assert sorted(os.listdir(target)) == [".acrartifact-notes", "a", "mine.part"]


def test_temporary_files_of_running_processes_stay(target: Path) -> None:
    with Destination.open(str(target)) as mine, Destination.open(str(target)) as other:
        with mine.open_temporary(safe_name("a")) as file:
            file.write(b"mine")
            put(other, "b", b"other")
            file.commit()
    assert {path.name: path.read_bytes() for path in target.iterdir()} == {"a": b"mine", "b": b"other"}


def test_a_killed_run_leaves_the_old_file_and_the_next_one_sweeps(target: Path, folder_kind: type) -> None:
    (target / "a").write_bytes(b"old")
    script = (
        "import os, sys\n"
        "from azext_acrartifact.files.writing.destination import Destination\n"
        "from azext_acrartifact.files.names import safe_name\n"
        "file = Destination.open(sys.argv[1]).open_temporary(safe_name('a'))\n"
        "file.write(b'half')\n"
        "os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, target]).returncode == 9
    assert (target / "a").read_bytes() == b"old"
    (left,) = leftovers(target)
    os.utime(left, (1, 1))  # without locks, age decides
    with Destination.open(str(target)) as destination:
        destination.require_writable([safe_name("a")])
    assert not leftovers(target)


def test_many_runs_in_one_folder_do_not_sweep_each_others_files(target: Path) -> None:
    def run(name: str) -> None:
        for _ in range(25):
            with Destination.open(str(target)) as destination:
                destination.require_writable([safe_name(name)])
                put(destination, name, name.encode())
                with contextlib.closing(destination.opened()) as folder:
                    Staging(folder.again(), 1).remove()

    names = [f"file-{number}" for number in range(8)]
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(run, names))
    finally:
        sys.setswitchinterval(usual)
    assert {path.name: path.read_text() for path in target.iterdir()} == {name: name for name in names}
