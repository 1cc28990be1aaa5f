"""dev.py windows: what it takes from the machine, what it makes, and which tests it leaves out."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from devtools import steps
from devtools.windows import __main__ as chore
from devtools.windows import digests, installation, wine
from tests import not_windows
from tests.house.source import ROOT

UNIT = ROOT / "tests" / "unit"


def test_an_unknown_verb_is_refused_before_anything_is_installed() -> None:
    with pytest.raises(steps.Failed, match="usage") as caught:
        chore.main(["unti"])
    assert caught.value.code == 2


def test_usage_lists_every_verb() -> None:
    assert re.findall(r"^  (\w+) ", chore.USAGE, re.MULTILINE) == list(chore._VERBS)


def test_ci_runs_tests_that_exist() -> None:
    assert [part for part in chore.SYSTEM if not (UNIT / part).exists()] == []


def test_without_maven_the_error_names_the_packages(tmp_path: Path) -> None:
    program = "from devtools.windows.__main__ import main; from devtools import steps; sys = __import__('sys')\n"
    run = [sys.executable, "-c", f"{program}sys.exit(steps.exit_code(main))", "imports"]
    done = subprocess.run(run, cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 1
    assert "apt-get install wine wine64 gcc-mingw-w64-x86-64-win32 maven" in done.stderr


def test_wine_gets_no_setting_of_the_machine() -> None:
    given = {"PATH": "p", "DISPLAY": ":0", "HTTPS_PROXY": "x", "AZURE_CONFIG_DIR": "x", "PIP_TARGET": "x"}
    found = wine.variables(Path("/prefix"), given)
    assert found["WINEPREFIX"] == "/prefix"
    assert found["PATH"] == "p"
    assert not found.keys() & {*given} - {"PATH"}


SYMBOLS = """
0000000000000000 T PyLong_FromLong
0000000000000000 I __imp_PyLong_FromLong
0000000000000000 I __imp_PyLong_Type
0000000000000000 I __imp_PyOld_Removed
"""
EXPORTS = """
[Ordinal/Name Pointer] Table
        [ 100] +base[ 101]  0064 PyLong_FromLong
        [ 101] +base[ 102]  0065 PyLong_Type
        [ 102] +base[ 103]  0066 PyPrivate_Thing
"""


def test_the_stable_abi_is_forwarded_functions_and_data() -> None:
    assert installation.forwarders(SYMBOLS, EXPORTS) == (
        "LIBRARY python3.dll\n"
        "EXPORTS\n"
        "  PyLong_FromLong=python313.PyLong_FromLong\n"
        "  PyLong_Type=python313.PyLong_Type DATA\n"
    )


@pytest.mark.parametrize(("theirs", "code"), [('{"all": "sha256:0"}', 1), (None, 0)])
def test_digests_are_compared(theirs: str | None, code: int, capfd: pytest.CaptureFixture[str]) -> None:
    def run(arguments: list[str]) -> bytes:
        if theirs:
            return theirs.encode()
        return subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout

    assert digests.compare(run) == code
    assert ("but sha256:0 on Windows" in capfd.readouterr().out) == bool(code)


def test_each_test_that_is_left_out_exists() -> None:
    for name in " ".join([*not_windows.TESTS.values(), *not_windows.WINE_TESTS.values()]).split():
        file, _, test = name.partition("::")
        folder = ROOT / "tests" / ("" if file.startswith("functional/") else "unit")
        tree = ast.parse((folder / file).read_text(encoding="utf-8"))
        assert test.partition("[")[0] in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, name


def test_the_reason_of_a_test_is_found_with_and_without_its_case() -> None:
    name = "auth/test_docker_config.py::test_a_symbolic_link_stays_one"
    assert not_windows.reason(f"tests/unit/{name}") == not_windows.reason(f"tests/unit/{name}[a-b]")
    assert not_windows.reason(f"tests/unit/{name}")
    assert not_windows.reason("tests/unit/auth/test_docker_config.py::test_its_path") is None
