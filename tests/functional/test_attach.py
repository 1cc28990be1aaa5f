"""Referrers: attached, listed and pulled by type, with the referrers API and with the referrers tag schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from tests.functional.az import Az, assert_refused, files_in
from tests.functional.many import in_one_process
from tests.functional.origin import SERVER, Origin
from tests.functional.terminal import at_terminal

SBOM = "application/vnd.example.sbom.v1"
SIGNATURE = "application/vnd.example.signature.v1"


@pytest.fixture(params=[True, False], ids=["API", "tag schema"])
def has_api(request: pytest.FixtureRequest, emulator: Emulator) -> bool:
    """Set whether `myregistry` has the referrers API; with customer-managed keys ACR has not."""
    emulator.set(registries={"myregistry": {"referrers_api": request.param}})
    return bool(request.param)


@pytest.fixture
def subject(origin: Origin, repository: str) -> str:
    """Push an artifact with the tag 1.0; return its digest."""
    return origin.push_files(repository, {"artifact.txt": b"one"})


AN_SBOM = ("sbom.json", "{}", SBOM)
SCAN = ("scan.txt", "clean", SIGNATURE)
SIGNED = ("sbom.sig", "signed", SIGNATURE)


def attach(az: Az, reference: str, *files: tuple[str, str, str]) -> list[str]:
    """Attach files, each given by its name, content and type, one after another; return their digests."""
    commands = []
    for number, (name, content, kind) in enumerate(files):
        folder = az.folder / f"attached-{number}"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(content)
        commands.append(["attach", reference, "--file", f"{folder}/{name}", "--artifact-type", kind])
    results = in_one_process(az, commands)
    assert [(done.code, done.stderr) for done in results] == [(0, "")] * len(files)
    return [done.json["digest"] for done in results]


def test_a_file_is_attached(
    az: Az, artifact: str, repository: str, subject: str, origin: Origin, has_api: bool, work: Path
) -> None:
    (work / "sbom.json").write_text("{}")
    done = az.artifact("attach", artifact, "--file", "sbom.json:application/json", "--artifact-type", SBOM)
    digest = done.json["digest"]
    assert done.json["subject"] == f"{SERVER}/{repository}@{subject}"
    assert done.json["reference"] == f"{SERVER}/{repository}@{digest}"
    assert (done.json["artifactType"], done.json["tags"]) == (SBOM, [])
    written = json.loads(origin.manifest(repository, digest) or b"")
    pushed = origin.manifest(repository, subject)
    assert pushed
    assert written["subject"] == {
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": subject, "size": len(pushed),
    }  # fmt: skip
    tags = [entry.path.rpartition("/")[2] for entry in done.registry("/manifests/sha256-", "PUT")]
    assert tags == ([] if has_api else [subject.replace(":", "-")])


def test_the_same_again_changes_nothing(az: Az, artifact: str, subject: str, has_api: bool) -> None:
    first, again = attach(az, artifact, AN_SBOM, AN_SBOM)
    assert again == first
    listed = az.artifact("list-referrers", artifact).json["referrers"]
    assert [item["digest"] for item in listed] == [first]


def test_the_tree_of_referrers(az: Az, artifact: str, repository: str, subject: str, has_api: bool) -> None:
    sbom, other = attach(az, artifact, AN_SBOM, SCAN)
    (signature,) = attach(az, f"{SERVER}/{repository}@{sbom}", SIGNED)
    flat, whole = (
        done.json
        for done in in_one_process(az, [["list-referrers", artifact, *more] for more in ([], ["--recursive"])])
    )
    assert flat["digest"] == subject
    assert {item["digest"]: (item["artifactType"], item["referrers"]) for item in flat["referrers"]} == {
        sbom: (SBOM, []), other: (SIGNATURE, []),
    }  # fmt: skip
    tree = {item["digest"]: item for item in whole["referrers"]}
    assert [item["digest"] for item in tree[sbom]["referrers"]] == [signature]
    assert tree[other]["referrers"] == []


def test_only_branches_that_lead_to_a_type_are_listed(az: Az, artifact: str, repository: str, subject: str) -> None:
    sbom, _ = attach(az, artifact, AN_SBOM, ("scan.txt", "clean", "application/vnd.example.scan"))
    (signature,) = attach(az, f"{SERVER}/{repository}@{sbom}", SIGNED)
    found = az.artifact("list-referrers", artifact, "--artifact-type", SIGNATURE, "--recursive").json["referrers"]
    assert [(item["digest"], [below["digest"] for below in item["referrers"]]) for item in found] == [
        (sbom, [signature])
    ]
    assert az.artifact("list-referrers", artifact, "--artifact-type", SIGNATURE).json["referrers"] == []


def test_an_incomplete_list_is_an_error(az: Az, artifact: str, repository: str, subject: str, origin: Origin) -> None:
    for number in range(3):
        origin.attach(repository, subject, f"application/vnd.example.number-{number}")
    az.emulator.set(limits={"referrers_page_size": 2})
    az.emulator.fault(path="/referrers/", action="status", nth=2, status=403)
    az.refused(1, "list-referrers", artifact)


def test_a_terminal_shows_a_tree(az: Az, artifact: str, repository: str, subject: str) -> None:
    (sbom,) = attach(az, artifact, AN_SBOM)
    (signature,) = attach(az, f"{SERVER}/{repository}@{sbom}", SIGNED)
    shown = at_terminal(az, "acr", "artifact", "list-referrers", artifact, "--recursive").stdout.splitlines()
    assert shown == [
        f"{SERVER}/{repository}@{subject}",
        f"└── {SBOM}",
        f"    └── {sbom}",
        f"        └── {SIGNATURE}",
        f"            └── {signature}",
    ]
    asked = at_terminal(az, "acr", "artifact", "list-referrers", artifact, "--recursive", "-o", "json").stdout
    assert json.loads(asked)["referrers"][0]["digest"] == sbom


def test_the_newest_of_a_type_is_pulled(az: Az, artifact: str, subject: str, has_api: bool, work: Path) -> None:
    attach(az, artifact, ("sbom.json", "old", SBOM), ("sbom.json", "new", SBOM), SCAN)
    pulled = az.artifact("pull", artifact, "--referrer", SBOM, "--destination", "out").json
    assert files_in(work / "out") == {"sbom.json"}
    assert (work / "out" / "sbom.json").read_text() == "new"
    assert pulled["reference"].endswith(pulled["digest"])


def test_a_type_that_is_not_attached_is_not_found(az: Az, artifact: str, subject: str, work: Path) -> None:
    attach(az, artifact, AN_SBOM)
    refused = az.refused(3, "pull", artifact, "--referrer", SIGNATURE, "--destination", "out")
    assert SBOM in refused.stderr
    assert not (work / "out").exists()


def test_standard_input_is_attached_under_a_name(az: Az, artifact: str, subject: str, work: Path) -> None:
    options = ("--file=-:text/plain", "--stdin-name", "scan.txt", "--artifact-type", SBOM)
    done = az.artifact("attach", artifact, *options, stdin="all is well\n")
    assert [(file["title"], file["size"]) for file in done.json["files"]] == [("scan.txt", 12)]
    assert done.json["files"][0]["mediaType"] == "text/plain"
    az.artifact("pull", artifact, "--referrer", SBOM, "--destination", "out")
    assert (work / "out" / "scan.txt").read_text() == "all is well\n"


INVALID = {
    ("--file", "a.txt"): 2,
    ("--file", "-", "--artifact-type", SBOM): 1,
    ("--file", "a.txt", "--stdin-name", "b.txt", "--artifact-type", SBOM): 1,
    ("--file", "-", "-", "--stdin-name", "b.txt", "--artifact-type", SBOM): 1,
    ("--file", "-", "--stdin-name", "../b.txt", "--artifact-type", SBOM): 1,
    ("--artifact-type", SBOM): 1,
    ("--file", "a.txt", "--artifact-type", "sbom"): 1,
}
"""Options that are refused, and the exit code."""


def test_invalid_attachments(az: Az, artifact: str, subject: str, work: Path, subtests: pytest.Subtests) -> None:
    (work / "a.txt").write_text("a")
    results = in_one_process(az, [["attach", artifact, *options] for options in INVALID])
    for (options, code), refused in zip(INVALID.items(), results, strict=True):
        with subtests.test(options=options):
            assert_refused(refused, code)
            assert refused.writes == []


def test_a_missing_subject_is_not_found(az: Az, artifact: str, work: Path) -> None:
    (work / "a.txt").write_text("a")
    assert az.refused(3, "attach", artifact, "--file", "a.txt", "--artifact-type", SBOM).writes == []
    az.refused(3, "list-referrers", artifact)


def test_a_reader_lists_and_may_not_attach(
    az: Az, artifact: str, subject: str, sign_in: Callable[[str], Path], work: Path
) -> None:
    (work / "a.txt").write_text("a")
    reader = az.using(config=sign_in("reader"))
    assert reader.artifact("list-referrers", artifact).json["referrers"] == []
    refused = reader.refused(1, "attach", artifact, "--file", "a.txt", "--artifact-type", SBOM)
    assert "AcrPush" in refused.stderr
    assert refused.writes == []
