"""A destination in which nothing is replaced, not even what came while something else was fetched."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.archive.extract import Extraction
from azext_acrartifact.files.names import safe_folder, safe_name
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.oci.digest import digest_of
from tests.unit.files.archive.archives import layer, member

pytestmark = pytest.mark.usefixtures("folder_kind")


@pytest.mark.parametrize("kind", ["part", "kept"])
@pytest.mark.parametrize("links", [True, False], ids=["", "no hard links"])
def test_a_file_that_came_meanwhile_stays(
    tmp_path: Path, kind: str, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", refused)
    name = safe_name("a")
    with Destination.open(str(tmp_path), overwrite=False) as destination:
        if kind == "part":
            part = destination.open_part(name)
            part.write(b"fetched")
        else:
            part = destination.open_kept(name, digest_of(b"fetched"), 7, 7)
            part.write_at(memoryview(b"fetched"), 0)
        (tmp_path / "a").write_bytes(b"theirs")
        with part, pytest.raises(LocalFileError, match="A file is there now"):
            part.commit()
    assert (tmp_path / "a").read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("links", [True, False], ids=["", "no hard links"])
def test_a_name_that_is_free_is_taken(tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not links:
        monkeypatch.setattr(os, "link", refused)
    with Destination.open(str(tmp_path), overwrite=False) as destination:
        with destination.open_part(safe_name("d/a")) as part:
            part.write(b"fetched")
            part.commit()
        with Extraction(destination, safe_folder("f"), max_size=9) as extraction:
            extraction.read(io.BytesIO(layer(member("f/b", b"x"))).read)
            extraction.commit()
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == {
        "a": b"fetched",
        "b": b"x",
    }


@pytest.mark.parametrize("there", ["f", "f/b"])
def test_a_folder_that_came_meanwhile_stays(tmp_path: Path, there: str) -> None:
    with Destination.open(str(tmp_path), overwrite=False) as destination:
        with Extraction(destination, safe_folder("f"), max_size=9) as extraction:
            extraction.read(io.BytesIO(layer(member("f/b", b"x"))).read)
            (tmp_path / "f").mkdir()
            if there != "f":
                (tmp_path / there).write_bytes(b"theirs")
            with pytest.raises(LocalFileError, match="A file is there now"):
                extraction.commit()
    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] == (
        [] if there == "f" else [b"theirs"]
    )


def test_what_is_unpacked_into_the_destination_itself_replaces_nothing(tmp_path: Path) -> None:
    with Destination.open(str(tmp_path), overwrite=False) as destination:
        with Extraction(destination, safe_folder("."), max_size=9) as extraction:
            extraction.read(io.BytesIO(layer(member("a", b"x"))).read)
            (tmp_path / "a").write_bytes(b"theirs")
            with pytest.raises(LocalFileError, match="A file is there now"):
                extraction.commit()
    assert (tmp_path / "a").read_bytes() == b"theirs"


def refused(*_given: object, **_named: object) -> None:
    """A file system without hard links."""
    raise PermissionError(1, "Operation not permitted")
