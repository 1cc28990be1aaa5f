"""Copies of indexes with all that is attached, ours read by oras and regctl, and theirs taken for whole by us."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.interop.place import Place

SBOM = "application/vnd.example.sbom.v1"
SIGNATURE = "application/vnd.example.signature.v1"


@pytest.fixture
def index(place: Place, repository: str, work: Path) -> str:
    """An index of two platforms, with an sbom, which is signed: its reference."""
    (work / "tool").write_bytes(b"one\n")
    (work / "sbom.json").write_bytes(b"{}\n")
    for name in ("amd64", "arm64"):
        (work / "tool").write_text(name)
        place.oras(work, "push", "--artifact-platform", f"linux/{name}", place.at(repository, name), "tool")
    place.oras(work, "manifest", "index", "create", place.at(repository), "amd64", "arm64")
    described = place.oras(
        work, "attach", "--artifact-type", SBOM, "--format", "json", place.at(repository), "sbom.json"
    ).stdout
    sbom = place.at(repository, json.loads(described)["digest"])
    place.oras(work, "attach", "--artifact-type", SIGNATURE, sbom, "sbom.json")
    return place.at(repository)


def copied(place: Place, work: Path, source: str, target: str, *options: str) -> dict[str, Any]:
    """What `az acr artifact copy` prints."""
    return dict(json.loads(place.az(work, "copy", source, "--to", target, *options).stdout))


def discovered(place: Place, work: Path, reference: str) -> list[tuple[str, list[str]]]:
    """What oras finds attached, by type and digest, and what is attached to that."""
    found = json.loads(place.oras(work, "discover", "--format", "json", reference).stdout)
    return [(item["digest"], [below["digest"] for below in item["referrers"]]) for item in found["referrers"]]


def test_what_we_copy_oras_and_regctl_read(place: Place, repository: str, index: str, work: Path, out: Path) -> None:
    there = place.at(f"{repository}/copy", "2.0")
    done = copied(place, work, index, there, "--recursive")
    assert (done["way"], done["bytesCopied"], len(done["manifests"])) == ("mount", 0, 5)
    assert place.oras(work, "resolve", there).text == place.oras(work, "resolve", index).text == done["digest"]
    assert discovered(place, work, there) == discovered(place, work, index) != []
    place.oras(out, "pull", "--platform", "linux/arm64", there)
    assert (out / "tool").read_text() == "arm64"
    assert place.regctl(work, "artifact", "get", "--subject", there, "--filter-artifact-type", SBOM).stdout == b"{}\n"
    one = copied(place, work, index, place.at(f"{repository}/arm"), "--platform", "linux/arm64")
    child = place.regctl(work, "image", "digest", "--platform", "linux/arm64", index).text
    assert one["digest"] == child == place.oras(work, "resolve", place.at(f"{repository}/arm")).text


@pytest.mark.parametrize("peer", ["oras", "regctl"])
def test_what_a_peer_has_copied_is_all_there_for_us(
    place: Place, repository: str, index: str, work: Path, peer: str
) -> None:
    there = place.at(f"{repository}/{peer}")
    if peer == "oras":
        place.oras(work, "copy", "--recursive", index, there)
    else:
        place.regctl(work, "image", "copy", "--referrers", index, there)
    again = copied(place, work, index, there, "--recursive")
    assert [item["state"] for item in again["manifests"]] == ["skipped"] * 5
    assert again["blobs"] == []
    assert discovered(place, work, there) == discovered(place, work, index)
