"""Temporary files: durable before they are renamed, closed at the end, and no harm to the older file."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError, UnsafeContentError
from azext_acrartifact.files.directory import open_folder
from azext_acrartifact.files.directory.posix import DescriptorFolder
from azext_acrartifact.files.names import collision_key, safe_name
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.files.writing.staging import Staging
from azext_acrartifact.files.writing.temp_file import TemporaryFile, created_modes, executable, keeps_apart, replaceable
from tests.support.system import LOCK
from tests.support.threads import run_all
from tests.unit.files.conftest import Before, failing, leftovers, put
from tests.unit.files.descriptors import open_below

pytestmark = pytest.mark.usefixtures("folder_kind")
NAME = safe_name("a")


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_file_is_durable_before_it_has_its_name(tmp_path: Path, before: Before, overwrite: bool) -> None:
    done: list[str] = []
    for name in ("fsync", "rename", "replace", "link"):
        before(os, name, lambda *_, done_now="sync" if name == "fsync" else "name", **__: done.append(done_now))
    with Destination.open(str(tmp_path), overwrite=overwrite) as destination:
        file = destination.open_temporary(NAME)
        file.write(b"content")
        assert done == []
        file.sync()
        assert done == ["sync"]
        file.commit()
        assert done[:3] == ["sync", "sync", "name"]
    assert (tmp_path / "a").read_bytes() == b"content"


def test_restart_drops_what_has_been_written(tmp_path: Path) -> None:
    with Destination.open(str(tmp_path)) as destination, destination.open_temporary(NAME) as file:
        file.write(b"longer than what comes")
        file.restart()
        file.write(b"new")
        file.commit()
    assert (tmp_path / "a").read_bytes() == b"new"


def begun(destination: Destination) -> TemporaryFile:
    """Return a temporary file with some content."""
    file = destination.open_temporary(NAME)
    file.write(b"content")
    return file


def test_every_end_closes_the_descriptors(tmp_path: Path) -> None:
    with Destination.open(str(tmp_path)) as destination:
        before = open_below(tmp_path)
        for end in (TemporaryFile.commit, TemporaryFile.discard, TemporaryFile.__exit__):
            file = begun(destination)
            end(file)
            assert open_below(tmp_path) == before
            file.discard()
    assert os.listdir(tmp_path) == ["a"]


def test_a_second_discard_removes_nothing_and_closes_nothing(tmp_path: Path) -> None:
    with Destination.open(str(tmp_path)) as destination:
        file = begun(destination)
        temporary = next(path for path in tmp_path.iterdir())
        file.discard()
        temporary.write_bytes(b"another's")
        with (tmp_path / "b").open("wb") as other:  # gets the number of the descriptor that was closed
            file.discard()
            other.write(b"x")
    assert temporary.read_bytes() == b"another's"


def test_descriptor_0_is_closed_too(tmp_path: Path) -> None:
    """`az … <&-` leaves 0 free, and the next file gets it."""
    with Destination.open(str(tmp_path)) as destination:
        folder, standard_input = destination.opened(), os.dup(0)
        os.close(0)
        try:
            file = TemporaryFile(folder, NAME, 0o644)
            assert stat.S_ISREG(os.fstat(0).st_mode)
            file.discard()
            with pytest.raises(OSError) as caught:
                os.fstat(0)
            assert caught.value.errno == errno.EBADF
        finally:
            os.dup2(standard_input, 0)
            os.close(standard_input)


@pytest.mark.parametrize("end", [TemporaryFile.commit, TemporaryFile.discard])
def test_on_windows_a_file_is_closed_before_it_is_renamed_or_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: Before, end: object
) -> None:
    """https://learn.microsoft.com/cpp/c-runtime-library/reference/rename-wrename, and unlink likewise."""
    opened: list[list[str]] = []
    with Destination.open(str(tmp_path)) as destination:
        open_before = open_below(tmp_path)
        file = begun(destination)
        for name in ("rename", "replace", "unlink"):
            before(os, name, lambda *_, **__: opened.append([p for p in open_below(tmp_path) if p.endswith(".part")]))
        with monkeypatch.context() as windows:
            windows.setattr(os, "name", "nt")
            end(file)  # type: ignore[operator]
        assert open_below(tmp_path) == open_before
    assert opened == [[]]


