"""Fixtures and helpers for tests of files: compared folders, and a system whose calls fail or are observed."""

import os
import shutil
import stat
import threading
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from azext_acrartifact.files.names import safe_name
from azext_acrartifact.files.writing.destination import Destination
from tests.support.system import WINDOWS

Action = Callable[..., object]
Before = Callable[[object, str, Action], None]


def snapshot(folder: Path) -> dict[str, tuple[str, int, bytes]]:
    """Return kind, permission bits (not of links) and content or target of everything below *folder*."""
    found = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        kind = "link" if stat.S_ISLNK(mode) else "folder" if stat.S_ISDIR(mode) else "file"
        if WINDOWS:
            mode &= stat.S_IFMT(mode) | stat.S_IWUSR
        content = os.readlink(path).encode() if kind == "link" else path.read_bytes() if kind == "file" else b""
        found[path.relative_to(folder).as_posix()] = (kind, 0 if kind == "link" else stat.S_IMODE(mode), content)
    return found


def failing(number: int) -> Action:
    """Return an action for `before` that raises OSError *number*."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Before:
    """Return a function that has an *action* called, with the same arguments, before each call of a system function.

    What the action raises, the call raises. Calls by the action itself are not intercepted.
    """

    def intercept(module: object, name: str, action: Action) -> None:
        real, inside = getattr(module, name), threading.local()

        def call(*arguments: object, **options: object) -> object:
            if not getattr(inside, "action", False):
                inside.action = True
                try:
                    action(*arguments, **options)
                finally:
                    inside.action = False
            return real(*arguments, **options)

        if real in os.supports_dir_fd:
            monkeypatch.setattr(os, "supports_dir_fd", {*os.supports_dir_fd, call})
        monkeypatch.setattr(module, name, call)

    return intercept


@pytest.fixture
def no_threads(before: Before) -> None:
    """Refuse new threads, as a busy system does."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    before(threading.Thread, "start", refuse)


@pytest.fixture
def free_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave 1,000 bytes free on every disk."""
    full = types.SimpleNamespace(f_bavail=10, f_bfree=10, f_blocks=100, f_frsize=100)
    monkeypatch.setattr(os, "fstatvfs", lambda _descriptor: full, raising=False)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: (10_000, 9_000, 1_000))


@pytest.fixture
def junctions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use folders by path as on Windows, and let what is named `junction…` be a reparse point."""
    real = os.lstat

    def lstat(path: str) -> object:
        status = real(path)
        if not os.path.basename(path).startswith("junction"):
            return status
        named = {name: getattr(status, name) for name in dir(status) if name.startswith("st_")}
        return types.SimpleNamespace(**{**named, "st_file_attributes": stat.FILE_ATTRIBUTE_REPARSE_POINT})

    monkeypatch.setattr(os, "supports_dir_fd", set())
    monkeypatch.setattr(os, "lstat", lstat)


def put(destination: Destination, title: str, content: bytes) -> None:
    """Write a file as a pull does."""
    with destination.open_temporary(safe_name(title)) as file:
        file.write(content)
        file.commit()


def leftovers(folder: Path) -> list[Path]:
    """Return our temporary files in *folder* and below it."""
    return list(folder.rglob(".acrartifact-*"))
