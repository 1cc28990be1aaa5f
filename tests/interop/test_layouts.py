"""OCI image layouts, both ways with oras, regctl and skopeo, as folders and tars."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.interop.registry import Registry

KIND = "application/vnd.example.sbom.v1"
CONTENT = b"one\n"
ON_AZURE = pytest.mark.parametrize("registry", ["azure"], indirect=True)
ON_DISTRIBUTION = pytest.mark.parametrize("registry", ["distribution"], indirect=True)
"""Tests of layouts need only one registry."""


@pytest.fixture
def pushed(registry: Registry, repository: str, work: Path) -> str:
    """Return the digest of an artifact with the tag 1.0, to which another is attached, and to that a third."""
    (work / "one.txt").write_bytes(CONTENT)
    (work / "sbom.json").write_bytes(b"{}\n")
    digest = str(registry.push(work, registry.at(repository), "--file", "one.txt")["digest"])
    options = ("--file", "sbom.json", "--artifact-type", KIND)
    attached = json.loads(registry.az(work, "attach", registry.at(repository), *options).stdout)["digest"]
    registry.az(work, "attach", registry.at(repository, attached), *options)
    return digest


def backup(registry: Registry, work: Path, repository: str, destination: str) -> None:
    """Save all of *repository*."""
    registry.az(work, "backup", f"{registry.server}/{repository}", "--destination", destination, "--recursive")


def restored(registry: Registry, work: Path, out: Path, repository: str, source: str) -> dict[str, object]:
    """Return what a restore put in *repository*: the digest of 1.0, the file, and the levels of referrers."""
    registry.az(work, "restore", f"{registry.server}/{repository}", "--source", source, "--recursive")
    digest = registry.pull(out, registry.at(repository), "--destination", repository.replace("/", "-"))["digest"]
    content = (out / repository.replace("/", "-") / "one.txt").read_bytes()
    return {"digest": digest, "content": content, "depth": depth(registry, work, registry.at(repository))}


def depth(registry: Registry, work: Path, *reference: str) -> int:
    """Return how many levels of referrers oras discovers."""
    found = json.loads(registry.oras(work, "discover", "--format", "json", *reference).stdout)
    levels = -1
    below = [found]
    while below:
        levels, below = levels + 1, [item for one in below for item in one.get("referrers") or []]
    return levels


@pytest.mark.parametrize("form", ["saved", "saved.tar"])
def test_we_save_and_oras_reads_and_restores(
    registry: Registry, repository: str, work: Path, out: Path, pushed: str, form: str
) -> None:
    backup(registry, work, repository, form)
    registry.oras(out, "pull", "--oci-layout", f"{work / form}:1.0")
    assert (out / "one.txt").read_bytes() == CONTENT
    raw = registry.oras(work, "manifest", "fetch", "--oci-layout", f"{form}@{pushed}").stdout
    assert raw == registry.oras(work, "manifest", "fetch", registry.at(repository)).stdout
    assert depth(registry, work, "--oci-layout", f"{form}:1.0") == 2
    back = registry.at(f"{repository}-back")
    registry.oras(work, "restore", "--input", form, back)
    assert registry.oras(work, "resolve", back).text == pushed
    assert depth(registry, work, back) == 2


def test_oras_saves_and_we_restore(registry: Registry, repository: str, work: Path, out: Path, pushed: str) -> None:
    everything = {"digest": pushed, "content": CONTENT, "depth": 2}
    for form in ("theirs", "theirs.tar"):
        registry.oras(work, "backup", "--include-referrers", "--output", form, registry.at(repository))
        assert restored(registry, work, out, f"{repository}-{form}".replace(".", "-"), form) == everything
    registry.oras(work, "cp", "-r", "--to-oci-layout", registry.at(repository), "copied:1.0")
    assert restored(registry, work, out, f"{repository}-copied", "copied") == everything


@ON_AZURE
def test_we_add_to_a_layout_of_oras_and_oras_to_ours(
    registry: Registry, repository: str, work: Path, out: Path, pushed: str
) -> None:
    other = f"{repository}-other"
    second = registry.push(work, registry.at(other, "2.0"), "--file", "sbom.json")["digest"]
    registry.oras(work, "backup", "--include-referrers", "--output", "layout", registry.at(repository))
    backup(registry, work, other, "layout")
    registry.oras(work, "tag", registry.at(other, "2.0"), "3.0")
    registry.oras(work, "backup", "--output", "layout", registry.at(other, "3.0"))
    everything = {"digest": pushed, "content": CONTENT, "depth": 2}
    assert restored(registry, work, out, f"{repository}-back", "layout") == everything
    for tag in ("2.0", "3.0"):
        assert registry.oras(work, "resolve", registry.at(f"{repository}-back", tag)).text == second
        assert registry.oras(work, "resolve", "--oci-layout", f"layout:{tag}").text == second


@ON_DISTRIBUTION
def test_both_ways_with_regctl(registry: Registry, repository: str, work: Path, out: Path, pushed: str) -> None:
    for form in ("saved", "saved.tar"):
        backup(registry, work, repository, form)
    assert registry.regctl(work, "artifact", "get", "ocidir://saved:1.0").stdout == CONTENT
    assert registry.regctl(work, "image", "digest", "ocidir://saved:1.0").text == pushed
    registry.regctl(work, "image", "import", registry.at(f"{repository}-imported"), "saved.tar")
    assert registry.regctl(work, "image", "digest", registry.at(f"{repository}-imported")).text == pushed
    registry.regctl(work, "image", "copy", "--referrers", registry.at(repository), "ocidir://theirs:1.0")
    registry.regctl(work, "image", "export", registry.at(repository), "theirs.tar")
    everything = {"digest": pushed, "content": CONTENT, "depth": 2}
    assert restored(registry, work, out, f"{repository}-theirs", "theirs") == everything
    assert restored(registry, work, out, f"{repository}-exported", "theirs.tar") == {**everything, "depth": 0}


@ON_DISTRIBUTION
def test_both_ways_with_skopeo(registry: Registry, repository: str, work: Path, out: Path, pushed: str) -> None:
    raw = registry.oras(work, "manifest", "fetch", registry.at(repository)).stdout
    for form, kind in (("saved", "oci"), ("saved.tar", "oci-archive")):
        backup(registry, work, repository, form)
        assert registry.skopeo(work, "inspect", "--raw", f"{kind}:{form}:1.0").stdout == raw
        back = f"{repository}-{kind}"
        registry.skopeo(work, "copy", f"{kind}:{form}:1.0", f"docker://{registry.at(back)}")
        assert registry.oras(work, "resolve", registry.at(back)).text == pushed
        registry.skopeo(work, "copy", f"docker://{registry.at(repository)}", f"{kind}:theirs-{form}:1.0")
        assert restored(registry, work, out, f"{back}-back", f"theirs-{form}") == {
            "digest": pushed, "content": CONTENT, "depth": 0,
        }  # fmt: skip
