"""Where a pull writes: whatever fails, the older file stays, and nothing is written outside."""

import contextlib
import errno
import fcntl
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.directory.posix import DescriptorFolder
from azext_acrartifact.files.names import RelativeName, safe_name
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.files.writing.staging import Staging
from tests.unit.files.descriptors import open_below

pytestmark = pytest.mark.usefixtures("folder_kind")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def put(destination: Destination, title: str, content: bytes) -> None:
    with destination.open_part(safe_name(title)) as part:
        part.write(content)
        part.commit()


def leftovers(folder: Path) -> list[Path]:
    return list(folder.rglob(".acrartifact-*"))


def test_writes_new_file_in_new_folders(tmp_path: Path) -> None:
    with Destination.open(str(tmp_path / "x" / "y")) as destination:
        put(destination, "pp/a/c.txt", b"content")
        assert destination.shown(safe_name("pp/a/c.txt")) == str(tmp_path / "x/y/pp/a/c.txt")
    assert (tmp_path / "x/y/pp/a/c.txt").read_bytes() == b"content"
    assert not leftovers(tmp_path)


def test_nothing_has_the_final_name_before_commit(out: Path) -> None:
    (out / "a").write_bytes(b"old")
    with Destination.open(str(out)) as destination, destination.open_part(safe_name("a")) as part:
        part.write(b"new")
        assert (out / "a").read_bytes() == b"old"
        part.commit()
        assert (out / "a").read_bytes() == b"new"


def test_discard_keeps_the_old_file(out: Path) -> None:
    (out / "a").write_bytes(b"old")
    with contextlib.suppress(RuntimeError), Destination.open(str(out)) as destination:
        with destination.open_part(safe_name("a")) as part:
            part.write(b"half")
            raise RuntimeError
    assert (out / "a").read_bytes() == b"old"
    assert os.listdir(out) == ["a"]


def test_a_reader_keeps_the_old_content(out: Path) -> None:
    (out / "a").write_bytes(b"old")
    with (out / "a").open("rb") as reader, Destination.open(str(out)) as destination:
        put(destination, "a", b"new content")
        assert reader.read() == b"old"


def test_replaced_file_keeps_its_mode_without_special_bits(out: Path) -> None:
    (out / "a").write_bytes(b"old")
    (out / "a").chmod(0o4750)
    with Destination.open(str(out)) as destination:
        put(destination, "a", b"new")
    assert (out / "a").stat().st_mode & 0o7777 == 0o750


def test_new_file_obeys_the_umask(out: Path) -> None:
    before = os.umask(0o027)
    try:
        with Destination.open(str(out)) as destination:
            put(destination, "a", b"")
    finally:
        os.umask(before)
    assert (out / "a").stat().st_mode & 0o7777 == 0o640


