"""Attached artifacts, both ways with oras and regctl, where the registry lists them and where it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.interop.place import Place

SBOM = "application/vnd.example.sbom.v1"
SIGNATURE = "application/vnd.example.signature.v1"


@pytest.fixture
def subject(place: Place, repository: str, work: Path) -> str:
    """An artifact with one file, by its reference."""
    (work / "one.txt").write_bytes(b"one\n")
    (work / "sbom.json").write_bytes(b"{}\n")
    (work / "sbom.sig").write_bytes(b"signed\n")
    place.oras(work, "push", place.at(repository), "one.txt")
    return place.at(repository)


def attach(place: Place, work: Path, subject: str, name: str, kind: str) -> dict[str, Any]:
    """What `az acr artifact attach` prints."""
    return dict(json.loads(place.az(work, "attach", subject, "--file", name, "--artifact-type", kind).stdout))


def listed(place: Place, work: Path, subject: str, *options: str) -> dict[str, Any]:
    """What `az acr artifact list-referrers` prints."""
    return dict(json.loads(place.az(work, "list-referrers", subject, *options).stdout))


def test_what_we_attach_oras_and_regctl_see(place: Place, repository: str, subject: str, work: Path, out: Path) -> None:
    sbom = attach(place, work, subject, "sbom.json", SBOM)
    signature = attach(place, work, sbom["reference"], "sbom.sig", SIGNATURE)
    found = json.loads(place.oras(work, "discover", "--format", "json", subject).stdout)
    [item] = found["referrers"]
    assert (item["digest"], item["artifactType"]) == (sbom["digest"], SBOM)
    assert [below["digest"] for below in item["referrers"]] == [signature["digest"]]
    assert place.regctl(work, "artifact", "get", "--subject", subject, "--filter-artifact-type", SBOM).stdout == b"{}\n"
    place.oras(out, "pull", sbom["reference"])
    assert (out / "sbom.json").read_bytes() == b"{}\n"


def test_what_oras_and_regctl_attach_we_see(place: Place, repository: str, subject: str, work: Path, out: Path) -> None:
    described = place.oras(work, "attach", "--artifact-type", SBOM, "--format", "json", subject, "sbom.json").stdout
    sbom = json.loads(described)["digest"]
    put = ["artifact", "put", "--artifact-type", SIGNATURE, "--file", "sbom.sig", "--file-title", "--subject"]
    place.regctl(work, *put, place.at(repository, sbom))
    tree = listed(place, work, subject, "--recursive")
    assert [(item["digest"], item["artifactType"]) for item in tree["referrers"]] == [(sbom, SBOM)]
    assert [below["artifactType"] for below in tree["referrers"][0]["referrers"]] == [SIGNATURE]
    place.pull(out, subject, "--referrer", SBOM)
    assert (out / "sbom.json").read_bytes() == b"{}\n"


def test_all_of_us_attach_to_the_same_artifact(place: Place, repository: str, subject: str, work: Path) -> None:
    ours = attach(place, work, subject, "sbom.json", SBOM)["digest"]
    place.oras(work, "attach", "--artifact-type", SIGNATURE, subject, "sbom.sig")
    more = attach(place, work, subject, "sbom.sig", SIGNATURE)["digest"]
    seen = json.loads(place.oras(work, "discover", "--format", "json", subject).stdout)["referrers"]
    by_us = listed(place, work, subject)["referrers"]
    assert {item["digest"] for item in seen} == {item["digest"] for item in by_us} >= {ours, more}
    assert len(by_us) == 3
