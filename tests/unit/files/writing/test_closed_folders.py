"""Names that lead into folders of the Azure CLI's own Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from azext_acrartifact.errors import UnsafeContentError
from azext_acrartifact.files.names import RelativeName
from azext_acrartifact.files.writing.closed_folders import ClosedFolders

CLOSED = ("home/.local/lib/python3.11/site-packages", "home/venv", "elsewhere/lib")


def closed(tmp_path: Path, root: str = "home") -> ClosedFolders:
    return ClosedFolders(str(tmp_path / root), [str(tmp_path / folder) for folder in CLOSED])


def named(name: str) -> RelativeName:
    return RelativeName(tuple(name.split("/")) if name else ())


@pytest.mark.parametrize(
    "name",
    [".local/lib/python3.11/site-packages/jmespath.py", ".local/lib/python3.11/site-packages/x/y/z.json",
     ".LOCAL/Lib/python3.11/site-packages/sitecustomize.py", "venv/bin/az", "VENV/pyvenv.cfg", "venv/a.pth", "venv"],
)  # fmt: skip
@pytest.mark.parametrize("folder", [False, True])
def test_a_name_in_a_closed_folder_is_refused(tmp_path: Path, name: str, folder: bool) -> None:
    with pytest.raises(UnsafeContentError, match="own Python") as caught:
        closed(tmp_path).require_outside(named(name), folder=folder)
    assert caught.value.where == name
    assert str(tmp_path / "home") in caught.value.why


def test_above_a_closed_folder_only_folders_may_be_written(tmp_path: Path) -> None:
    """Refuse a link there: it would lead to a folder of the artifact."""
    for name in (".local", ".local/lib", ".local/lib/python3.11"):
        closed(tmp_path).require_outside(named(name), folder=True)
        with pytest.raises(UnsafeContentError, match="own Python"):
            closed(tmp_path).require_outside(named(name))


@pytest.mark.parametrize("name", ["a", "venv2/a", "venv.txt", ".local/share/a", ".local/lib/python3.12/a", "lib/a"])
def test_other_names_are_free(tmp_path: Path, name: str) -> None:
    closed(tmp_path).require_outside(named(name))


def test_the_destination_itself_may_be_closed_but_not_one_inside(tmp_path: Path) -> None:
    with pytest.raises(UnsafeContentError, match="own Python"):
        closed(tmp_path, "home/venv").require_outside(named("a"))
    closed(tmp_path, "home/venv/data").require_outside(named("a"))
    closed(tmp_path, "hom").require_outside(named("e/venv/a"))


def test_a_destination_behind_a_link_is_the_folder_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to("home")
    with pytest.raises(UnsafeContentError, match="own Python"):
        closed(tmp_path, "link").require_outside(named("venv/a"))
