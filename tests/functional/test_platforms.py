"""Indexes: one artifact for each platform under one tag."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from tests.functional.az import Az, files_in
from tests.functional.origin import SERVER, Origin

HERE = "linux/" + {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
OTHER = "windows/arm64"


def push(az: Az, reference: str, where: str, content: str) -> str:
    """Push tool.txt for a platform; return the artifact's digest."""
    (az.folder / "tool.txt").write_text(content)
    return str(az.artifact("push", reference, "--file", "tool.txt", "--platform", where).json["digest"])


@pytest.fixture
def children(az: Az, artifact: str) -> dict[str, str]:
    """Push an index of three platforms; return the digests of its artifacts, each with one file, by platform."""
    return {where: push(az, artifact, where, where) for where in (HERE, OTHER, "linux/arm/v7")}


def listed(origin: Origin, repository: str) -> dict[str, str]:
    """Return the digests by platform from the index 1.0."""
    index = json.loads(origin.manifest(repository, "1.0") or b"")
    assert index["mediaType"] == "application/vnd.oci.image.index.v1+json"
    return {"/".join(child["platform"].values()): child["digest"] for child in index["manifests"]}


def test_each_platform_has_one_artifact(
    az: Az, artifact: str, repository: str, children: dict[str, str], origin: Origin
) -> None:
    assert listed(origin, repository) == children
    newer = push(az, artifact, OTHER, "newer")
    assert listed(origin, repository) == {**children, OTHER: newer}


def test_the_same_push_uploads_and_changes_nothing(
    az: Az, artifact: str, repository: str, children: dict[str, str], origin: Origin
) -> None:
    before = origin.manifest(repository, "1.0")
    (az.folder / "tool.txt").write_text("linux/arm/v7")
    again = az.artifact("push", artifact, "--file", "tool.txt", "--platform", "linux/arm/v7")
    assert again.registry("/blobs/", "POST|PUT|PATCH") == []
    assert origin.manifest(repository, "1.0") == before


@pytest.mark.parametrize("where", [HERE, OTHER, "linux/arm/v7", "linux/arm"])
def test_the_requested_platform_is_pulled(
    az: Az, artifact: str, repository: str, children: dict[str, str], where: str, work: Path
) -> None:
    pulled = az.artifact("pull", artifact, "--platform", where, "--destination", "out").json
    full = "linux/arm/v7" if where == "linux/arm" else where
    assert pulled["reference"] == f"{SERVER}/{repository}@{children[full]}"
    assert (work / "out" / "tool.txt").read_text() == full


def test_the_default_is_this_machine_s_platform(az: Az, artifact: str, children: dict[str, str], work: Path) -> None:
    az.artifact("pull", artifact, "--destination", "out")
    assert files_in(work / "out") == {"tool.txt"}
    assert (work / "out" / "tool.txt").read_text() == HERE


def test_an_error_names_the_choices(az: Az, artifact: str, work: Path) -> None:
    digests = [push(az, artifact, where, where) for where in (OTHER, "linux/s390x")]
    for options in ([], ["--platform", "linux/ppc64le"]):
        refused = az.refused(1, "pull", artifact, "--destination", "out", *options)
        for named in (*digests, OTHER, "linux/s390x", "--platform"):
            assert named in refused.stderr
        assert not (work / "out").exists()


def test_an_artifact_without_an_index_has_no_platform(
    az: Az, artifact: str, repository: str, origin: Origin, work: Path
) -> None:
    digest = origin.push_files(repository, {"tool.txt": b"one"})
    az.refused(1, "pull", artifact, "--platform", HERE)
    (work / "tool.txt").write_text("two")
    refused = az.refused(1, "push", artifact, "--file", "tool.txt", "--platform", HERE)
    assert "not an index" in refused.stderr
    assert refused.writes == []
    assert origin.manifest(repository, "1.0") == origin.manifest(repository, digest)
