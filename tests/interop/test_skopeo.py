"""Both ways with skopeo, which copies artifacts and shows their manifests, and inspects images alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.interop.place import Place
from tests.interop.trees import make_tree, snapshot


def _docker(reference: str) -> str:
    return f"docker://{reference}"


def test_skopeo_reads_and_deletes_what_we_pushed(place: Place, repository: str, work: Path) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    pushed = place.push(work, place.at(repository), "--file", "one.txt", "--tags", "latest")
    raw = place.skopeo(work, "inspect", "--raw", _docker(place.at(repository))).stdout
    assert raw == place.oras(work, "manifest", "fetch", place.at(repository)).stdout
    assert json.loads(raw)["layers"][0]["digest"] == pushed["files"][0]["digest"]
    listed = json.loads(place.skopeo(work, "list-tags", _docker(f"{place.server}/{repository}")).stdout)
    assert listed["Tags"] == ["1.0", "latest"]
    place.skopeo(work, "delete", _docker(place.at(repository)))
    # ACR forgets a repository with its last manifest; distribution does not.
    gone = place.skopeo(work, "inspect", "--raw", _docker(place.at(repository)), code=1).stderr
    assert "manifest unknown" in gone or "name unknown" in gone


@pytest.mark.parametrize("form", ["dir", "oci"])
def test_we_pull_what_went_through_skopeo(place: Place, repository: str, work: Path, out: Path, form: str) -> None:
    before = snapshot(make_tree(work / "d"))
    pushed = place.push(work, place.at(repository), "--file", "d")
    back = place.at(f"{repository}-back")
    place.skopeo(work, "copy", _docker(place.at(repository)), f"{form}:{work}/copy")
    place.skopeo(work, "copy", f"{form}:{work}/copy", _docker(back))
    assert place.pull(out, back)["digest"] == pushed["digest"]
    assert snapshot(out / "d") == before


def test_skopeo_copies_within_the_registry(place: Place, repository: str, work: Path, out: Path) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    place.oras(work, "push", place.at(repository), "one.txt")
    place.skopeo(work, "copy", _docker(place.at(repository)), _docker(place.at(f"{repository}-copy")))
    place.pull(out, place.at(f"{repository}-copy"))
    assert (out / "one.txt").read_bytes() == b"one\n"
