"""Whatever the system refuses, at whichever step: nothing of the folder stays open."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gzip
import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.archive.extract import Extraction
from azext_acrartifact.files.names import safe_folder, safe_name
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.layout.files import open_layout, read_small
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.uploads import Session
from azext_acrartifact.transfer.upload_sessions import UploadSessions
from tests.unit.files.archive.archives import layer, member
from tests.unit.files.descriptors import open_below

CONTENT = b"content"
CALLS = (
    *("open", "dup", "mkdir", "stat", "fstat", "ftruncate", "lseek", "listdir"),
    *("read", "preadv", "write", "pwrite", "link", "unlink"),
)
"""What a system may refuse. Closing is not among it: https://man7.org/linux/man-pages/man2/close.2.html."""
MOST = 300
"""Steps that none of these takes."""


def part(out: Path) -> None:
    """Write a small file."""
    with Destination.open(str(out)) as destination, destination.open_part(safe_name("d/e/a")) as begun:
        begun.write(CONTENT)
        begun.commit()


def kept(out: Path) -> None:
    """Write a file in pieces, and break off after the first; go on with it where that is there."""
    with Destination.open(str(out)) as destination:
        with destination.open_kept(safe_name("d/a"), digest_of(CONTENT), len(CONTENT), 4) as begun:
            begun.write_at(memoryview(CONTENT), 0)
            begun.mark(0)


def again(out: Path) -> None:
    """Write a file in pieces, twice, and give it its name then."""
    kept(out)
    with Destination.open(str(out)) as destination:
        with destination.open_kept(safe_name("d/a"), digest_of(CONTENT), len(CONTENT), 4) as begun:
            begun.commit()


def unpacked(out: Path) -> None:
    """Unpack a folder."""
    members = [member(f"p/f/{name}", CONTENT) for name in ("b", "deep/er/c", "b2")]
    with Destination.open(str(out)) as destination:
        with Extraction(destination, safe_folder("p/f"), max_size=99) as extraction:
            extraction.read(io.BytesIO(layer(*members)).read)
            extraction.commit()


def layout(out: Path) -> None:
    """Read a file of a layout."""
    (out / "blobs/x").mkdir(parents=True)
    (out / "blobs/x/y").write_bytes(CONTENT)
    files = open_layout(str(out))
    try:
        assert read_small(files, "blobs/x/y", 99) == CONTENT
    finally:
        files.close()


def tar(out: Path) -> None:
    """Read a file of a layout that is a tar."""
    (out / "layout.tar").write_bytes(gzip.decompress(layer(member("x", CONTENT))))
    files = open_layout(str(out / "layout.tar"))
    try:
        assert read_small(files, "x", 99) == CONTENT
    finally:
        files.close()


def journal(out: Path) -> None:
    """Note an upload under way, and find it again."""
    for _ in range(2):
        noted = UploadSessions(str(out))
        try:
            noted.save("key", Session("https://host/1", 5))
            noted.session("key")
        finally:
            noted.release("key")


@pytest.mark.usefixtures("folder_kind")
@pytest.mark.parametrize("step", [part, kept, again, unpacked, layout, tar, journal])
def test_nothing_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: Callable[[Path], None]) -> None:
    for number in range(MOST):
        out = tmp_path / str(number)
        out.mkdir()
        with refusing(monkeypatch, number) as done, contextlib.suppress(LocalFileError, OSError):
            step(out)
        assert open_below(out) == [], done[-1]
        if len(done) <= number:
            break
    assert 5 < number < MOST - 1


@contextlib.contextmanager
def refusing(monkeypatch: pytest.MonkeyPatch, number: int) -> Iterator[list[str]]:
    """Refuse the call *number* of the system, counted from 0; those that were made."""
    done: list[str] = []
    lock = threading.Lock()

    def counting(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **more: object) -> object:
            with lock:
                done.append(f"{len(done)}: {name}{arguments}")
                refused = len(done) == number + 1
            if refused:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return real(*arguments, **more)

        return call

    with monkeypatch.context() as system:
        for name in CALLS:
            system.setattr(os, name, counting(name, getattr(os, name)))
        if os.supports_dir_fd:
            system.setattr(os, "supports_dir_fd", {os.open})
        system.setattr(fcntl, "flock", counting("flock", fcntl.flock))
        yield done
