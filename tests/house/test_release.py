"""The files of a release: reproducible, complete, and right about each other."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from devtools import extension_index, release, sbom, steps
from tests.house.source import ROOT

URL = "https://example.com/files"
HISTORY = """.. :changelog:

Release History
===============

1.0.0b2
+++++++
* A word of ``code``,
  and `a link <https://example.com>`_.

1.0.0b1
+++++++
* Old.
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the files of a release once."""
    dist = tmp_path_factory.mktemp("dist")
    (dist / "acrartifact-0.0.1-py3-none-any.whl.sha256").touch()
    release.make(dist, URL)
    return dist


@pytest.fixture
def wheel(made: Path) -> Path:
    """Return the wheel of the release."""
    return next(made.glob("*.whl"))


@pytest.fixture
def bill(wheel: Path) -> dict[str, Any]:
    """Return the SBOM of the wheel."""
    return sbom.document(wheel)


def test_the_release_is_complete_and_without_older_files(made: Path, wheel: Path) -> None:
    version = wheel.name.split("-")[1]
    names = [wheel.name, f"{wheel.name}.sha256", "index.json", "release-notes.md", f"acrartifact-{version}.spdx.json"]
    assert {path.name for path in made.iterdir()} == set(names)
    assert (made / names[1]).read_text() == f"{hashlib.sha256(wheel.read_bytes()).hexdigest()}  {wheel.name}\n"
    assert (made / names[3]).read_text().startswith(f"# acrartifact {version}\n\n* ")


def test_the_same_sources_give_the_same_bytes(made: Path, tmp_path: Path) -> None:
    """Make them again in a process of another time zone, locale, umask, folder and order of hashing."""
    command = [sys.executable, "-c", "import os, sys; os.umask(0o077); from devtools import release; sys.exit("
               f"release.main(['--url', {URL!r}, '--dist', {str(tmp_path)!r}]))"]  # fmt: skip
    elsewhere = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=tmp_path.parent, env={**os.environ, **elsewhere}, check=True, capture_output=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in made.iterdir()
    }


def test_the_index_names_the_wheel(made: Path, wheel: Path) -> None:
    index = json.loads((made / "index.json").read_text())
    assert (index["formatVersion"], list(index["extensions"])) == ("1", ["acrartifact"])
    (entry,) = index["extensions"]["acrartifact"]
    assert (entry["downloadUrl"], entry["filename"]) == (f"{URL}/{wheel.name}", wheel.name)
    assert entry["sha256Digest"] == hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert entry["metadata"]["azext.isPreview"] is True
    assert entry["metadata"]["version"] == wheel.name.split("-")[1]


def test_azdev_reads_the_same_metadata(wheel: Path, tmp_path: Path) -> None:
    from azdev.operations.extensions.util import get_ext_metadata

    theirs = get_ext_metadata(str(tmp_path), str(wheel), "acrartifact")
    assert {**theirs, "run_requires": []} == extension_index.metadata(wheel)


def test_the_notes_are_those_of_the_version() -> None:
    expected = "# acrartifact 1.0.0b2\n\n* A word of `code`,\n  and [a link](https://example.com).\n"
    assert release.notes(HISTORY, "1.0.0b2") == expected
    assert release.notes(HISTORY.partition("1.0.0b1")[0], "1.0.0b2") == expected


@pytest.mark.parametrize("history", [HISTORY, "", "1.0.0b1\n=======\n"])
def test_notes_of_another_version_are_refused(history: str) -> None:
    with pytest.raises(steps.Failed, match=r"HISTORY\.rst does not begin with 1\.0\.0b1"):
        release.notes(history, "1.0.0b1")


def test_a_tag_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(steps.Failed, match=r"The tag v0\.0\.1 is not v"):
        release.main(["--tag", "v0.0.1", "--dist", str(tmp_path)])
    assert list(tmp_path.iterdir()) == []


def test_the_bill_of_materials_is_whole(bill: dict[str, Any]) -> None:
    parts = [bill, *bill["packages"], *bill["files"]]
    known = [part["SPDXID"] for part in parts]
    assert len(known) == len(set(known))
    for relationship in bill["relationships"]:
        assert {relationship["spdxElementId"], relationship["relatedSpdxElement"]} <= set(known)
    contained = {r["relatedSpdxElement"] for r in bill["relationships"] if r["relationshipType"] == "CONTAINS"}
    assert contained == {file["SPDXID"] for file in bill["files"]}


def test_the_bill_of_materials_names_what_users_need(bill: dict[str, Any]) -> None:
    related = {r["spdxElementId"]: r["relationshipType"] for r in bill["relationships"]}
    assert related["SPDXRef-azure-cli"] == "PROVIDED_DEPENDENCY_OF"
    assert related["SPDXRef-azure-identity"] == "OPTIONAL_DEPENDENCY_OF"
    assert related["SPDXRef-setuptools"] == "BUILD_TOOL_OF"
    assert "SPDXRef-pytest" not in related
