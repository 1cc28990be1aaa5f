"""Make the tree for the index of Azure CLI's extensions, build the wheel in it, and install that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.house.source import ROOT

CHECKS = ["license header in each file", "wheel", "metadata", "summary", "history", "az extension add and remove"]


def test_the_tree_meets_what_can_be_checked_quickly(tmp_path: Path) -> None:
    chosen = [word for check in CHECKS for word in ("--only", check)]
    command = [sys.executable, "-m", "devtools.index", "--folder", str(tmp_path / "tree"), *chosen]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[: len(CHECKS)] == [f"pass     {check}" for check in CHECKS]
    assert [line for line in lines if line.startswith("remains ")]
    assert lines[-1] == str(tmp_path / "tree")
    assert not [path for path in (tmp_path / "tree").rglob("*") if path.suffix in (".whl", ".egg-info")]
