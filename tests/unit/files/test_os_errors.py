"""Whichever system call fails, no descriptor stays open."""

from __future__ import annotations

import contextlib
import errno
import functools
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
from azext_acrartifact.files.os_errors import TEMPORARY_FULL, local_error
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.layout.files import open_layout, read_small
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.uploads import Session
from azext_acrartifact.transfer.upload_sessions import UploadSessions
from tests.support.system import LOCK
from tests.unit.files.archive.archives import layer, member
from tests.unit.files.conftest import Before
from tests.unit.files.descriptors import open_below

CONTENT = b"content"
CALLS = (
    *("open", "dup", "mkdir", "stat", "fstat", "ftruncate", "lseek", "listdir"),
    *("read", "preadv", "write", "pwrite", "link", "unlink"),
)
"""Calls that may fail. A failed close is none to repeat: https://man7.org/linux/man-pages/man2/close.2.html."""
MOST = 300
"""More calls than any action below makes."""


def temporary_file(out: Path) -> None:
    """Write a small file."""
    with Destination.open(str(out)) as destination, destination.open_temporary(safe_name("d/e/a")) as file:
        file.write(CONTENT)
        file.commit()


def resumable_file(out: Path) -> None:
    """Write one range of a resumable file, or resume it, and stop."""
    with Destination.open(str(out)) as destination:
        with destination.open_resumable(safe_name("d/a"), digest_of(CONTENT), len(CONTENT), 4) as file:
            file.write_at(memoryview(CONTENT), 0)
            file.mark(0)


def resumed_file(out: Path) -> None:
    """Resume a file and commit it."""
    resumable_file(out)
    with Destination.open(str(out)) as destination:
        with destination.open_resumable(safe_name("d/a"), digest_of(CONTENT), len(CONTENT), 4) as file:
            file.commit()


def unpacked_folder(out: Path) -> None:
    """Unpack a folder."""
    members = [member(f"p/f/{name}", CONTENT) for name in ("b", "deep/er/c", "b2")]
    with Destination.open(str(out)) as destination:
        with Extraction(destination, safe_folder("p/f"), max_size=99) as extraction:
            extraction.read(io.BytesIO(layer(*members)).read)
            extraction.commit()


def layout_folder(out: Path) -> None:
    """Read a file of a layout folder."""
    (out / "blobs/x").mkdir(parents=True)
    (out / "blobs/x/y").write_bytes(CONTENT)
    files = open_layout(str(out))
    try:
        assert read_small(files, "blobs/x/y", 99) == CONTENT
    finally:
        files.close()


def layout_tar(out: Path) -> None:
    """Read a file of a layout tar."""
    (out / "layout.tar").write_bytes(gzip.decompress(layer(member("x", CONTENT))))
    files = open_layout(str(out / "layout.tar"))
    try:
        assert read_small(files, "x", 99) == CONTENT
    finally:
        files.close()


def upload_session(out: Path) -> None:
    """Save an upload session, and find it again."""
    for _ in range(2):
        noted = UploadSessions(str(out))
        try:
            noted.save("key", Session("https://host/1", 5))
            noted.session("key")
        finally:
            noted.release("key")


ACTIONS = (temporary_file, resumable_file, resumed_file, unpacked_folder, layout_folder, layout_tar, upload_session)


@pytest.mark.usefixtures("folder_kind")
@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_stays_open(tmp_path: Path, before: Before, action: Callable[[Path], None]) -> None:
    calls = Calls(before)
    for number in range(MOST):
        out = tmp_path / str(number)
        out.mkdir()
        with calls.failing(number), contextlib.suppress(LocalFileError, OSError):
            action(out)
        assert open_below(out) == [], calls.made[-1]
        if len(calls.made) <= number:
            break
    assert 5 < number < MOST - 1


class Calls:
    """The system calls of a block, one of which fails."""

    def __init__(self, before: Before) -> None:
        self.made: list[str] = []
        self._fails: int | None = None
        self._lock = threading.Lock()
        for module, name in [*((os, name) for name in CALLS if hasattr(os, name)), LOCK]:
            before(module, name, functools.partial(self._count, name))

    @contextlib.contextmanager
    def failing(self, number: int) -> Iterator[None]:
        """Let the call *number* of the block fail, counted from 0."""
        self.made, self._fails = [], number
        try:
            yield
        finally:
            self._fails = None

    def _count(self, name: str, *arguments: object, **_options: object) -> None:
        with self._lock:
            if self._fails is None:
                return
            self.made.append(f"{len(self.made)}: {name}{arguments}")
            fails = len(self.made) == self._fails + 1
        if fails:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.mark.parametrize(("number", "hint"), [(32, "Another program has the file open"), (5, "Check the permissions")])
def test_windows_says_why_access_is_denied(number: int, hint: str) -> None:
    """ERROR_SHARING_VIOLATION and ERROR_ACCESS_DENIED have the same errno."""
    error = OSError(errno.EACCES, "Permission denied", "a", number)
    if os.name != "nt":
        error.winerror = number  # type: ignore[attr-defined]
    assert hint in local_error("Cannot write the file", "a", error).hint


@pytest.mark.parametrize(
    ("number", "hint"),
    [(errno.ENOSPC, "TMPDIR"), (errno.EDQUOT, "TMPDIR"), (errno.EROFS, "another folder"), (errno.EPERM, "unsupported")],
)
def test_the_hint_knows_what_the_file_is_for(number: int, hint: str) -> None:
    error = OSError(number, os.strerror(number))
    assert hint in local_error("Cannot write", "a", error, "unsupported", TEMPORARY_FULL).hint
    assert "--destination" in local_error("Cannot write", "a", OSError(errno.ENOSPC, "full")).hint