def test_a_system_without_fchmod_can_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Windows before Python 3.13: https://docs.python.org/3/library/os.html#os.fchmod."""
    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.delattr(os, "fchmod")
    with Destination.open(str(tmp_path)) as destination:
        begun(destination).commit()
    assert (tmp_path / "a").read_bytes() == b"content"


@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
@pytest.mark.parametrize("name", ["fchmod", "fsync"])
def test_what_a_mount_refuses_and_no_content_needs_is_left_out(
    tmp_path: Path, before: Before, name: str, number: int
) -> None:
    (tmp_path / "a").write_bytes(b"old")
    before(os, name, failing(number))
    with Destination.open(str(tmp_path)) as destination:
        begun(destination).commit()
    assert (tmp_path / "a").read_bytes() == b"content"


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS])
def test_a_file_that_may_not_be_on_the_disk_does_not_replace_another(
    tmp_path: Path, before: Before, number: int
) -> None:
    (tmp_path / "a").write_bytes(b"old")
    before(os, "fsync", failing(number))
    with Destination.open(str(tmp_path)) as destination, pytest.raises(LocalFileError, match=os.strerror(number)):
        with begun(destination) as file:
            file.commit()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


@pytest.mark.usefixtures("junctions")
def test_a_junction_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "junction").write_bytes(b"")
    with Destination.open(str(tmp_path)) as destination, pytest.raises(LocalFileError, match="it is a symbolic link"):
        replaceable(destination.opened(), safe_name("junction"))


def test_nothing_has_the_final_name_before_commit(target: Path) -> None:
    (target / "a").write_bytes(b"old")
    with Destination.open(str(target)) as destination, destination.open_temporary(safe_name("a")) as file:
        file.write(b"ne")
        file.write(memoryview(b"w"))
        assert (target / "a").read_bytes() == b"old"
        file.commit()
        assert (target / "a").read_bytes() == b"new"


def test_after_discard_the_old_file_is_unchanged(target: Path) -> None:
    (target / "a").write_bytes(b"old")
    with contextlib.suppress(RuntimeError), Destination.open(str(target)) as destination:
        with destination.open_temporary(safe_name("a")) as file:
            file.write(b"half")
            raise RuntimeError
    assert (target / "a").read_bytes() == b"old"
    assert os.listdir(target) == ["a"]


def test_a_reader_keeps_the_old_content(target: Path) -> None:
    (target / "a").write_bytes(b"old")
    with (target / "a").open("rb") as reader, Destination.open(str(target)) as destination:
        put(destination, "a", b"new content")
        assert reader.read() == b"old"


def test_a_replaced_file_keeps_its_mode_without_special_bits(target: Path) -> None:
    (target / "a").write_bytes(b"old")
    (target / "a").chmod(0o4750)
    with Destination.open(str(target)) as destination:
        put(destination, "a", b"new")
    assert (target / "a").stat().st_mode & 0o7777 == 0o750


def test_a_new_file_obeys_the_umask(target: Path) -> None:
    before = os.umask(0o027)
    try:
        with Destination.open(str(target)) as destination:
            put(destination, "a", b"")
    finally:
        os.umask(before)
    assert (target / "a").stat().st_mode & 0o7777 == 0o640


