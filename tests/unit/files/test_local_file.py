"""Local files to push: only regular ones, and a change while they are read is noticed."""

import os
import socket
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.local_file import FilePart, LocalFile
from tests.support.system import on_posix

CONTENT = bytes(range(256)) * 9000  # more than two reads


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "a.bin"
    found.write_bytes(CONTENT)
    return found


def test_ranges_are_independent(path: Path) -> None:
    with LocalFile.open(str(path)) as file:
        assert file.size == len(CONTENT)
        first, second = file.open_range(0, 10), file.open_range(5, 1000)
        assert second.read(3) == CONTENT[5:8]
        assert first.read() == CONTENT[:10]
        assert second.read() == CONTENT[8:1005]
        assert second.read() == b""
        assert file.open_range(0, file.size).read() == CONTENT


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, len(CONTENT) + 1), (5, -1)])
def test_range_must_lie_within(path: Path, offset: int, length: int) -> None:
    with LocalFile.open(str(path)) as file, pytest.raises(ValueError, match="outside"):
        file.open_range(offset, length)


def test_link_to_a_file_is_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path)
    with LocalFile.open(str(tmp_path / "link")) as file:
        assert file.size == len(CONTENT)


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with LocalFile.open(str(tmp_path / "empty")) as file:
        assert file.open_range(0, file.size).read() == b""


@pytest.mark.parametrize("name", ["/dev/null", "NUL", "nul", "NUL:", "\\\\.\\NUL"])
def test_the_null_device_is_empty_only_if_it_is_allowed(name: str) -> None:
    with LocalFile.open(name, allow_null=True) as file:
        assert (file.size, file.open_range(0, 0).read()) == (0, b"")
        file.require_unchanged()
    with pytest.raises(LocalFileError):
        LocalFile.open(name)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@pytest.mark.parametrize("make", [*on_posix(_fifo, _socket), Path.mkdir])
@pytest.mark.timeout(5)
def test_refuses_other_than_regular_files(tmp_path: Path, make: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    make(Path("x"))  # type: ignore[operator]
    with pytest.raises(LocalFileError, match="not a regular file"):
        LocalFile.open("x")


def test_refuses_device() -> None:
    with pytest.raises(LocalFileError, match="not a regular file"):
        LocalFile.open("/dev/zero")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalFileError, match=r"nofile\.txt.*(No such file|File not found|cannot find)"):
        LocalFile.open(str(tmp_path / "nofile.txt"))


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def _truncate(path: Path) -> None:
    os.truncate(path, 100)


def _rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"X")
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("change", [_grow, _truncate, _rewrite])
def test_a_change_while_it_is_read_is_noticed(path: Path, change: object) -> None:
    with LocalFile.open(str(path)) as file:
        content = file.open_range(0, file.size)
        content.read(100)
        change(path)  # type: ignore[operator]
        with pytest.raises(LocalFileError, match=r"a\.bin changed while it was pushed"):
            content.read()
        with pytest.raises(LocalFileError, match="changed"):
            file.open_range(0, file.size).read()


def test_a_removed_file_is_read_to_its_end(path: Path) -> None:
    with LocalFile.open(str(path)) as file:
        path.unlink()
        assert file.open_range(0, file.size).read() == CONTENT


@pytest.mark.parametrize("park", [False, True])
def test_a_file_with_content_behind_its_size_is_read_to_the_end(park: bool) -> None:
    with LocalFile.open("/proc/version") as file:
        if park:
            file.park()
        assert file.open_range(0, file.size).read() == Path("/proc/version").read_bytes()


def test_a_part_of_a_file_is_read_within_its_bounds(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before-inside-after")
    with LocalFile.open(str(tmp_path / "file")) as file:
        part = FilePart(file, 7, 6)
        for offset, length, content in ((0, 6, b"inside"), (2, 4, b"side"), (6, 0, b""), (0, 0, b"")):
            assert part.open_range(offset, length).readall() == content
        for offset, length in ((-1, 2), (0, 7), (6, 1), (7, 0), (3, -1)):
            with pytest.raises(ValueError, match="outside"):
                part.open_range(offset, length)
