"""Python imports nothing from the folders that a command distrusts."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT
from tests.support.system import link

REPORT = """
import json, os, sys
from azext_acrartifact.cli.import_path import distrust
if sys.argv[2:]:
    os.rmdir(os.getcwd())
distrust(sys.argv[1])
print(json.dumps(sys.path))
"""


def path_after(folder: str, *more: str, cwd: Path, python_path: list[str]) -> list[str]:
    """Return `sys.path` of a process in *cwd* that distrusts *folder*."""
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([*python_path, str(ROOT)])}
    run = [sys.executable, "-c", REPORT, folder, *more]
    done = subprocess.run(run, cwd=cwd, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    assert str(ROOT) in found
    assert any(entry.endswith("site-packages") for entry in found)
    return found


def real(path: str | Path) -> str:
    """Return *path* without links, and on Windows in lower case."""
    return os.path.normcase(os.path.realpath(path))


@pytest.mark.parametrize("entry", ["", ".", "sub", "link"])
def test_the_current_folder_leaves_by_every_name(tmp_path: Path, entry: str) -> None:
    (tmp_path / "sub").mkdir()
    link(tmp_path / "link", tmp_path)
    for named in (entry, str(tmp_path / entry)):
        found = path_after(".", cwd=tmp_path, python_path=[named])
        assert not [one for one in found if Path(one).resolve().is_relative_to(tmp_path)]


def test_another_folder_leaves_as_well_and_its_neighbour_stays(tmp_path: Path) -> None:
    for name in ("out", "out-other", "work"):
        (tmp_path / name).mkdir()
    named = [str(tmp_path / "out"), str(tmp_path / "out-other")]
    found = path_after("../out", cwd=tmp_path / "work", python_path=named)
    assert [one for one in found if one.startswith(str(tmp_path))] == [str(tmp_path / "out-other")]


def test_a_package_of_several_folders_loses_those_below(tmp_path: Path) -> None:
    outside = str(tmp_path.parent)
    code = (
        "import os, sys, types; from azext_acrartifact.cli.import_path import distrust\n"
        "package = sys.modules['spread'] = types.ModuleType('spread')\n"
        "package.__path__ = [os.getcwd(), os.path.join(os.getcwd(), 'a'), sys.argv[1]]\n"
        "distrust('.'); print(package.__path__)"
    )
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-c", code, outside]
    done = subprocess.run(run, cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert done.stdout == f"{[outside]}\n", done.stderr


def test_the_installation_stays_though_it_lies_below() -> None:
    assert len(path_after(".", cwd=Path("/"), python_path=[])) > 3


def test_a_current_folder_that_was_deleted_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    found = path_after(".", "gone", cwd=tmp_path / "gone", python_path=["", str(tmp_path)])
    assert "" not in found
    assert str(tmp_path) in found


def test_the_folders_that_python_still_loads_from_are_named(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    look = (
        "import json, os, sys, types; from azext_acrartifact.cli.import_path import distrust\n"
        "before = distrust('out')\n"
        "extensions = sys.modules['azure.cli.core.extension'] = types.ModuleType('extension')\n"
        "extensions.EXTENSIONS_DIR, extensions.EXTENSIONS_SYS_DIR = os.path.abspath('extensions'), None\n"
        "print(json.dumps([distrust('out'), before, sys.path]))"
    )
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(["out", str(tmp_path / "libs"), str(ROOT)])}
    done = subprocess.check_output([sys.executable, "-c", look], cwd=tmp_path, env=variables, text=True)
    closed, before, path = json.loads(done)
    assert set(closed) - set(before) == {real(tmp_path / "extensions")}
    assert {real(entry) for entry in [*path, tmp_path / "libs", sys.prefix]} <= set(closed)
    assert os.path.normcase(site.getusersitepackages()) in closed
    assert real(tmp_path / "out") not in closed
