"""Standard streams that a shell has closed, that are no Unicode, and a current folder that was removed."""

from __future__ import annotations

import functools
import os
import shutil
from pathlib import Path

import pytest

from tests.functional.az import Az, assert_no_internals
from tests.functional.origin import Origin


def closing(*numbers: int) -> functools.partial[None]:
    """Return a function that closes the standard streams with *numbers*, as `2>&-` does."""
    return functools.partial(_close, numbers)


def _close(numbers: tuple[int, ...]) -> None:
    for number in numbers:
        os.close(number)


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_streams_change_nothing(
    az: Az, origin: Origin, artifact: str, repository: str, work: Path, closed: tuple[int, ...]
) -> None:
    (work / "b.txt").write_text("b")
    pushed = az("acr", "artifact", "push", artifact, "--file", "b.txt", prepare=closing(*closed))
    pulled = az("acr", "artifact", "pull", artifact, "-d", "out", prepare=closing(*closed))
    assert (pushed.code, pulled.code) == (0, 0)
    assert (work / "out" / "b.txt").read_bytes() == b"b"
    assert pushed.stderr == pulled.stderr == ""
    assert (pushed.stdout == "") == (1 in closed)


@pytest.mark.parametrize(
    ("arguments", "closed", "said"),
    [
        (("push", "--file", "-", "--stdin-name", "x"), 0, "Standard input is closed"),
        (("push", "--file", "a.txt", "-u", "me", "--password-stdin"), 0, "No password"),
        (("push", "--file", "a.txt", "-u", "me"), 0, "No password"),
        (("delete",), 0, "--yes"),
        (("pull", "--stdout"), 1, "it is closed"),
        (("show", "--raw"), 1, "it is closed"),
    ],
)
def test_what_needs_a_closed_stream_says_so(
    az: Az, digest: str, artifact: str, file: str, arguments: tuple[str, ...], closed: int, said: str
) -> None:
    refused = az.refused(1, arguments[0], artifact, *arguments[1:], prepare=closing(closed))
    assert said in refused.stderr
    assert refused.writes == []


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_stream_without_unicode_gets_escapes(az: Az, artifact: str, work: Path, encoding: str) -> None:
    (work / "日本.txt").write_text("x")
    narrow = az.using(PYTHONIOENCODING=encoding)
    pushed = narrow("acr", "artifact", "push", artifact, "--file", "日本.txt")
    assert (pushed.code, pushed.stderr) == (0, "")
    assert pushed.json["files"][0]["title"] == "日本.txt"
    az.artifact("attach", artifact, "--file", "日本.txt", "--artifact-type", "application/vnd.example.sbom.v1")
    for command in (("show", artifact), ("list-referrers", artifact)):
        shown = narrow("acr", "artifact", *command, "-o", "table")
        assert (shown.code, shown.stderr) == (0, "")
        assert shown.stdout.isascii()


def test_a_current_folder_that_was_removed(az: Az, digest: str, artifact: str, work: Path, tmp_path: Path) -> None:
    (work / "gone").mkdir()
    gone = functools.partial(_leave, str(work / "gone"))
    whole = az("acr", "artifact", "pull", artifact, "-d", str(tmp_path / "out"), prepare=gone)
    assert whole.code == 0, whole.stderr
    assert (tmp_path / "out" / "a.txt").read_text() == "one"
    for arguments in (("pull",), ("backup", "-d", "x"), ("restore", "-s", "x"), ("pull", "-d", "out")):
        (work / "gone").mkdir()
        refused = az("acr", "artifact", arguments[0], artifact, *arguments[1:], prepare=gone)
        assert refused.code == 1
        assert "The current folder was removed" in refused.stderr
        assert_no_internals(refused.stderr)
        assert refused.log == []


def _leave(folder: str) -> None:
    os.chdir(folder)
    shutil.rmtree(folder)
