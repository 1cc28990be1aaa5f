"""Both ways with skopeo, which copies artifacts and shows their manifests, but inspects only images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.interop.registry import Registry
from tests.interop.trees import make_tree, snapshot


def _docker(reference: str) -> str:
    return f"docker://{reference}"


def test_skopeo_reads_and_deletes_what_we_pushed(registry: Registry, repository: str, work: Path) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    pushed = registry.push(work, registry.at(repository), "--file", "one.txt", "--tags", "latest")
    raw = registry.skopeo(work, "inspect", "--raw", _docker(registry.at(repository))).stdout
    assert raw == registry.oras(work, "manifest", "fetch", registry.at(repository)).stdout
    assert json.loads(raw)["layers"][0]["digest"] == pushed["files"][0]["digest"]
    listed = json.loads(registry.skopeo(work, "list-tags", _docker(f"{registry.server}/{repository}")).stdout)
    assert listed["Tags"] == ["1.0", "latest"]
    registry.skopeo(work, "delete", _docker(registry.at(repository)))
    # ACR forgets a repository with its last manifest; distribution does not.
    gone = registry.skopeo(work, "inspect", "--raw", _docker(registry.at(repository)), code=1).stderr
    assert "manifest unknown" in gone or "name unknown" in gone


@pytest.mark.parametrize("form", ["dir", "oci"])
def test_we_pull_after_a_copy_of_skopeo(registry: Registry, repository: str, work: Path, out: Path, form: str) -> None:
    before = snapshot(make_tree(work / "d"))
    pushed = registry.push(work, registry.at(repository), "--file", "d")
    back = registry.at(f"{repository}-back")
    registry.skopeo(work, "copy", _docker(registry.at(repository)), f"{form}:{work}/copy")
    registry.skopeo(work, "copy", f"{form}:{work}/copy", _docker(back))
    assert registry.pull(out, back)["digest"] == pushed["digest"]
    assert snapshot(out / "d") == before


def test_skopeo_copies_within_the_registry(registry: Registry, repository: str, work: Path, out: Path) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    registry.oras(work, "push", registry.at(repository), "one.txt")
    registry.skopeo(work, "copy", _docker(registry.at(repository)), _docker(registry.at(f"{repository}-copy")))
    registry.pull(out, registry.at(f"{repository}-copy"))
    assert (out / "one.txt").read_bytes() == b"one\n"
