"""The workflows are thin: pinned actions, and steps that are chores of dev.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import dev
from devtools import workflows
from tests.house.source import ROOT

PINNED = re.compile(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
CHORE = re.compile(r"python dev\.py (\S+)")
PUBLISHING = "gh release create "
"""The one command besides dev.py: it needs the service's own token."""
PYTHONS = re.compile(r'Programming Language :: Python :: (3\.\d+)"')


def steps_of(file: Path) -> list[dict[str, Any]]:
    """Return the steps of all jobs in *file*."""
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    jobs = [found] if "steps" in found else found["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


def commands(file: Path) -> list[str]:
    """Return the commands in *file*."""
    return [step.get("run") or step["script"] for step in steps_of(file) if {"run", "script"} & step.keys()]


def python_versions() -> list[str]:
    """Return the oldest and the newest Python that setup.py names."""
    found = PYTHONS.findall((ROOT / "setup.py").read_text(encoding="utf-8"))
    return [found[0], found[-1]]


@pytest.mark.parametrize("file", [*workflows.WORKFLOWS, workflows.PIPELINE], ids=lambda path: path.name)
def test_steps_are_chores(file: Path) -> None:
    found = [command for command in commands(file) if not command.startswith(PUBLISHING)]
    assert found
    for command in found:
        name = CHORE.match(command)
        assert name, command
        assert name[1] in dev.CHORES or name[1] == "$(chore)"


@pytest.mark.parametrize("file", workflows.WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(file: Path) -> None:
    used = [line for line in file.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert used
    assert [line for line in used if not PINNED.search(line)] == []


def test_the_oldest_and_the_newest_python_are_tested() -> None:
    found = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    assert found["jobs"]["test"]["strategy"]["matrix"]["python"] == python_versions()
    pipeline = yaml.safe_load(workflows.PIPELINE.read_text(encoding="utf-8"))["strategy"]["matrix"].values()
    assert {"3.12", *python_versions()} == {job["python"] for job in pipeline}
    assert {job["chore"].split()[0] for job in pipeline} <= dev.CHORES.keys()


def test_a_step_of_its_own_is_found(tmp_path: Path) -> None:
    file = tmp_path / "x.yml"
    file.write_text("jobs: {a: {steps: [{run: make}, {uses: a/b@v1}]}}")
    assert commands(file) == ["make"]
    assert not PINNED.search(file.read_text())
