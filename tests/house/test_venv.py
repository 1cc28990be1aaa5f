"""`.venv` is made once, anew after an installation that did not end, and follows its requirements."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from devtools import steps, venv
from tests.house.source import ROOT


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose requirements ask for nothing, so that pip needs no index."""
    (tmp_path / "requirements").mkdir()
    for name in ("demo.txt", "dev.txt", "constraints.txt"):
        (tmp_path / "requirements" / name).write_text("# nothing\n", encoding="utf-8")
    monkeypatch.setattr(steps, "ROOT", tmp_path)
    monkeypatch.setattr(venv, "VENV", tmp_path / ".venv")
    return tmp_path


def said(capfd: pytest.CaptureFixture[str]) -> list[str]:
    """The titles of the steps since the last look."""
    return [line[4:].split()[0] for line in capfd.readouterr().err.splitlines() if line.startswith("==> ")]


def test_it_is_made_once_and_anew_after_a_failure(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    python = venv.ready("demo")
    assert said(capfd) == ["making", "installing"]
    assert subprocess.run([python, "-c", "import pip"]).returncode == 0

    venv.ready("demo")
    assert said(capfd) == []

    (checkout / "requirements" / "demo.txt").write_text("# something else\n", encoding="utf-8")
    venv.ready("demo")
    assert said(capfd) == ["installing"]

    venv.ready("dev")
    assert said(capfd) == ["installing"]
    venv.ready("demo")
    assert said(capfd) == []

    (checkout / "requirements" / "demo.txt").write_text("./no-such-folder\n", encoding="utf-8")
    with pytest.raises(steps.Failed) as failure:
        venv.ready("demo")
    assert failure.value.code == 1
    assert (checkout / ".venv" / ".installing").exists()

    (checkout / "requirements" / "demo.txt").write_text("# nothing\n", encoding="utf-8")
    (checkout / ".venv" / "half-installed").touch()
    capfd.readouterr()
    venv.ready("demo")
    assert said(capfd) == ["making", "installing"]
    assert not (checkout / ".venv" / "half-installed").exists()


def test_one_at_a_time(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other holds on until this one has said that it waits."""
    code = (
        "import pathlib, sys; from devtools import steps, venv; steps.ROOT = pathlib.Path(sys.argv[1])\n"
        "with venv._lock(): print('locked', flush=True); sys.stdin.read(); (steps.ROOT / 'done').touch()"
    )
    command = [sys.executable, "-c", code, str(checkout)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        waits: list[str] = []

        def say(text: str, told: IO[bytes] = other.stdin) -> None:
            waits.append(text)
            told.close()

        monkeypatch.setattr(steps, "say", say)
        with venv._lock():
            assert (checkout / "done").exists()
        assert len(waits) == 1
