"""Tags, locks, lists and deletions: oras and regctl see what we do, and the other way round."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.interop.registry import Registry

KIND = "application/vnd.example.test.v1"


@pytest.fixture
def digest(azure: Registry, repository: str, work: Path) -> str:
    """Push with oras under the tag 1.0; return the digest."""
    (work / "one.txt").write_bytes(b"one\n")
    azure.oras(work, "push", "--artifact-type", KIND, azure.at(repository), "one.txt")
    return azure.oras(work, "resolve", azure.at(repository)).text


def test_oras_lists_and_regctl_resolves_our_tags(azure: Registry, repository: str, digest: str, work: Path) -> None:
    azure.az(work, "tag", azure.at(repository), "--tags", "stable", "latest")
    tags = azure.oras(work, "repo", "tags", f"{azure.server}/{repository}").text.split()
    assert tags == ["1.0", "latest", "stable"]
    assert azure.regctl(work, "image", "digest", azure.at(repository, "stable")).text == digest
    azure.az(work, "untag", azure.at(repository, "latest"))
    assert azure.regctl(work, "tag", "ls", f"{azure.server}/{repository}").text.split() == ["1.0", "stable"]


def test_on_distribution_tags_are_added(distribution: Registry, repository: str, work: Path) -> None:
    (work / "one.txt").write_bytes(b"one\n")
    distribution.oras(work, "push", distribution.at(repository), "one.txt")
    distribution.az(work, "tag", distribution.at(repository), "--tags", "stable", "--no-overwrite")
    found = [distribution.oras(work, "resolve", distribution.at(repository, tag)).text for tag in ("1.0", "stable")]
    assert found[0] == found[1]


def test_oras_cannot_overwrite_what_we_lock(azure: Registry, repository: str, digest: str, work: Path) -> None:
    azure.az(work, "tag", azure.at(repository), "--tags", "stable", "--lock")
    (work / "one.txt").write_bytes(b"two\n")
    azure.oras(work, "push", azure.at(repository, "stable"), "one.txt", code=1)
    assert azure.oras(work, "resolve", azure.at(repository, "stable")).text == digest


def test_we_list_what_oras_tagged(azure: Registry, repository: str, digest: str, work: Path) -> None:
    azure.oras(work, "tag", azure.at(repository), "a", "b")
    azure.oras(work, "attach", "--artifact-type", "example/sbom", azure.at(repository), "one.txt")
    listed = json.loads(azure.az(work, "list", f"{azure.server}/{repository}").stdout)
    by_type = {item["artifactType"]: (item["digest"], item["tags"]) for item in listed}
    assert by_type[KIND] == (digest, ["1.0", "a", "b"])
    assert by_type["example/sbom"][1] == []


def test_an_index_of_oras_keeps_its_children(azure: Registry, repository: str, digest: str, work: Path) -> None:
    azure.oras(work, "manifest", "index", "create", azure.at(repository, "all"), "1.0")
    ended = azure.az(work, "delete", azure.at(repository), "--yes", code=1)
    assert f"{repository}:all" in ended.stderr
    azure.az(work, "delete", azure.at(repository), "--yes", "--force")
    azure.oras(work, "resolve", azure.at(repository), code=1)


def test_oras_and_regctl_read_what_a_purge_leaves(azure: Registry, repository: str, digest: str, work: Path) -> None:
    def pushed(tag: str) -> str:
        (work / "one.txt").write_text(tag)
        azure.oras(work, "push", azure.at(repository, tag), "one.txt")
        return azure.oras(work, "resolve", azure.at(repository, tag)).text

    child, gone = pushed("dev-1"), pushed("dev-2")
    azure.oras(work, "manifest", "index", "create", azure.at(repository, "all"), "dev-1")
    azure.oras(work, "attach", "--artifact-type", "example/sbom", azure.at(repository), "one.txt")
    what = ["--name", azure.server, "--filter", f"{repository}:dev-.*", "--ago", "0d", "--untagged", "--yes"]
    result = json.loads(azure.az(work, "purge", *what).stdout)
    assert result["deletedManifests"] == [f"{repository}@{gone}"]
    assert azure.oras(work, "repo", "tags", f"{azure.server}/{repository}").text.split() == ["1.0", "all"]
    azure.regctl(work, "manifest", "head", azure.at(repository, gone), code=1)
    assert azure.regctl(work, "image", "digest", azure.at(repository, child)).text == child
    found = json.loads(azure.oras(work, "discover", "--format", "json", azure.at(repository)).stdout)
    assert [item["artifactType"] for item in found["referrers"]] == ["example/sbom"]