def mode_of(path: Path) -> int:
    """Return the permission bits of *path*."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("before", [0o600, 0o640, None])
def test_an_unfinished_file_is_for_its_owner_alone(tmp_path: Path, before: int | None) -> None:
    if before is not None:
        (tmp_path / "a").write_bytes(b"old")
        (tmp_path / "a").chmod(before)
    with Destination.open(str(tmp_path)) as destination:
        small = destination.open_temporary(safe_name("a"))
        large = destination.open_resumable(safe_name("b"), "sha256:0", 3, 1)
        for file in (small, large):
            file.write(b"new")
        large.mark(0)
        assert [mode_of(path) for path in tmp_path.glob(".*")] == [0o600] * 3
        small.commit()
        large.discard()
    assert mode_of(tmp_path / "a") == (before or 0o644)
    left = list(tmp_path.glob(".*"))
    assert len(left) == 2, "the resumable file and its note"
    assert {mode_of(path) for path in left} == {0o600}


def test_no_unfinished_file_is_created_for_others(tmp_path: Path, before: Before) -> None:
    created: list[tuple[str, int]] = []
    before(os, "open", lambda path, flags, mode=0o777, **_: flags & os.O_CREAT and created.append((path, mode)))
    with Destination.open(str(tmp_path)) as destination:
        destination.open_temporary(safe_name("a")).discard()
        destination.open_resumable(safe_name("b"), "sha256:0", 3, 1).discard()
    probe, *unfinished = created
    assert probe[1] == 0o666, "this one stays empty"
    assert [mode for _, mode in unfinished] == [0o600] * 3


def test_an_older_versions_resumable_file_is_closed_to_others(tmp_path: Path) -> None:
    with Destination.open(str(tmp_path)) as destination:
        for mode in (0o644, 0o600):
            file = destination.open_resumable(safe_name("b"), "sha256:0", 3, 1)
            file.mark(0)
            data = next(tmp_path.glob("*.kept"))
            assert mode_of(data) == 0o600
            file.discard()
            data.chmod(mode)


def test_a_file_that_did_not_get_its_name_is_closed_to_others_again(tmp_path: Path) -> None:
    with Destination.open(str(tmp_path), overwrite=False) as destination:
        file = destination.open_resumable(safe_name("b"), "sha256:0", 3, 1)
        file.mark(0)
        (tmp_path / "b").write_bytes(b"theirs")
        with pytest.raises(LocalFileError, match="exists now"):
            file.commit()
        assert {mode_of(path) for path in tmp_path.glob(".*")} == {0o600}
        file.discard()
    assert {mode_of(path) for path in tmp_path.glob(".*")} == {0o600}


def test_a_new_files_mode_is_that_of_the_folders_other_new_files(tmp_path: Path, before: Before) -> None:
    """Ask a file made there: a default ACL may decide it instead of the umask."""
    before(os, "open", lambda path, flags, mode=0o777, **_: mode == 0o666 and os.umask(0o002))
    mask = os.umask(0o077)
    try:
        with Destination.open(str(tmp_path)) as destination:
            put(destination, "a", b"x")
    finally:
        os.umask(mask)
    assert mode_of(tmp_path / "a") == 0o664


def test_a_link_planted_before_commit_is_refused(target: Path) -> None:
    outside = target.parent / "outside"
    outside.write_bytes(b"precious")
    with Destination.open(str(target)) as destination, destination.open_temporary(safe_name("a")) as file:
        (target / "a").symlink_to(outside)
        with pytest.raises(LocalFileError, match="symbolic link"):
            file.commit()
    assert outside.read_bytes() == b"precious"
    assert os.listdir(target) == ["a"]


FULL_DISK = """
import resource, sys
from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.names import safe_name
from azext_acrartifact.files.writing.destination import Destination
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    with Destination.open(sys.argv[1]) as destination, destination.open_temporary(safe_name("a")) as file:
        file.write(bytes(5000))
        file.commit()
except LocalFileError as error:
    print(error)
