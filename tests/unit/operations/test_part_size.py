"""The size of parts: what may be typed, what fits into a manifest, and when parts are needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.files.local_file import LocalFile
from azext_acrartifact.oci.mediatypes import UNPACK
from azext_acrartifact.operations import part_size
from azext_acrartifact.operations.file_spec import FileSpec
from azext_acrartifact.operations.inputs import Input
from azext_acrartifact.operations.part_size import (
    AUTOMATIC,
    LARGEST_BLOB,
    USUAL,
    advice,
    fitting_part_size,
    parse_part_size,
)

MIB, GIB = 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("64M", 64 * MIB), ("4m", 4 * MIB), ("256MiB", 256 * MIB), ("1G", GIB), ("1gb", GIB), ("200G", 200 * GIB),
        ("auto", AUTOMATIC), ("off", None),
    ],
)  # fmt: skip
def test_sizes_are_read(text: str, size: int | None) -> None:
    assert parse_part_size(text, "") == size


@pytest.mark.parametrize("text", ["3M", "201G", "64", "64K", "-64M", "6.5M", "M", "64 M", "", "٤M", "9" * 5000 + "M"])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(errors.InvalidInputError, match="4M to 200G") as caught:
        parse_part_size(text, "here")
    assert "64M" in caught.value.hint


def item(tmp_path: Path, size: int, name: str = "f", **annotations: str) -> Input:
    """Return a file of *size* bytes without any content on the disk."""
    path = tmp_path / name
    with open(path, "wb") as file:
        file.truncate(size)
    opened = LocalFile.open(str(path))
    opened.park()
    return Input(name, FileSpec(str(path)), file=opened, annotations=annotations)


@pytest.mark.parametrize(
    ("size", "asked", "fitting"),
    [
        (GIB, None, None), (GIB, AUTOMATIC, USUAL), (GIB, 64 * MIB, 64 * MIB), (8000 * 4 * MIB, 4 * MIB, 4 * MIB),
        (1500 * GIB, AUTOMATIC, USUAL), (3000 * GIB, AUTOMATIC, 2 * USUAL), (LARGEST_BLOB, None, None),
    ],
)  # fmt: skip
def test_the_size_of_parts_fits_the_files(tmp_path: Path, size: int, asked: int | None, fitting: int | None) -> None:
    assert fitting_part_size([item(tmp_path, size)], asked) == fitting


def test_too_many_parts_are_refused_with_the_size_that_fits(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidInputError, match="8,001 parts") as caught:
        fitting_part_size([item(tmp_path, 8000 * 4 * MIB + 1)], 4 * MIB)
    assert "--part-size 8M" in caught.value.hint


@pytest.mark.parametrize(("name", "annotations"), [("n" * 200, {}), ("n", {"note": "x" * 400})])
def test_long_names_and_annotations_leave_room_for_fewer_parts(tmp_path: Path, name: str, annotations) -> None:
    file = item(tmp_path, 7000 * 4 * MIB, name, **annotations)
    with pytest.raises(errors.InvalidInputError, match="manifest of 4 MiB"):
        fitting_part_size([file], 4 * MIB)


def test_a_file_above_the_limit_of_a_blob_needs_parts(tmp_path: Path) -> None:
    with pytest.raises(errors.LocalFileError, match="limit is 200 GiB") as caught:
        fitting_part_size([item(tmp_path, LARGEST_BLOB + 1)], None)
    assert "--part-size auto" in caught.value.hint


def test_an_archive_above_the_limit_of_a_blob_is_refused_with_parts_too(tmp_path: Path) -> None:
    archive = item(tmp_path, LARGEST_BLOB + 1, "f.tar", **{UNPACK: "true"})
    for asked in (None, AUTOMATIC, GIB):
        with pytest.raises(errors.LocalFileError, match=r"limit is 200 GiB.*unpacks cannot go in parts"):
            fitting_part_size([archive], asked)


def test_a_file_above_all_parts_of_an_artifact_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_size, "LARGEST_BLOB", GIB)
    assert fitting_part_size([item(tmp_path, 8000 * GIB)], AUTOMATIC) == GIB
    for asked in (AUTOMATIC, 64 * MIB, GIB):
        with pytest.raises(errors.LocalFileError, match="8,000 parts of 200 GiB"):
            fitting_part_size([item(tmp_path, 8000 * GIB + 1)], asked)


def test_other_files_leave_room_for_fewer_parts(tmp_path: Path) -> None:
    large, small = item(tmp_path, 7000 * 4 * MIB), item(tmp_path, 1, "small")
    assert fitting_part_size([large], 4 * MIB) == 4 * MIB
    with pytest.raises(errors.InvalidInputError, match="manifest of 4 MiB") as caught:
        fitting_part_size([large, *[small] * 8000], 4 * MIB)
    assert "--part-size 8M" in caught.value.hint


@pytest.mark.parametrize(("size", "advised"), [(2 * GIB, False), (2 * GIB + 1, True)])
def test_parts_are_advised_for_large_files(tmp_path: Path, size: int, advised: bool) -> None:
    assert bool(advice([item(tmp_path, size)])) == advised
