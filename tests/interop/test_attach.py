"""Attached artifacts, both ways with oras and regctl, with and without the registry's list of referrers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.interop.registry import Registry

SBOM = "application/vnd.example.sbom.v1"
SIGNATURE = "application/vnd.example.signature.v1"


@pytest.fixture
def subject(registry: Registry, repository: str, work: Path) -> str:
    """Return the reference of an artifact with one file."""
    (work / "one.txt").write_bytes(b"one\n")
    (work / "sbom.json").write_bytes(b"{}\n")
    (work / "sbom.sig").write_bytes(b"signed\n")
    registry.oras(work, "push", registry.at(repository), "one.txt")
    return registry.at(repository)


def attach(registry: Registry, work: Path, subject: str, name: str, kind: str) -> dict[str, Any]:
    """Run `az acr artifact attach`; return what it prints."""
    return dict(json.loads(registry.az(work, "attach", subject, "--file", name, "--artifact-type", kind).stdout))


def listed(registry: Registry, work: Path, subject: str, *options: str) -> dict[str, Any]:
    """Run `az acr artifact list-referrers`; return what it prints."""
    return dict(json.loads(registry.az(work, "list-referrers", subject, *options).stdout))


def test_oras_and_regctl_see_what_we_attach(
    registry: Registry, repository: str, subject: str, work: Path, out: Path
) -> None:
    sbom = attach(registry, work, subject, "sbom.json", SBOM)
    signature = attach(registry, work, sbom["reference"], "sbom.sig", SIGNATURE)
    found = json.loads(registry.oras(work, "discover", "--format", "json", subject).stdout)
    [item] = found["referrers"]
    assert (item["digest"], item["artifactType"]) == (sbom["digest"], SBOM)
    assert [below["digest"] for below in item["referrers"]] == [signature["digest"]]
    assert (
        registry.regctl(work, "artifact", "get", "--subject", subject, "--filter-artifact-type", SBOM).stdout == b"{}\n"
    )
    registry.oras(out, "pull", sbom["reference"])
    assert (out / "sbom.json").read_bytes() == b"{}\n"


def test_we_see_what_oras_and_regctl_attach(
    registry: Registry, repository: str, subject: str, work: Path, out: Path
) -> None:
    described = registry.oras(work, "attach", "--artifact-type", SBOM, "--format", "json", subject, "sbom.json").stdout
    sbom = json.loads(described)["digest"]
    put = ["artifact", "put", "--artifact-type", SIGNATURE, "--file", "sbom.sig", "--file-title", "--subject"]
    registry.regctl(work, *put, registry.at(repository, sbom))
    tree = listed(registry, work, subject, "--recursive")
    assert [(item["digest"], item["artifactType"]) for item in tree["referrers"]] == [(sbom, SBOM)]
    assert [below["artifactType"] for below in tree["referrers"][0]["referrers"]] == [SIGNATURE]
    registry.pull(out, subject, "--referrer", SBOM)
    assert (out / "sbom.json").read_bytes() == b"{}\n"


def test_three_tools_attach_to_one_artifact(registry: Registry, repository: str, subject: str, work: Path) -> None:
    ours = attach(registry, work, subject, "sbom.json", SBOM)["digest"]
    registry.oras(work, "attach", "--artifact-type", SIGNATURE, subject, "sbom.sig")
    more = attach(registry, work, subject, "sbom.sig", SIGNATURE)["digest"]
    seen = json.loads(registry.oras(work, "discover", "--format", "json", subject).stdout)["referrers"]
    by_us = listed(registry, work, subject)["referrers"]
    assert {item["digest"] for item in seen} == {item["digest"] for item in by_us} >= {ours, more}
    assert len(by_us) == 3
