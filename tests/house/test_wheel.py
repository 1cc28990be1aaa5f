"""The wheel: pure, reproducible, and of the version that HISTORY.rst describes."""

from __future__ import annotations

import itertools
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from devtools import wheel as wheels
from tests.house.source import ROOT


def version() -> str:
    """Read VERSION of the package as setup.py does."""
    text = (ROOT / "azext_acrartifact" / "_version.py").read_text(encoding="utf-8")
    found = re.search(r'^VERSION = "(\d+\.\d+\.\d+(?:b\d+)?)"$', text, re.MULTILINE)
    assert found
    return found.group(1)


def test_history_describes_this_version() -> None:
    history = (ROOT / "HISTORY.rst").read_text(encoding="utf-8").splitlines()
    headings = [above for above, below in itertools.pairwise(history) if re.fullmatch(r"[+]{3,}", below)]
    assert version() == headings[0]


def test_the_wheel_is_complete_and_pure(wheel: Path) -> None:
    assert wheel.name == f"acrartifact-{version()}-py3-none-any.whl"
    assert wheels.problems(wheel) == []


def test_the_wheel_is_reproducible(wheel: Path, tmp_path: Path) -> None:
    assert wheels.build(tmp_path).read_bytes() == wheel.read_bytes()


def test_the_wheel_does_not_depend_on_the_system(wheel: Path) -> None:
    """Require entries without compression, with the mode and the system of Linux: zlib differs, and so does umask."""
    with zipfile.ZipFile(wheel) as archive:
        entries = {(e.compress_type, e.create_system, e.external_attr >> 16, e.date_time) for e in archive.infolist()}
    assert entries == {(zipfile.ZIP_STORED, 3, 0o100644, (1980, 1, 1, 0, 0, 0))}


def test_line_ends_of_windows_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x = 1\r\ny = 2\n")
    wheels.copy_text(tmp_path / "a.py", tmp_path / "b.py")
    assert (tmp_path / "b.py").read_bytes() == b"x = 1\ny = 2\n"


def test_a_build_replaces_older_wheels(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "acrartifact-0.0.1-py3-none-any.whl").touch()
    assert list(tmp_path.iterdir()) != [wheels.build(tmp_path)]
    assert [path.name for path in tmp_path.iterdir()] == [wheel.name]


@pytest.mark.parametrize(
    ("member", "text", "problem"),
    [
        ("tests/test_x.py", "", "contains tests/test_x.py"),
        (
            "acrartifact-{}.dist-info/METADATA",
            "Name: acrartifact\nRequires-Dist: requests\n",
            "METADATA requires requests",
        ),
        ("acrartifact-{}.dist-info/top_level.txt", "azure\n", "top_level.txt does not name azext_acrartifact alone"),
    ],
)
def test_a_wrong_wheel_is_found(wheel: Path, tmp_path: Path, member: str, text: str, problem: str) -> None:
    wrong = tmp_path / wheel.name
    with zipfile.ZipFile(wheel) as given, zipfile.ZipFile(wrong, "w") as made:
        for name in given.namelist():
            if name != member.format(version()):
                made.writestr(name, given.read(name))
        made.writestr(member.format(version()), text)
    assert problem in wheels.problems(wrong)


def test_an_impure_or_incomplete_wheel_is_found(wheel: Path, tmp_path: Path) -> None:
    wrong = tmp_path / wheel.name.replace("py3-none-any", "cp311-cp311-linux_x86_64")
    shutil.copyfile(wheel, wrong)
    assert wheels.problems(wrong) == [f"{wrong.name} is not py3-none-any"]
    with zipfile.ZipFile(wheel) as given, zipfile.ZipFile(wrong, "w") as made:
        for name in given.namelist():
            if not name.endswith("_version.py"):
                made.writestr(name, given.read(name))
    assert "azext_acrartifact/_version.py is missing" in wheels.problems(wrong)
