"""Copies of indexes with their referrers: oras and regctl read ours, and we find theirs complete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.interop.registry import Registry

SBOM = "application/vnd.example.sbom.v1"
SIGNATURE = "application/vnd.example.signature.v1"


@pytest.fixture
def index(registry: Registry, repository: str, work: Path) -> str:
    """Return the reference of an index of two platforms, with an sbom, which is signed."""
    (work / "tool").write_bytes(b"one\n")
    (work / "sbom.json").write_bytes(b"{}\n")
    for name in ("amd64", "arm64"):
        (work / "tool").write_text(name)
        registry.oras(work, "push", "--artifact-platform", f"linux/{name}", registry.at(repository, name), "tool")
    registry.oras(work, "manifest", "index", "create", registry.at(repository), "amd64", "arm64")
    described = registry.oras(
        work, "attach", "--artifact-type", SBOM, "--format", "json", registry.at(repository), "sbom.json"
    ).stdout
    sbom = registry.at(repository, json.loads(described)["digest"])
    registry.oras(work, "attach", "--artifact-type", SIGNATURE, sbom, "sbom.json")
    return registry.at(repository)


def copied(registry: Registry, work: Path, source: str, target: str, *options: str) -> dict[str, Any]:
    """Run `az acr artifact copy`; return what it prints."""
    return dict(json.loads(registry.az(work, "copy", source, "--to", target, *options).stdout))


def discovered(registry: Registry, work: Path, reference: str) -> list[tuple[str, list[str]]]:
    """Return the referrers that oras finds, by type and digest, with their own referrers."""
    found = json.loads(registry.oras(work, "discover", "--format", "json", reference).stdout)
    return [(item["digest"], [below["digest"] for below in item["referrers"]]) for item in found["referrers"]]


def test_oras_and_regctl_read_what_we_copy(
    registry: Registry, repository: str, index: str, work: Path, out: Path
) -> None:
    there = registry.at(f"{repository}/copy", "2.0")
    done = copied(registry, work, index, there, "--recursive")
    assert (done["way"], done["bytesCopied"], len(done["manifests"])) == ("mount", 0, 5)
    assert registry.oras(work, "resolve", there).text == registry.oras(work, "resolve", index).text == done["digest"]
    assert discovered(registry, work, there) == discovered(registry, work, index) != []
    registry.oras(out, "pull", "--platform", "linux/arm64", there)
    assert (out / "tool").read_text() == "arm64"
    assert (
        registry.regctl(work, "artifact", "get", "--subject", there, "--filter-artifact-type", SBOM).stdout == b"{}\n"
    )
    one = copied(registry, work, index, registry.at(f"{repository}/arm"), "--platform", "linux/arm64")
    child = registry.regctl(work, "image", "digest", "--platform", "linux/arm64", index).text
    assert one["digest"] == child == registry.oras(work, "resolve", registry.at(f"{repository}/arm")).text


@pytest.mark.parametrize("peer", ["oras", "regctl"])
def test_a_copy_of_a_peer_is_complete_for_us(
    registry: Registry, repository: str, index: str, work: Path, peer: str
) -> None:
    there = registry.at(f"{repository}/{peer}")
    if peer == "oras":
        registry.oras(work, "copy", "--recursive", index, there)
    else:
        registry.regctl(work, "image", "copy", "--referrers", index, there)
    again = copied(registry, work, index, there, "--recursive")
    assert [item["state"] for item in again["manifests"]] == ["skipped"] * 5
    assert again["blobs"] == []
    assert discovered(registry, work, there) == discovered(registry, work, index)
