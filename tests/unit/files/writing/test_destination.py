"""The destination folder: what exists there, what can be written, and how much."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.directory.posix import DescriptorFolder
from azext_acrartifact.files.names import RelativeName, safe_name
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.files.writing.resumable_file import DATA, stem_of
from tests.support.system import WINDOWS, fifo, on_posix
from tests.unit.files.conftest import Before, failing, leftovers, put
from tests.unit.files.descriptors import open_below

pytestmark = pytest.mark.usefixtures("folder_kind")
HERE = RelativeName(())
MISSING = ("none", "d/none", "none/a", "d/none/a")


def test_each_system_opens_folders_its_own_way(out: Path, folder_kind: type) -> None:
    with Destination.open(str(out)) as destination, contextlib.closing(destination.opened()) as folder:
        assert isinstance(folder, folder_kind)


def test_folders_that_were_made_are_removed_if_the_last_cannot_be_opened(out: Path, before: Before) -> None:
    before(os, "open", failing(errno.EMFILE))
    before(os.path, "isdir", failing(errno.EMFILE))
    with pytest.raises(LocalFileError, match="Too many open files"):
        Destination.open(str(out / "d/new/er"))
    assert sorted(os.listdir(out / "d")) == ["a", "e", *on_posix("fifo", "link")]


def test_only_regular_files_have_a_size_and_a_digest(out: Path) -> None:
    with Destination.open(str(out)) as destination:
        assert destination.size_of(safe_name("d/a")) == 5
        for name in ("d/e", "d/link", "d/fifo", *MISSING):
            assert destination.size_of(safe_name(name)) is None
            assert destination.digest_of(safe_name(name)) is None


def test_a_name_exists_whatever_has_it(out: Path) -> None:
    with Destination.open(str(out)) as destination:
        assert all(destination.holds(safe_name(name)) for name in ("d", "d/a", "d/e", *on_posix("d/link", "d/fifo")))
        assert not any(destination.holds(safe_name(name)) for name in MISSING)
        assert destination.holds(HERE)
    with Destination.open(str(out / "d/e")) as destination:
        assert not destination.holds(HERE)


def test_only_a_resumable_file_in_the_same_folder_counts(out: Path) -> None:
    name = safe_name("d/deep/b")
    for folder in ("d", "d/e"):
        (out / folder / f"{stem_of(name)}{DATA}").write_bytes(bytes(5000))
    with Destination.open(str(out)) as destination:
        assert destination.resumable_bytes(safe_name("d/e/b")) >= 5000
        assert destination.resumable_bytes(name) == 0, "its folder does not exist yet"
        assert destination.resumable_bytes(safe_name("d/c")) == 0


def test_the_lock_of_the_folder_is_released(out: Path) -> None:
    with Destination.open(str(out)) as destination:
        opened_before = open_below(out)
        for _ in range(2):
            with destination.alone():
                pass
            assert open_below(out) == opened_before


HOLD_A_LOCK = """
import fcntl, os, sys
if os.geteuid() == 0:
    os.setuid(65534)
fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


