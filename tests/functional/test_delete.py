"""delete: the confirmation names everything that is deleted."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.functional.az import Az
from tests.functional.origin import MANIFEST, SERVER, Origin
from tests.functional.terminal import QUESTION, at_terminal


@pytest.fixture
def referrers(origin: Origin, repository: str, digest: str) -> dict[str, str]:
    """Attach two artifacts and add the tag latest; return the artifact types by digest."""
    origin.push_files(repository, {"a.txt": b"one"}, "latest")
    types = ("application/vnd.example.sbom", "application/vnd.example.signature")
    return {origin.attach(repository, digest, kind): kind for kind in types}


def test_without_a_terminal_nothing_is_deleted(
    az: Az, artifact: str, repository: str, digest: str, origin: Origin
) -> None:
    refused = az.refused(1, "delete", artifact)
    assert "--yes" in refused.stderr
    assert refused.writes == []
    assert origin.manifest(repository, digest)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_at_the_question(az: Az, artifact: str, digest: str, number: signal.Signals) -> None:
    stopped = at_terminal(az, "acr", "artifact", "delete", artifact, stop=number)
    assert (stopped.code, stopped.writes) == (128 + number, [])
    after = stopped.stdout.rpartition(QUESTION)[2]
    assert re.sub("\x1b[^m]*m", "", after).split("\n") == ["", "ERROR: Stopped: nothing was deleted.", ""]


def test_the_confirmation_names_all_that_is_deleted(
    az: Az, artifact: str, repository: str, digest: str, referrers: dict[str, str], origin: Origin
) -> None:
    no = at_terminal(az, "acr", "artifact", "delete", artifact, typed="n")
    assert no.code == 1
    for named in (digest, f"'{repository}:1.0'", f"'{repository}:latest'", *referrers, *referrers.values()):
        assert named in no.stdout
    assert no.stdout.count("(y/n)") == 1
    assert "Nothing was deleted" in no.stdout
    assert no.writes == []
    assert all(origin.manifest(repository, known) for known in (digest, *referrers))

    yes = at_terminal(az, "acr", "artifact", "delete", artifact, typed="y")
    assert (yes.code, len(yes.writes)) == (0, 1)
    assert not any(origin.manifest(repository, known) for known in (digest, *referrers, "1.0", "latest"))


def test_all_tags_are_deleted_and_other_artifacts_stay(
    az: Az, artifact: str, repository: str, digest: str, referrers: dict[str, str], origin: Origin
) -> None:
    other = origin.push_files(repository, {"b.txt": b"two"}, "2.0")
    gone = az.artifact("delete", f"{SERVER}/{repository}@{digest}", "--yes").json
    assert (gone["digest"], gone["tags"]) == (digest, ["1.0", "latest"])
    assert {one["digest"] for one in gone["referrers"]} <= set(referrers)
    assert gone["referrers"]
    assert not any(origin.manifest(repository, gone) for gone in (digest, *referrers, "1.0", "latest"))
    assert origin.manifest(repository, other)
    assert az.refused(3, "delete", artifact, "--yes").writes == []


def test_a_repository_is_not_deleted_by_accident(az: Az, repository: str, digest: str, origin: Origin) -> None:
    assert az.refused(1, "delete", f"{SERVER}/{repository}", "--yes").writes == []
    assert origin.manifest(repository, digest)


INDEX = "application/vnd.oci.image.index.v1+json"


def index_of(origin: Origin, repository: str, digest: str, tag: str, kind: str = MANIFEST) -> str:
    """Push an index that lists *digest*; return its digest."""
    child_manifest = origin.manifest(repository, digest)
    assert child_manifest
    child = {"mediaType": kind, "digest": digest, "size": len(child_manifest)}
    return origin.push_manifest(
        repository, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [child]}, tag, media_type=INDEX
    )


def test_a_child_of_a_tagged_index_is_not_deleted_without_force(
    az: Az, artifact: str, repository: str, digest: str, origin: Origin
) -> None:
    inner = index_of(origin, repository, digest, "")
    outer = index_of(origin, repository, inner, "all", INDEX)
    refused = az.refused(1, "delete", artifact, "--yes")
    assert f"{repository}:all" in refused.stderr
    assert outer in refused.stderr
    assert "--force" in refused.stderr
    assert refused.writes == []
    asked = at_terminal(az, "acr", "artifact", "delete", artifact, "--force", typed="n")
    assert f"'{repository}:all'" in asked.stdout
    az.artifact("delete", artifact, "--yes", "--force")
    assert origin.manifest(repository, digest) is None
    assert origin.manifest(repository, "all")


def test_referrers_of_the_tag_schema_are_deleted_too(
    az: Az, artifact: str, repository: str, digest: str, origin: Origin, work: Path
) -> None:
    az.emulator.set(registries={"myregistry": {"referrers_api": False}})
    (work / "sbom").write_text("{}")
    options = ("--file", "sbom", "--artifact-type", "application/vnd.example.sbom")
    sbom = az.artifact("attach", artifact, *options).json["digest"]
    signature = az.artifact("attach", f"{SERVER}/{repository}@{sbom}", *options).json["digest"]
    az.artifact("delete", f"{SERVER}/{repository}@{signature}", "--yes")
    listed = az.artifact("list-referrers", artifact, "--recursive").json["referrers"]
    assert [(item["digest"], item["referrers"]) for item in listed] == [(sbom, [])]
    az.artifact("attach", f"{SERVER}/{repository}@{sbom}", *options)
    az.artifact("delete", artifact, "--yes")
    left = (digest, sbom, signature, *(known.replace(":", "-") for known in (digest, sbom)))
    assert not any(origin.manifest(repository, known) for known in left)
