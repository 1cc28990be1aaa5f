"""The peak memory of a whole `az` process.

`ACRARTIFACT_MEMORY_FULL=1` uses the sizes of the promise: 1 GiB, and 20 files of 50 MiB.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transfer_faults.engine import SERVER
from tests.transfer_faults.processes import Processes

FULL = bool(os.environ.get("ACRARTIFACT_MEMORY_FULL"))
MIB = 1024 * 1024
MOST, MOST_AT_WIDEST = 150, 200
"""MiB."""

pytestmark = pytest.mark.timeout(600)


def one_large(folder: Path) -> None:
    """Create one file, mostly a hole, which is read and sent in full all the same."""
    with (folder / "large.bin").open("wb") as file:
        file.write(os.urandom(MIB))
        file.truncate((1024 if FULL else 300) * MIB)


def many_small(folder: Path) -> None:
    """Create two thousand files of 4 KiB."""
    for number in range(2000):
        (folder / f"{number:04}").write_bytes(number.to_bytes(4, "big") * 1024)


def several(folder: Path) -> None:
    """Create twenty files of 50 MiB, or 8."""
    for number in range(20):
        with (folder / f"{number:02}").open("wb") as file:
            file.write(number.to_bytes(4, "big") * 1024)
            file.truncate((50 if FULL else 8) * MIB)


@pytest.mark.parametrize("wide", [False, True], ids=["adaptive", "64"])
@pytest.mark.parametrize("make", [one_large, many_small, several])
def test_memory_stays_low(
    make: Callable[[Path], None], wide: bool, installed: Processes, tmp_path: Path, repository: str
) -> None:
    folder = tmp_path / "content"
    folder.mkdir()
    make(folder)
    az = Processes(installed.emulator, installed.environment, folder)
    names = sorted(path.name for path in folder.iterdir())
    width = ("--concurrency", "64") if wide else ()
    pushed = az.ok("push", f"{SERVER}/{repository}:1", "--file", *names, *width)
    pulled = az.ok("pull", f"{SERVER}/{repository}:1", "--destination", str(tmp_path / "there"), *width)
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == names
    print(f"{make.__name__}: push {pushed.peak:.0f} MiB, pull {pulled.peak:.0f} MiB")
    assert max(pushed.peak, pulled.peak) <= (MOST_AT_WIDEST if wide else MOST)
