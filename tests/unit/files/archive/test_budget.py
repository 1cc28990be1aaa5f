"""The folders of one artifact share their limits, and the free space."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from azext_acrartifact.errors import CancelledError, LocalFileError, UnsafeContentError
from azext_acrartifact.files.archive.budget import DISK_BLOCK, SIZE_FLOOR, UnpackBudget, size_limit, stated_limit
from azext_acrartifact.files.archive.extract import Extraction
from azext_acrartifact.files.names import safe_folder
from azext_acrartifact.files.writing.destination import Destination
from tests.unit.files.archive.archives import layer, member


@pytest.fixture
def destination(tmp_path: Path) -> Iterator[Destination]:
    with Destination.open(str(tmp_path)) as opened:
        yield opened


def unpack(destination: Destination, title: str, data: bytes, budget: UnpackBudget) -> None:
    with Extraction(destination, safe_folder(title), max_size=1 << 20, budget=budget) as extraction:
        extraction.read(io.BytesIO(data).read)
        extraction.commit()


def test_the_limit_grows_with_the_layers() -> None:
    assert (size_limit(5), size_limit(1 << 30)) == (SIZE_FLOOR, 100 << 30)


@pytest.mark.parametrize(
    ("layers", "limit"),
    [
        ([(5, 0)], SIZE_FLOOR), ([(1 << 30, 7)], 100 << 30), ([(2 << 20, 3 << 29)], 3 << 29),
        ([(2 << 20, 1 << 60)], 2200 << 20), ([(2 << 20, 1 << 30), (1 << 20, 1 << 29)], 3 << 29),
    ],
)  # fmt: skip
def test_a_stated_size_is_allowed_up_to_the_ratio_of_deflate(layers: list[tuple[int, int]], limit: int) -> None:
    assert stated_limit(layers) == limit


def test_nothing_needs_space_that_is_not_written(destination: Destination) -> None:
    UnpackBudget(destination, None, reserved=1 << 62, writes=False).take("a", 1 << 61)
    with pytest.raises(LocalFileError, match="not enough free space"):
        UnpackBudget(destination, None, reserved=1 << 62).take("a", 1 << 61)


def test_folders_share_the_bytes(destination: Destination, tmp_path: Path) -> None:
    budget = UnpackBudget(destination, 1500)
    unpack(destination, "a", layer(member("a/f", bytes(1000))), budget)
    with pytest.raises(UnsafeContentError, match=r"2,000 bytes together, and 1,500 are allowed"):
        unpack(destination, "b", layer(member("b/f", bytes(1000))), budget)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_folders_share_the_entries(destination: Destination) -> None:
    budget = UnpackBudget(destination, None, 5)
    unpack(destination, "a", layer(member("a/x/f"), member("a/g")), budget)
    with pytest.raises(UnsafeContentError, match="too many files: more than 5"):
        unpack(destination, "b", layer(member("b/x/y/f")), budget)


def test_limits_may_be_reached(destination: Destination) -> None:
    budget = UnpackBudget(destination, 1500, 5)
    budget.take("a", 1500)
    budget.count(5)
    with pytest.raises(UnsafeContentError):
        budget.take("b", 1)
    with pytest.raises(UnsafeContentError):
        budget.count(1)


def test_a_folder_that_is_listed_again_counts_again(destination: Destination) -> None:
    with pytest.raises(UnsafeContentError, match="too many files"):
        unpack(destination, "a", layer(*[member("a", kind=b"5")] * 9), UnpackBudget(destination, None, 7))


@pytest.mark.usefixtures("free_space")
def test_what_is_promised_is_not_free_for_others(destination: Destination) -> None:
    budget = UnpackBudget(destination, None, reserved=100)
    budget.take("a", 800)
    with pytest.raises(LocalFileError, match=r"1,050 bytes are needed and 1,000 are free"):
        budget.take("b", 250)


@pytest.mark.usefixtures("free_space")
def test_what_is_written_is_not_counted_twice(destination: Destination) -> None:
    budget = UnpackBudget(destination, None)
    for _ in range(9):
        budget.take("a", 800)
        budget.wrote(800)


@pytest.mark.usefixtures("free_space")
def test_entries_take_space_too(destination: Destination) -> None:
    with pytest.raises(LocalFileError, match=f"{DISK_BLOCK:,} bytes are needed"):
        UnpackBudget(destination, None).count(1)


def test_a_cancelled_command_stops_unpacking(destination: Destination, tmp_path: Path) -> None:
    cancelled = threading.Event()
    budget = UnpackBudget(destination, None, cancelled=cancelled)
    cancelled.set()
    with pytest.raises(CancelledError):
        unpack(destination, "a", layer(member("a/f", b"x")), budget)
    for step in (budget.count, budget.wrote):
        with pytest.raises(CancelledError):
            step(1)
    assert list(tmp_path.iterdir()) == []