def test_failure_removes_the_folders_that_it_made(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    with contextlib.suppress(RuntimeError), Destination.open(str(tmp_path / "kept/new/out")) as destination:
        destination.open_part(safe_name("p/q/a")).discard()
        raise RuntimeError
    assert os.listdir(tmp_path / "kept") == []


def test_failure_keeps_what_was_committed(tmp_path: Path) -> None:
    with contextlib.suppress(RuntimeError), Destination.open(str(tmp_path / "out")) as destination:
        put(destination, "p/a", b"done")
        raise RuntimeError
    assert (tmp_path / "out/p/a").read_bytes() == b"done"


def make_link(path: Path) -> None:
    path.symlink_to(path.parent.parent / "outside")


def make_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("make", [make_link, make_dangling_link, os.mkfifo, os.mkdir])
@pytest.mark.timeout(5)
def test_target_must_be_a_regular_file(out: Path, make: object) -> None:
    (out.parent / "outside").write_bytes(b"precious")
    make(out / "a")  # type: ignore[operator]
    with Destination.open(str(out)) as destination:
        with pytest.raises(LocalFileError, match="not a regular file"):
            destination.open_part(safe_name("a"))
        with pytest.raises(LocalFileError, match="not a regular file"):
            destination.require_writable([safe_name("a")])
        assert destination.digest_of(safe_name("a")) is None
    assert (out.parent / "outside").read_bytes() == b"precious"
    assert os.listdir(out) == ["a"]


def test_nothing_is_written_through_a_linked_folder(out: Path) -> None:
    outside = out.parent / "outside"
    outside.mkdir()
    (out / "d").symlink_to(outside)
    (out / "file").touch()
    with Destination.open(str(out)) as destination:
        for title, why in (("d/a", "a symbolic link"), ("d/e/a", "a symbolic link"), ("file/a", "a file")):
            for refused in (destination.open_part, lambda name: destination.require_writable([name])):
                with pytest.raises(LocalFileError, match=f"it is {why}"):
                    refused(safe_name(title))
    assert os.listdir(outside) == []


def test_a_link_planted_before_commit_is_refused(out: Path) -> None:
    outside = out.parent / "outside"
    outside.write_bytes(b"precious")
    with Destination.open(str(out)) as destination, destination.open_part(safe_name("a")) as part:
        (out / "a").symlink_to(outside)
        with pytest.raises(LocalFileError, match="symbolic link"):
            part.commit()
    assert outside.read_bytes() == b"precious"
    assert os.listdir(out) == ["a"]


def test_the_destination_itself_may_be_a_link(out: Path) -> None:
    (out.parent / "link").symlink_to(out)
    with Destination.open(str(out.parent / "link")) as destination:
        put(destination, "a", b"x")
    assert (out / "a").read_bytes() == b"x"


def test_the_destination_must_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalFileError, match="destination"):
        Destination.open(str(tmp_path / "file"))
    with pytest.raises(LocalFileError, match="destination"):
        Destination.open(str(tmp_path / "file" / "below"))
    with pytest.raises(LocalFileError, match="destination"):
        Destination.open(str(tmp_path / "missing"), create=False)
    assert os.listdir(tmp_path) == ["file"]


def test_digest_and_size_of_an_existing_file(out: Path) -> None:
    (out / "d").mkdir()
    (out / "d/a").write_bytes(b"Here is an artifact\n")
    with Destination.open(str(out)) as destination:
        assert destination.size_of(safe_name("d/a")) == 20
        digest = destination.digest_of(safe_name("d/a"))
        assert digest == "sha256:33998979890f" + str(digest)[19:]
        assert destination.digest_of(safe_name("d/a"), "sha512").startswith("sha512:")  # type: ignore[union-attr]
        for missing in ("a", "d/b", "e/a"):
            assert destination.size_of(safe_name(missing)) is None
            assert destination.digest_of(safe_name(missing)) is None


def test_part_digest_covers_every_byte(out: Path) -> None:
    with Destination.open(str(out)) as destination, destination.open_part(safe_name("a")) as part:
        part.write(b"Here is ")
        part.write(memoryview(b"an artifact\n"))
        assert part.digest().startswith("sha256:33998979890f")
        part.write(b"more")
        part.commit()
    assert (out / "a").read_bytes() == b"Here is an artifact\nmore"


