"""An unfinished file: when it is durable, when it is closed, and what becomes of what was written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.names import safe_name
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.files.writing.temp_file import Part, replaceable
from tests.unit.files.descriptors import open_below

pytestmark = pytest.mark.usefixtures("folder_kind")
NAME = safe_name("a")


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the system was asked for, in order: to make something durable, to give something its name."""
    found: list[str] = []
    for name in ("fsync", "rename", "replace", "link"):
        real = getattr(os, name)

        def noted(*arguments: object, _name: str = name, _real: object = real, **more: object) -> None:
            found.append("sync" if _name == "fsync" else "name")
            _real(*arguments, **more)  # type: ignore[operator]

        monkeypatch.setattr(os, name, noted)
    return found


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_file_is_durable_before_it_has_its_name(tmp_path: Path, done: list[str], overwrite: bool) -> None:
    with Destination.open(str(tmp_path), overwrite=overwrite) as destination:
        part = destination.open_part(NAME)
        part.write(b"content")
        assert done == []
        part.sync()
        assert done == ["sync"]
        part.commit()
        assert done[:3] == ["sync", "sync", "name"]
    assert (tmp_path / "a").read_bytes() == b"content"


def test_what_was_written_before_it_began_again_is_gone(tmp_path: Path) -> None:
    with Destination.open(str(tmp_path)) as destination, destination.open_part(NAME) as part:
        part.write(b"longer than what comes")
        part.restart()
        part.write(b"new")
        part.commit()
    assert (tmp_path / "a").read_bytes() == b"new"


def begun(destination: Destination) -> Part:
    """A part with some content."""
    part = destination.open_part(NAME)
    part.write(b"content")
    return part


def test_an_end_closes_what_was_open(tmp_path: Path) -> None:
    with Destination.open(str(tmp_path)) as destination:
        before = open_below(tmp_path)
        for end in (Part.commit, Part.discard, Part.__exit__):
            part = begun(destination)
            end(part)
            assert open_below(tmp_path) == before
            part.discard()
    assert os.listdir(tmp_path) == ["a"]


def test_a_second_discard_removes_nothing_and_closes_nothing(tmp_path: Path) -> None:
    with Destination.open(str(tmp_path)) as destination:
        part = begun(destination)
        temporary = next(path for path in tmp_path.iterdir())
        part.discard()
        temporary.write_bytes(b"another's")
        with (tmp_path / "b").open("wb") as other:  # takes the number of the file that was closed
            part.discard()
            other.write(b"x")
    assert temporary.read_bytes() == b"another's"


def test_a_file_is_closed_also_when_it_has_the_number_of_an_input_that_was_closed(tmp_path: Path) -> None:
    """`az … <&-` leaves 0 free, and the next file to be opened gets it."""
    with Destination.open(str(tmp_path)) as destination:
        folder, standard_input = destination.opened(), os.dup(0)
        os.close(0)
        try:
            part = Part(folder, NAME)
            assert str(tmp_path) in os.readlink("/proc/self/fd/0")
            part.discard()
            assert not os.path.lexists("/proc/self/fd/0")
        finally:
            os.dup2(standard_input, 0)
            os.close(standard_input)


@pytest.mark.parametrize("end", [Part.commit, Part.discard])
def test_windows_neither_renames_nor_removes_what_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: object
) -> None:
    """https://learn.microsoft.com/cpp/c-runtime-library/reference/rename-wrename, and unlink likewise."""
    opened: list[list[str]] = []
    with Destination.open(str(tmp_path)) as destination:
        before = open_below(tmp_path)
        part = begun(destination)
        with monkeypatch.context() as windows:
            for name in ("rename", "replace", "unlink"):
                real = getattr(os, name)

                def noted(*arguments: object, _real: object = real, **more: object) -> None:
                    opened.append([path for path in open_below(tmp_path) if path.endswith(".part")])
                    _real(*arguments, **more)  # type: ignore[operator]

                windows.setattr(os, name, noted)
            windows.setattr(os, "name", "nt")
            end(part)  # type: ignore[operator]
        assert open_below(tmp_path) == before
    assert opened == [[]]


def test_a_system_without_fchmod_writes_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Windows before Python 3.13: https://docs.python.org/3/library/os.html#os.fchmod."""
    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.delattr(os, "fchmod")
    with Destination.open(str(tmp_path)) as destination:
        begun(destination).commit()
    assert (tmp_path / "a").read_bytes() == b"content"


@pytest.mark.usefixtures("junctions")
def test_a_junction_is_no_file_to_replace(tmp_path: Path) -> None:
    (tmp_path / "junction").write_bytes(b"")
    with Destination.open(str(tmp_path)) as destination, pytest.raises(LocalFileError, match="it is a symbolic link"):
        replaceable(destination.opened(), safe_name("junction"))


def test_what_is_there_is_not_replaced_without_overwrite(tmp_path: Path) -> None:
    with Destination.open(str(tmp_path), overwrite=False) as destination, begun(destination) as part:
        (tmp_path / "a").write_bytes(b"mine")
        with pytest.raises(LocalFileError, match="A file is there now"):
            part.commit()
    assert (tmp_path / "a").read_bytes() == b"mine"
    assert os.listdir(tmp_path) == ["a"]
