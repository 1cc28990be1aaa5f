"""The second run of failed tests: only a few get one, and it must pass."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from devtools import pytests

BY_CHANCE = """
import pathlib
def test_by_chance():
    mark = pathlib.Path("mark")
    seen = mark.exists()
    mark.touch()
    assert seen
"""


def run(folder: Path, text: str) -> int:
    """Run a suite of one file in *folder*, which counts its runs in `runs`, and return the exit code."""
    (folder / "test_it.py").write_text(f"open('runs', 'a').write('.')\n{text}")
    variables = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return pytests.run("sample", ["test_it.py"], variables, cwd=folder)


def runs(folder: Path) -> int:
    """Return how often the suite was started."""
    return len((folder / "runs").read_text())


def test_a_test_that_passes_alone_is_reported(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, BY_CHANCE) == 0
    assert "##### passed only alone: test_it.py::test_by_chance" in capfd.readouterr().err
    assert runs(tmp_path) == 2


def test_a_test_that_fails_twice_fails(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, f"{BY_CHANCE}\ndef test_never(): assert False\n") == 1
    assert "passed only alone" not in capfd.readouterr().err
    assert runs(tmp_path) == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("def test_good(): pass\n", 0),
        ("import pytest\n@pytest.mark.parametrize('n', range(4))\ndef test_bad(n): assert n < 0\n", 1),
        ("def test_broken(:\n", 2),
    ],
    ids=["good", "too many failures", "not collected"],
)
def test_other_results_are_not_repeated(text: str, code: int, tmp_path: Path) -> None:
    assert run(tmp_path, text) == code
    if code != 2:
        assert runs(tmp_path) == 1