def test_requires_space_before_the_first_byte(out: Path) -> None:
    with Destination.open(str(out)) as destination:
        destination.require_space(destination.free_bytes() // 2)
        with pytest.raises(LocalFileError, match="not enough free space") as caught:
            destination.require_space(1 << 62)
    assert caught.value.hint
    assert os.listdir(out) == []


FULL_DISK = """
import resource, sys
from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.writing import destination as place
from azext_acrartifact.files.names import safe_name
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    with place.Destination.open(sys.argv[1]) as destination, destination.open_part(safe_name("a")) as part:
        part.write(bytes(5000))
        part.commit()
except LocalFileError as error:
    print(error)
"""


def test_a_failing_write_keeps_the_old_file(out: Path) -> None:
    (out / "a").write_bytes(b"old")
    run = subprocess.run([sys.executable, "-c", FULL_DISK, out], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("Cannot write the file")
    assert os.strerror(errno.EFBIG) in run.stdout
    assert (out / "a").read_bytes() == b"old"
    assert os.listdir(out) == ["a"]


READ_ONLY = """
import os, sys
from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.writing import destination as place
from azext_acrartifact.files.names import safe_name
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
with place.Destination.open(sys.argv[1]) as destination:
    for refused in (lambda n: destination.require_writable([n]), destination.open_part):
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


def test_stale_parts_of_dead_runs_go(out: Path, folder_kind: type) -> None:
    old = out / ".acrartifact-0123456789abcdef.part"
    old.write_bytes(b"half")
    staging = out / ".acrartifact-fedcba9876543210.part"
    staging.mkdir()
    (staging / "x").symlink_to(out)
    (staging / "d").mkdir()
    for path in (old, staging):
        os.utime(path, (1, 1))
    (out / ".acrartifact-notes").touch()
    (out / "mine.part").touch()
    with Destination.open(str(out)) as destination:
        put(destination, "a", b"")
    assert sorted(os.listdir(out)) == [".acrartifact-notes", "a", "mine.part"]


def test_parts_of_living_runs_stay(out: Path) -> None:
    with Destination.open(str(out)) as mine, Destination.open(str(out)) as other:
        with mine.open_part(safe_name("a")) as part:
            part.write(b"mine")
            put(other, "b", b"other")
            part.commit()
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {"a": b"mine", "b": b"other"}


def test_a_killed_run_leaves_the_old_file_and_the_next_tidies_up(out: Path, folder_kind: type) -> None:
    (out / "a").write_bytes(b"old")
    script = (
        "import os, sys, signal\n"
        "from azext_acrartifact.files.writing.destination import Destination\n"
        "from azext_acrartifact.files.names import safe_name\n"
        "part = Destination.open(sys.argv[1]).open_part(safe_name('a'))\n"
        "part.write(b'half')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, out]).returncode == -9
    assert (out / "a").read_bytes() == b"old"
    (left,) = leftovers(out)
    os.utime(left, (1, 1))  # where there are no locks, age decides
    with Destination.open(str(out)) as destination:
        destination.require_writable([safe_name("a")])
    assert not leftovers(out)


def test_a_part_swept_before_it_was_locked_is_made_again(out: Path, folder_kind: type, monkeypatch) -> None:
    real, swept = fcntl.flock, []

    def sweep_first(descriptor: int, operation: int) -> None:
        if not swept:
            swept.extend(leftovers(out))
            swept[0].unlink()
        real(descriptor, operation)

    with Destination.open(str(out)) as destination:
        monkeypatch.setattr(fcntl, "flock", sweep_first)
        put(destination, "a", b"content")
        assert len(open_below(out)) == (1 if folder_kind is DescriptorFolder else 0), "the swept one is closed"
    assert (out / "a").read_bytes() == b"content"


def test_many_runs_in_one_folder_sweep_nothing_of_each_other(out: Path) -> None:
    def run(name: str) -> None:
        for _ in range(25):
            with Destination.open(str(out)) as destination:
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
    assert {path.name: path.read_text() for path in out.iterdir()} == {name: name for name in names}


def test_two_runs_with_one_name_leave_exactly_one_of_the_two(out: Path) -> None:
    contents = [bytes([byte]) * 300_000 for byte in b"xy"]

    def run(content: bytes) -> None:
        with Destination.open(str(out)) as destination, destination.open_part(safe_name("deep/er/a")) as part:
            for start in range(0, len(content), 1000):
                part.write(content[start : start + 1000])
            part.commit()

    threads = [threading.Thread(target=run, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (out / "deep/er/a").read_bytes() in contents
    assert not leftovers(out)


def test_descriptors_are_closed(out: Path, tmp_path: Path) -> None:
    (out / "d").mkdir()
    with Destination.open(str(out)) as destination:
        for number in range(20):
            put(destination, f"d/e/{number}", b"x")
            destination.digest_of(safe_name(f"d/e/{number}"))
            destination.require_writable([safe_name("d/x/y")])
            with pytest.raises(LocalFileError):
                destination.open_part(safe_name("d/e/0/x"))
    assert open_below(tmp_path) == []


def test_a_destination_that_cannot_be_made_leaves_no_part_of_it(tmp_path: Path) -> None:
    with pytest.raises(LocalFileError, match="Cannot make the destination folder"):
        Destination.open(str(tmp_path / "new" / "deeper" / ("x" * 300)))
    assert not os.listdir(tmp_path)


def test_a_name_too_long_for_the_system(out: Path) -> None:
    with Destination.open(str(out)) as destination, pytest.raises(LocalFileError) as caught:
        destination.open_part(RelativeName(("x" * 300,)))
    assert caught.value.hint
