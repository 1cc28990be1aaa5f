"""The demo's page: every command is checked, and failures are counted."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from devtools import demo
from devtools.transcript import Transcript

PROGRAM = "import sys; print(sys.argv[2]); sys.exit(int(sys.argv[1]))"
"""Replaces az: `CODE TEXT` prints the text and exits with the code."""


@pytest.fixture
def page(tmp_path: Path) -> Transcript:
    """Make a page whose `az` is `PROGRAM`."""
    return Transcript([sys.executable, "-c", PROGRAM], tmp_path, os.environ)


def test_a_command_is_printed_as_it_would_be_typed(page: Transcript, capsys: pytest.CaptureFixture[str]) -> None:
    assert page.az("0", "text") == "text\n"
    mark = "^" if os.name == "nt" else "\\"
    assert capsys.readouterr().out == f"$ az 0 {mark}\n    text\ntext\n\n"
    assert (page.commands, page.failures) == (1, 0)
    assert page.ending().startswith("All 1 commands ran as expected")


def test_an_unexpected_exit_code_counts(page: Transcript, capsys: pytest.CaptureFixture[str]) -> None:
    page.az("1 text")
    page.az("3 text", code=3)
    page.az("0 text", code=3)
    assert page.failures == 2
    assert page.ending().startswith("2 of 3 commands failed")
    assert "!!! exit code 1, not 0" in capsys.readouterr().out


def test_an_unexpected_output_counts(page: Transcript) -> None:
    page.az("0 text", check=demo.holds(name="1.0"))
    page.az('0 {"name":"1.0"}', check=demo.holds(name="1.0"))
    assert page.failures == 1


def test_a_missing_or_different_file_counts(page: Transcript, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a\n", encoding="utf-8")
    page.content("a", "a\n")
    assert page.failures == 0
    page.content("a", "b\n")
    page.remove("a")
    page.content("a", "a\n")
    assert (page.commands, page.failures) == (4, 2)


def test_outputs_are_compared_in_what_both_commands_print() -> None:
    core = {field: field for field in demo.COMMON_FIELDS}
    ours = json.dumps({**core, "size": 20})
    assert demo.same_as(ours)(json.dumps(core)) is None
    assert demo.same_as(ours)(json.dumps({**core, "digest": "sha256:other"})) is not None
    assert demo.same_as(ours)("") is not None


@pytest.mark.parametrize("file", [{"title": "a.txt"}, {"path": "folder/a.txt"}])
def test_files_are_known_by_title_or_path(file: dict[str, str]) -> None:
    assert demo.files_are("a.txt")(json.dumps({"files": [file]})) is None
    assert demo.files_are("a.txt")(json.dumps({"files": [file, file]})) is not None
    assert demo.files_are("b.txt")(json.dumps({"files": [file]})) is not None