def test_another_users_lock_is_not_waited_for_for_ever(folder_kind: type) -> None:
    """Lock the folder as a user who may only read it."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        other = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", HOLD_A_LOCK, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with other, Destination.open(folder) as destination:
            assert other.stdout is not None
            assert other.stdout.readline() == b"locked\n"
            if folder_kind is DescriptorFolder:  # the folders of Windows have no locks
                with pytest.raises(LocalFileError, match="has not released its lock") as caught:
                    destination.alone(0.2).__enter__()
                assert (caught.value.what, caught.value.where) == ("The folder is locked", folder)
                assert f"fuser -v {folder}" in caught.value.hint
            other.communicate()
            with destination.alone(0.2):
                pass


@pytest.mark.usefixtures("free_space")
def test_all_free_space_may_be_used(out: Path) -> None:
    with Destination.open(str(out)) as destination:
        destination.require_space(1000)
        with pytest.raises(LocalFileError, match="1,001 bytes are needed and 1,000 are free"):
            destination.require_space(1001)
    assert sorted(os.listdir(out)) == ["d"]


@pytest.mark.parametrize("status", [(0, 0, 0, 0), (0, 0, 4096, 4096), errno.ENOSYS, errno.EPERM])
def test_a_mount_that_does_not_say_what_is_free_is_written_to(
    out: Path, monkeypatch: pytest.MonkeyPatch, before: Before, status: tuple[int, ...] | int
) -> None:
    for module, name in on_posix((os, "statvfs"), (os, "fstatvfs")) or [(shutil, "disk_usage")]:
        if isinstance(status, int):
            before(module, name, failing(status))
        else:
            found = dict(zip(("f_blocks", "f_bavail", "f_frsize", "f_bsize"), status, strict=True), f_bfree=0)
            said = (0, 0, 0) if WINDOWS else types.SimpleNamespace(**found)
            monkeypatch.setattr(module, name, lambda _folder, said=said: said)
    with Destination.open(str(out)) as destination:
        destination.require_space(1 << 60)


def test_a_folder_of_many_files_is_probed_once(out: Path, before: Before) -> None:
    made: list[str] = []
    before(os, "open", lambda path, flags, *_, **__: flags & os.O_CREAT and made.append(path))
    with Destination.open(str(out)) as destination:
        destination.require_writable([safe_name(f"{folder}/{number}") for folder in ("d", "d/e") for number in "123"])
    assert len(made) == 2
    assert not list(out.rglob(".acrartifact-*"))


def test_folders_that_another_run_makes_meanwhile_are_used_and_stay(tmp_path: Path, before: Before) -> None:
    before(os, "mkdir", lambda path, *_, **__: os.path.basename(path) == "theirs" and os.mkdir(path))
    with contextlib.suppress(RuntimeError), Destination.open(str(tmp_path / "theirs/ours/too")):
        raise RuntimeError
    assert [path.name for path in tmp_path.rglob("*")] == ["theirs"]


def test_writes_a_new_file_in_new_folders(tmp_path: Path) -> None:
    with Destination.open(str(tmp_path / "x" / "y")) as destination:
        put(destination, "pp/a/c.txt", b"content")
        assert destination.shown(safe_name("pp/a/c.txt")) == str(tmp_path / "x/y/pp/a/c.txt")
    assert (tmp_path / "x/y/pp/a/c.txt").read_bytes() == b"content"
    assert not leftovers(tmp_path)


def test_after_a_failure_committed_files_stay(tmp_path: Path) -> None:
    with contextlib.suppress(RuntimeError), Destination.open(str(tmp_path / "out")) as destination:
        put(destination, "p/a", b"done")
        raise RuntimeError
    assert (tmp_path / "out/p/a").read_bytes() == b"done"


def make_link(path: Path) -> None:
    path.symlink_to(path.parent.parent / "outside")


def make_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("make", [*on_posix(make_link, make_dangling_link, fifo), os.mkdir])
@pytest.mark.timeout(5)
def test_only_a_regular_file_is_replaced(target: Path, make: object) -> None:
    (target.parent / "outside").write_bytes(b"precious")
    make(target / "a")  # type: ignore[operator]
    with Destination.open(str(target)) as destination:
        with pytest.raises(LocalFileError, match="not a regular file"):
            destination.open_temporary(safe_name("a"))
        with pytest.raises(LocalFileError, match="not a regular file"):
            destination.require_writable([safe_name("a")])
        assert destination.digest_of(safe_name("a")) is None
    assert (target.parent / "outside").read_bytes() == b"precious"
    assert os.listdir(target) == ["a"]


def test_the_destination_itself_may_be_a_link(target: Path) -> None:
    (target.parent / "link").symlink_to(target)
    with Destination.open(str(target.parent / "link")) as destination:
        put(destination, "a", b"x")
    assert (target / "a").read_bytes() == b"x"


def test_the_destination_must_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalFileError, match="destination"):
        Destination.open(str(tmp_path / "file"))
    with pytest.raises(LocalFileError, match="destination"):
        Destination.open(str(tmp_path / "file" / "below"))
    with pytest.raises(LocalFileError, match="destination"):
        Destination.open(str(tmp_path / "missing"), create=False)
    assert os.listdir(tmp_path) == ["file"]


def test_digest_and_size_of_an_existing_file(target: Path) -> None:
    (target / "d").mkdir()
    (target / "d/a").write_bytes(b"Here is an artifact\n")
    with Destination.open(str(target)) as destination:
        assert destination.size_of(safe_name("d/a")) == 20
        digest = destination.digest_of(safe_name("d/a"))
        assert digest == "sha256:33998979890f" + str(digest)[19:]
        assert destination.digest_of(safe_name("d/a"), "sha512").startswith("sha512:")  # type: ignore[union-attr]
        for missing in ("a", "d/b", "e/a"):
            assert destination.size_of(safe_name(missing)) is None
            assert destination.digest_of(safe_name(missing)) is None


READ_ONLY = """
import os, sys
from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.names import safe_name
from azext_acrartifact.files.writing.destination import Destination
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
with Destination.open(sys.argv[1]) as destination:
    for refused in (lambda n: destination.require_writable([n]), destination.open_temporary):
        try:
            refused(safe_name("new/a"))
        except LocalFileError as error:
            print(error, "|", error.hint)
"""


def test_a_read_only_folder_is_noticed_before_the_first_byte(tmp_path: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to other users
        os.chmod(folder, 0o555)
        run = subprocess.run([sys.executable, "-c", READ_ONLY, folder], capture_output=True, text=True, check=True)
    assert run.stdout.count("Permission denied | Check the permissions") == 2


def test_descriptors_are_closed(target: Path, tmp_path: Path) -> None:
    (target / "d").mkdir()
    with Destination.open(str(target)) as destination:
        for number in range(20):
            put(destination, f"d/e/{number}", b"x")
            destination.digest_of(safe_name(f"d/e/{number}"))
            destination.require_writable([safe_name("d/x/y")])
            with pytest.raises(LocalFileError):
                destination.open_temporary(safe_name("d/e/0/x"))
    assert open_below(tmp_path) == []


def test_if_a_destination_cannot_be_made_no_folder_above_it_stays(tmp_path: Path) -> None:
    with pytest.raises(LocalFileError, match="Cannot make the destination folder"):
        Destination.open(str(tmp_path / "new" / "deeper" / ("x" * 300)))
    assert not os.listdir(tmp_path)


def test_a_name_too_long_for_the_system_is_an_error(target: Path) -> None:
    with Destination.open(str(target)) as destination, pytest.raises(LocalFileError) as caught:
        with destination.open_temporary(RelativeName(("x" * 300,))) as file:
            file.commit()
    assert caught.value.hint
