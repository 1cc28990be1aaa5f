"""What happens to the user's files while a command runs: they change, vanish, or there is no room for them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.reference import parse_reference
from azext_acrartifact.operations.file_spec import parse_file_spec
from azext_acrartifact.operations.pull import PullOrder, pull
from azext_acrartifact.operations.push import PushOrder, push
from azext_acrartifact.transfer.progress import Progress
from tests.unit.operations.conftest import SERVER

SIZE = 6 << 20
"""More than what goes in one request, so that a byte has been read before the last."""


class AtFirstByte(Progress):
    """Does something once a first byte was moved."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._actions = [action]

    def advanced(self, blob: Descriptor, size: int) -> None:
        """Do it, once."""
        while self._actions:
            self._actions.pop()()


def sent(registry, image: str, file: str, progress: Progress):
    return push(registry, PushOrder(parse_reference(f"{SERVER}/{image}"), [parse_file_spec(file)]), progress)


def fetched(registry, image: str, destination: Path) -> None:
    pull(registry, PullOrder(parse_reference(f"{SERVER}/{image}"), str(destination)), Progress())


def methods(app) -> set[tuple[str, str]]:
    """Method and last but one part of the path of what the login server got."""
    return {(one["method"], one["path"].rpartition("/")[0].rpartition("/")[2]) for one in app.log.entries()}


def _rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(SIZE - 1)
        file.write(b"X")
    os.utime(path, ns=(1, 1))


CHANGES = {
    "grows": lambda path: os.truncate(path, SIZE + 1),
    "shrinks": lambda path: os.truncate(path, SIZE // 2),
    "is emptied": lambda path: os.truncate(path, 0),
    "is rewritten": _rewrite,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_file_that_changes_while_it_is_pushed_is_not_there(signed_in, app, work: Path, kind: str, change) -> None:
    (work / "d").mkdir()
    path = work / "d/large.bin"
    path.write_bytes(os.urandom(SIZE))
    named = "d/large.bin" if kind == "file" else "d"
    with pytest.raises(errors.LocalFileError, match=r"large\.bin changed while it was pushed"):
        sent(signed_in(), "changes:1", named, AtFirstByte(lambda: change(path)))
    assert ("PUT", "manifests") not in methods(app)


def _replaced_by_a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("vanish", [Path.unlink, _replaced_by_a_fifo, lambda path: path.rename(path.parent / "moved")])
def test_a_file_that_vanishes_while_it_is_pushed_is_pushed(signed_in, work: Path, vanish) -> None:
    """It was opened before, and what was opened stays as it is."""
    content = os.urandom(SIZE)
    (work / "large.bin").write_bytes(content)
    pushed = sent(signed_in(), "vanishes:1", "large.bin", AtFirstByte(lambda: vanish(work / "large.bin")))
    assert [layer.digest for layer in pushed.manifest.layers] == [digest_of(content)]


def test_a_name_that_is_not_utf8_is_refused_before_anything_is_sent(signed_in, app, work: Path) -> None:
    for make in (lambda name: Path(name).touch(), os.mkdir):
        name = os.fsdecode(b"caf\xe9" + make.__name__.encode())
        make(name)
        with pytest.raises(errors.LocalFileError) as caught:
            sent(signed_in(), "names:1", name, Progress())
        assert "caf\\udce9" in caught.value.message
    assert app.log.entries() == []


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_free_space_is_looked_at_before_the_first_byte(
    signed_in, app, work: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (work / "d").mkdir()
    (work / "d/a.bin").write_bytes(b"x" * 5000)
    sent(signed_in(), f"space-{kind}:1", "d/a.bin" if kind == "file" else "d", Progress())
    older = tmp_path / "out/d/a.bin"
    older.parent.mkdir(parents=True)
    older.write_bytes(b"mine")
    app.log.clear()
    monkeypatch.setattr(Destination, "free_bytes", lambda self: 50)
    with pytest.raises(errors.LocalFileError, match="not enough free space"):
        fetched(signed_in(), f"space-{kind}:1", tmp_path / "out")
    assert ("GET", "blobs") not in methods(app)
    assert older.read_bytes() == b"mine"
    assert [path.name for path in (tmp_path / "out").rglob("*")] == ["d", "a.bin"]


UNPACK = """
import io, resource, signal, sys
from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.archive.extract import Extraction
from azext_acrartifact.files.names import safe_folder
from azext_acrartifact.files.writing.destination import Destination
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    with Destination.open(sys.argv[1]) as destination:
        with Extraction(destination, safe_folder("d"), max_size=1 << 30) as extraction:
            extraction.read(io.BytesIO(open(sys.argv[2], "rb").read()).read)
            extraction.commit()
except LocalFileError as error:
    print(error)
"""


def test_a_disk_that_fills_up_while_a_folder_is_unpacked_changes_nothing(tmp_path: Path) -> None:
    """No file above 1,000 bytes, as on a disk that is full by then."""
    from tests.unit.files.archive.archives import layer, member

    (tmp_path / "layer").write_bytes(layer(member("d/a", b"new"), member("d/b", bytes(5000))))
    (tmp_path / "out/d").mkdir(parents=True)
    (tmp_path / "out/d/a").write_bytes(b"mine")
    run = subprocess.run(
        [sys.executable, "-c", UNPACK, str(tmp_path / "out"), str(tmp_path / "layer")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.count("\n") == 1
    assert "Cannot write the file" in run.stdout
    assert "d/b" in run.stdout
    assert {path.name: path.is_file() for path in (tmp_path / "out").rglob("*")} == {"d": False, "a": True}
    assert (tmp_path / "out/d/a").read_bytes() == b"mine"
