"""`.venv` is made once, again after an interrupted installation, and follows its requirements."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from devtools import steps, venv
from tests.house.source import ROOT


@pytest.fixture
def ours(tmp_path: Path) -> venv.Venv:
    """Make the `.venv` of a checkout whose requirements are empty, so that pip needs no index."""
    (tmp_path / "requirements").mkdir()
    for name in ("demo.txt", "dev.txt", "constraints.txt"):
        (tmp_path / "requirements" / name).write_text("# nothing\n", encoding="utf-8")
    return venv.Venv(tmp_path)


def said(capfd: pytest.CaptureFixture[str]) -> list[str]:
    """Return the titles of the steps since the last call."""
    return [line[4:].split()[0] for line in capfd.readouterr().err.splitlines() if line.startswith("==> ")]


def test_it_is_made_once_and_again_after_a_failure(ours: venv.Venv, capfd: pytest.CaptureFixture[str]) -> None:
    python = ours.ready("demo")
    assert said(capfd) == ["making", "installing"]
    assert subprocess.run([python, "-c", "import pip"]).returncode == 0
    requirements = ours.checkout / "requirements" / "demo.txt"

    ours.ready("demo")
    assert said(capfd) == []

    requirements.write_text("# something else\n", encoding="utf-8")
    ours.ready("demo")
    assert said(capfd) == ["installing"]

    ours.ready("dev")
    assert said(capfd) == ["installing"]
    ours.ready("demo")
    assert said(capfd) == []

    requirements.write_text("./no-such-folder\n", encoding="utf-8")
    with pytest.raises(steps.Failed) as failure:
        ours.ready("demo")
    assert failure.value.code == 1
    assert (ours.folder / ".installing").exists()

    requirements.write_text("# nothing\n", encoding="utf-8")
    (ours.folder / "half-installed").touch()
    capfd.readouterr()
    ours.ready("demo")
    assert said(capfd) == ["making", "installing"]
    assert not (ours.folder / "half-installed").exists()


@pytest.mark.parametrize("content", [[], ["photo.jpg"]])
def test_what_a_link_leads_to_stays(ours: venv.Venv, tmp_path: Path, content: list[str]) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in content:
        (elsewhere / name).touch()
    ours.folder.symlink_to(elsewhere, target_is_directory=True)
    with pytest.raises(steps.Failed, match=r"links to .*elsewhere.* Remove the link"):
        ours.ready("demo")
    assert [file.name for file in elsewhere.iterdir()] == content


def test_one_at_a_time(ours: venv.Venv) -> None:
    """Let another process keep the lock until this one reports that it waits."""
    code = (
        "import pathlib, sys; from devtools import venv; folder = pathlib.Path(sys.argv[1])\n"
        "with venv.Venv(folder).lock(): print('locked', flush=True); sys.stdin.read(); (folder / 'done').touch()"
    )
    command = [sys.executable, "-c", code, str(ours.checkout)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        waits: list[str] = []

        def say(text: str, stdin: IO[bytes] = other.stdin) -> None:
            waits.append(text)
            stdin.close()

        with ours.lock(say):
            assert (ours.checkout / "done").exists()
        assert len(waits) == 1
