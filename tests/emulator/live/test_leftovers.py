"""A run knows its repositories without a list of the registry, and a killed one leaves a file about them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from devtools.live.leftovers import Leftovers
from tests.live.eventually import NotYet, eventually


def test_the_file_has_the_command_until_everything_is_deleted(tmp_path: Path) -> None:
    run = Leftovers("name-hash.azurecr.io", tmp_path / "live")
    assert not run.file.exists()
    one, two = run.repository("one"), run.repository("two")
    assert one == run.repository("one") == f"acrartifact-live/{run.name}/one"
    command = "python3 dev.py live name-hash.azurecr.io --delete"
    assert run.file.read_text(encoding="utf-8") == f"{command} {one} {two}\n"
    assert str(run.file) in run.announce()
    run.deleted(one)
    assert run.report({two: "ERROR: forbidden\n"}).splitlines() == [
        "These repositories are left:",
        f"  name-hash.azurecr.io/{two}: ERROR: forbidden",
        f"Delete them: {command} {two}",
    ]
    run.deleted(two)
    assert not run.file.exists()


def test_a_later_run_removes_the_file_of_a_killed_one(tmp_path: Path) -> None:
    killed = Leftovers("name-hash.azurecr.io", tmp_path)
    one = killed.repository("one")
    later = Leftovers.of("name-hash.azurecr.io", [one], tmp_path)
    later.deleted(one)
    assert not killed.file.exists()


def test_a_late_read_is_repeated_for_a_limited_time() -> None:
    seen = iter([NotYet("late"), NotYet("late"), None])

    def read() -> str:
        if error := next(seen):
            raise error
        return "there"

    assert eventually(read) == "there"

    def never() -> None:
        raise NotYet("never")

    start = time.monotonic()
    with pytest.raises(NotYet):
        eventually(never, within=0.5)
    assert time.monotonic() - start < 5

    attempts = []

    def wrong() -> None:
        attempts.append(1)
        raise AssertionError("wrong")

    with pytest.raises(AssertionError, match="wrong"):
        eventually(wrong, within=0.5)
    assert len(attempts) == 1
