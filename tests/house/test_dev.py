"""dev.py: its table, exit codes and environments, and its pinned requirements."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dev
from devtools import environment, steps, suite
from tests.house.source import ROOT, chores


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run dev.py in a process of its own."""
    return subprocess.run([sys.executable, str(ROOT / "dev.py"), *arguments], cwd=cwd, capture_output=True, text=True)


def test_help_lists_every_chore() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert re.findall(r"^  (\w+) ", done.stdout, re.MULTILINE) == list(dev.CHORES)


def test_an_unknown_chore_is_a_usage_error(tmp_path: Path) -> None:
    done = run("tset", cwd=tmp_path)
    assert done.returncode == 2
    assert "no chore 'tset'" in done.stderr
    assert run().returncode == 2


def test_every_chore_has_its_module() -> None:
    names = {module.name for module in chores()}
    assert {chore.module for chore in dev.CHORES.values()} <= names


def test_the_slow_tests_exist() -> None:
    assert [file for file in suite.SLOW if not (ROOT / "tests" / file).exists()] == []


def test_an_exit_code_is_passed_on() -> None:
    done = run("lint", "no-such-check")
    assert done.returncode == 2
    assert "no check 'no-such-check'" in done.stderr


def test_modules_that_run_before_installation_need_only_the_standard_library() -> None:
    ours, early = {"devtools", "dev"}, ("steps", "venv", "environment", "locks")
    foreign = [
        f"{module.at(imported.line)}: {imported.full}"
        for module in chores()
        if module.name in (*ours, *(f"devtools.{name}" for name in early))
        for imported in module.imports()
        if imported.module.split(".")[0] not in sys.stdlib_module_names | ours
    ]
    assert foreign == []


def test_dev_parses_on_older_pythons() -> None:
    text = (ROOT / "dev.py").read_text(encoding="utf-8")
    assert text.index("sys.version_info") < text.index("from typing")
    ast.parse(text, feature_version=(3, 7))


# A backport names the first Python that does not need it.
PINNED = re.compile(r"[\w.-]+==[\w.]+(?:; python_version < \"[\d.]+\")?")


def test_the_requirements_are_pinned() -> None:
    names = ("demo", "dev", "fuzz", "oldest", "windows", "docs", "docs-check", "constraints")
    for name in (f"{name}.txt" for name in names):
        lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
        named = [line for line in lines if line and not line.startswith(("#", "-"))]
        assert [line for line in named if not PINNED.fullmatch(line)] == []


def test_constraints_agree_with_the_requirements() -> None:
    constraints = set((ROOT / "requirements" / "constraints.txt").read_text(encoding="utf-8").splitlines())
    for name in ("demo.txt", "dev.txt"):
        lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
        assert {line for line in lines if "==" in line} <= constraints


MACHINE = {"PATH": "p", "https_proxy": "x", "REQUESTS_CA_BUNDLE": "x", "AZURE_CONFIG_DIR": "x", "PIP_USER": "1"}


def test_only_pip_gets_the_users_network_settings() -> None:
    assert environment.for_pip({**MACHINE, "PYTHONPATH": "x"}) == {k: v for k, v in MACHINE.items() if k != "PIP_USER"}
    assert environment.clean(MACHINE) == {"PATH": "p"}


def test_a_step_reports_its_title_and_its_exit_code(capfd: pytest.CaptureFixture[str]) -> None:
    assert steps.run("counting", [sys.executable, "-c", "raise SystemExit(7)"]) == 7
    assert re.fullmatch(
        r"==> counting\n<== counting: failed with exit code 7 after \d+\.\d s\n", capfd.readouterr().err
    )


def test_a_long_step_reports_that_it_is_still_running(capfd: pytest.CaptureFixture[str]) -> None:
    assert steps.run("waiting", [sys.executable, "-c", "import time; time.sleep(0.5)"], heartbeat=0.1) == 0
    assert re.search(r"^    waiting: \d+ s so far$", capfd.readouterr().err, re.MULTILINE)


def test_a_failed_step_ends_a_chore_with_its_code(capfd: pytest.CaptureFixture[str]) -> None:
    def chore(_arguments: list[str]) -> int:
        steps.must("failing", [sys.executable, "-c", "raise SystemExit(5)"])
        return 0

    assert steps.exit_code(chore) == 5
    assert capfd.readouterr().err.endswith("failing failed.\n")
