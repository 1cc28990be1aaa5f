"""Lists of repositories and artifacts: fields, order, filters, the table and permissions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.az import Az
from tests.functional.many import in_one_process
from tests.functional.origin import SERVER, Origin

KIND = "application/vnd.test"


@pytest.fixture
def digests(origin: Origin, repository: str) -> list[str]:
    """Push artifacts with the tags c, a and b, in this order, then the tag a2; return their digests."""
    made = [origin.push_files(repository, {"f": name.encode()}, name) for name in ("c", "a", "b")]
    origin.push_manifest(repository, json.loads(origin.manifest(repository, "a") or b""), "a2")
    return made


def listed(az: Az, repository: str, *options: str) -> list[dict[str, object]]:
    """List the artifacts of *repository*."""
    return list(az.artifact("list", "--name", "myregistry", "--repository", repository, *options).json)


def test_the_artifacts_of_a_repository(az: Az, repository: str, digests: list[str]) -> None:
    found = {str(item["digest"]): item for item in listed(az, repository)}
    assert found.keys() == set(digests)
    assert [found[digest]["tags"] for digest in digests] == [["c"], ["a", "a2"], ["b"]]
    for item in found.values():
        assert (item["artifactType"], item["mediaType"]) == (KIND, "application/vnd.oci.image.manifest.v1+json")
        assert item["size"] == 3
        assert item["createdTime"]
        assert item["changeableAttributes"]["writeEnabled"] is True  # type: ignore[index]


ORDERS = {"time_desc": ["a", "b", "c"], "time_asc": ["c", "b", "a"], "name": ["a", "b", "c"]}
"""The first tag of each artifact, in each order."""


def test_the_order(az: Az, repository: str, digests: list[str], subtests: pytest.Subtests) -> None:
    where = ["list", "--name", "myregistry", "--repository", repository]
    cases = [(order, top) for order in ORDERS for top in ("", "2")]
    commands = [[*where, "--orderby", order, *(["--top", top] if top else [])] for order, top in cases]
    for (order, top), found in zip(cases, in_one_process(az, commands), strict=True):
        with subtests.test(order=order, top=top):
            assert (found.code, found.stderr) == (0, "")
            assert [item["tags"][0] for item in found.json] == ORDERS[order][: 2 if top else 3]


def test_a_type_filter(az: Az, repository: str, digests: list[str], origin: Origin) -> None:
    sbom = origin.attach(repository, digests[0], "application/vnd.example.sbom")
    found = listed(az, repository, "--artifact-type", "application/vnd.example.sbom")
    assert [(item["digest"], item["tags"]) for item in found] == [(sbom, [])]
    assert listed(az, repository, "--artifact-type", "application/vnd.example.none") == []


def test_the_repositories(az: Az, repository: str, digests: list[str]) -> None:
    assert repository in az.artifact("list", "--name", "myregistry").json
    assert repository in az.artifact("list", SERVER).json
    assert len(az.artifact("list", SERVER, "--top", "1").json) == 1


def test_the_tables_of_az(az: Az, repository: str, digests: list[str], origin: Origin) -> None:
    server, artifact = f"{SERVER}/{repository}", f"{SERVER}/{repository}:a"
    sbom = origin.attach(repository, digests[1], "application/vnd.example.sbom")
    for arguments, header, cell in (
        (("list", server, "--orderby", "name"), "Tags Digest Size Updated Locked ArtifactType", digests[1]),
        (("list-referrers", artifact), "Digest ArtifactType AttachedTo", digests[1]),
        (("show", artifact), "Name Digest Holds Size Updated Locked ArtifactType", digests[1]),
        (("purge", server, "--ago", "0d", "--dry-run"), "State Artifact Reason", f"{repository}:"),
    ):
        lines = az("acr", "artifact", *arguments, "-o", "table").stdout.splitlines()
        assert lines[0].split() == header.split()
        assert cell in lines[2]
        assert arguments[0] != "list-referrers" or sbom in lines[3]


def test_the_newest_come_first_and_a_locked_tag_is_locked(az: Az, repository: str, digests: list[str]) -> None:
    az.artifact("update", f"{SERVER}/{repository}:c", "--write-enabled", "false")
    found = listed(az, repository)
    assert [item["tags"] for item in found] == [["a", "a2"], ["b"], ["c"]]
    assert {item["digest"]: item["lockedTags"] for item in found} == {
        digest: ["c"] if digest == digests[0] else [] for digest in digests
    }
    lines = az("acr", "artifact", "list", f"{SERVER}/{repository}", "-o", "table").stdout.splitlines()
    assert [("yes" in line, digests[0] in line) for line in lines[2:]].count((True, True)) == 1


def test_versions_are_in_their_natural_order(az: Az, origin: Origin, repository: str) -> None:
    for tag in ("10", "9", "1.10", "1.9"):
        origin.push_files(repository, {"f": tag.encode()}, tag)
    assert [item["tags"] for item in listed(az, repository, "--orderby", "name")] == [["1.9"], ["1.10"], ["9"], ["10"]]


def test_a_digest_as_short_as_a_terminal_shows_it(az: Az, repository: str, digests: list[str]) -> None:
    short = f"{SERVER}/{repository}@{digests[1][:19]}"
    assert az.artifact("show", short).json["digest"] == digests[1]
    az.artifact("tag", short, "--tags", "again")
    assert az.artifact("delete", short, "--yes").json == {
        "reference": f"{SERVER}/{repository}@{digests[1]}", "digest": digests[1], "tags": ["a", "a2", "again"],
        "referrers": [],
    }  # fmt: skip
    assert "az acr artifact list" in az.refused(3, "show", short).stderr


def test_a_missing_repository_is_not_found(az: Az, repository: str) -> None:
    az.refused(3, "list", f"{SERVER}/{repository}")


def test_wrong_options(az: Az, repository: str, digests: list[str]) -> None:
    az.refused(1, "list", f"{SERVER}/{repository}:a")
    az.refused(1, "list", SERVER, "--orderby", "name")
    assert "--top" in az("acr", "artifact", "list", SERVER, "--top", "0").stderr


def test_a_denied_list_names_the_role(
    az: Az, repository: str, digests: list[str], sign_in: Callable[[str], Path]
) -> None:
    reader = az.using(config=sign_in("reader"))
    assert len(reader.artifact("list", f"{SERVER}/{repository}").json) == 3
    nobody = az.using(config=sign_in("nobody"))
    assert "role" in nobody.refused(1, "list", f"{SERVER}/{repository}").stderr
    assert "role" in nobody.refused(1, "list", SERVER).stderr