"""


def test_after_a_failed_write_the_old_file_is_unchanged(target: Path) -> None:
    (target / "a").write_bytes(b"old")
    run = subprocess.run([sys.executable, "-c", FULL_DISK, target], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("Cannot write the file")
    assert os.strerror(errno.EFBIG) in run.stdout
    assert (target / "a").read_bytes() == b"old"
    assert os.listdir(target) == ["a"]


def test_a_file_swept_before_it_was_locked_is_created_again(target: Path, folder_kind: type, before: Before) -> None:
    swept: list[Path] = []

    def sweep(*_arguments: int) -> None:
        if not swept:
            swept.extend(leftovers(target))
            swept[0].unlink()

    with Destination.open(str(target)) as destination:
        before(*LOCK, sweep)
        put(destination, "a", b"content")
        assert len(open_below(target)) == (1 if folder_kind is DescriptorFolder else 0), "the swept one is closed"
    assert (target / "a").read_bytes() == b"content"


def test_two_runs_with_one_name_leave_exactly_one_of_the_two(target: Path) -> None:
    contents = [bytes([byte]) * 300_000 for byte in b"xy"]

    def run(content: bytes) -> None:
        with Destination.open(str(target)) as destination, destination.open_temporary(safe_name("deep/er/a")) as file:
            for start in range(0, len(content), 1000):
                file.write(content[start : start + 1000])
            file.commit()

    run_all(functools.partial(run, content) for content in contents)
    assert (target / "deep/er/a").read_bytes() in contents
    assert not leftovers(target)


@pytest.mark.parametrize("resumable", [False, True], ids=["", "resumable"])
@pytest.mark.parametrize("links", [True, False], ids=["", "no hard links"])
def test_a_file_that_was_created_meanwhile_is_not_replaced(
    tmp_path: Path, resumable: bool, links: bool, before: Before
) -> None:
    if not links:
        before(os, "link", failing(errno.EPERM))
    with Destination.open(str(tmp_path), overwrite=False) as destination:
        file = destination.open_resumable(NAME, "sha256:0", 7, 7) if resumable else destination.open_temporary(NAME)
        (tmp_path / "a").write_bytes(b"theirs")
        with file, pytest.raises(LocalFileError, match="A file of this name exists now"):
            file.commit()
    assert (tmp_path / "a").read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["a"]


class FoldingFolder(DescriptorFolder):
    """A folder of a file system that ignores case and Unicode forms."""

    def look(self, name: str) -> os.stat_result | None:
        key = collision_key(name)
        return next((super(FoldingFolder, self).look(one) for one in self.names() if collision_key(one) == key), None)


@pytest.mark.parametrize(("kind", "expected"), [(DescriptorFolder, True), (FoldingFolder, False)])
def test_whether_a_disk_keeps_names_apart_is_tried(
    tmp_path: Path, kind: type[DescriptorFolder], expected: bool
) -> None:
    with contextlib.closing(kind(os.open(tmp_path, os.O_RDONLY), str(tmp_path))) as folder:
        assert keeps_apart(folder) is expected
        staging = Staging(folder.again(), 9)
        staging.folder = kind(os.dup(staging.folder.descriptor), "")
        staging.add_file(safe_name("d/a"), 0o644, [memoryview(b"1")])
        if expected:
            staging.add_file(safe_name("D/a"), 0o644, [memoryview(b"2")])
        else:
            with pytest.raises(UnsafeContentError, match="same name"):
                staging.add_file(safe_name("D/a"), 0o644, [memoryview(b"2")])
        staging.remove()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o177])
def test_the_modes_of_new_files_are_tried(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with contextlib.closing(open_folder(str(tmp_path))) as folder:
            assert created_modes(folder) == 0o777 & ~umask
    finally:
        os.umask(before)
    assert os.listdir(tmp_path) == []


class ModelessFolder(DescriptorFolder):
    """A folder of a file system that gives every file one mode, as exFAT does."""

    def create(self, name: str, mode: int = 0o666) -> int:
        descriptor = super().create(name, mode)
        os.fchmod(descriptor, 0o755)
        return descriptor


def test_a_disk_without_modes_is_found(tmp_path: Path) -> None:
    with contextlib.closing(ModelessFolder(os.open(tmp_path, os.O_RDONLY), str(tmp_path))) as folder:
        assert created_modes(folder) is None


@pytest.mark.parametrize(
    ("mode", "bits", "expected"),
    [(0o644, 0o111, 0o755), (0o640, 0o111, 0o750), (0o644, 0o100, 0o744), (0o644, 0, 0o644)],
)
def test_only_who_may_read_a_file_may_execute_it(mode: int, bits: int, expected: int) -> None:
    assert executable(mode, bits) == expected
