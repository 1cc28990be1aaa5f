"""Back up a repository with az, and restore it."""

from __future__ import annotations

import functools
import tarfile
from pathlib import Path

import pytest

from tests.functional.az import Az, Result, files_in
from tests.functional.limits import at_most
from tests.functional.many import in_one_process
from tests.functional.origin import SERVER, Origin

SBOM = "application/vnd.example.sbom.v1"


@pytest.fixture
def digest(origin: Origin, repository: str) -> str:
    """Push an artifact with the tags 1.0 and latest, and attach another one to it; return its digest."""
    files = {"artifact.txt": b"Here is an artifact\n", "other.bin": bytes(5000)}
    digest = origin.push_files(repository, files)
    origin.push_files(repository, files, "latest")
    origin.attach(repository, digest, SBOM)
    return digest


def run(az: Az, commands: list[list[str]]) -> list[Result]:
    """Run commands that succeed and print only their result."""
    results = in_one_process(az, commands)
    assert [(result.code, result.stderr) for result in results] == [(0, "")] * len(commands)
    return results


def manifests(origin: Origin, repository: str, *versions: str) -> list[bytes | None]:
    """Return the manifests of *versions*."""
    return [origin.manifest(repository, version) for version in versions]


@pytest.mark.parametrize("form", ["saved", "saved.tar"])
def test_a_deleted_repository_is_restored(
    az: Az, artifact: str, repository: str, digest: str, origin: Origin, work: Path, form: str
) -> None:
    whole = artifact.removesuffix(":1.0")
    before = manifests(origin, repository, "1.0", "latest", digest)
    backup, restore = (
        [verb, whole, option, form, "--recursive"] for verb, option in (("backup", "-d"), ("restore", "-s"))
    )
    saved, again, wiped = run(az, [backup, backup, ["delete", artifact, "--yes"]])
    assert saved.json["tags"] == [{"tag": tag, "digest": digest} for tag in ("1.0", "latest")]
    assert (saved.json["bytesDownloaded"], saved.json["bytesSkipped"]) == (5022, 0)
    assert {item["state"] for item in saved.json["blobs"]} == {"downloaded"}
    assert saved.json["destination"] == str(work / form)
    assert (again.json["bytesDownloaded"], again.json["bytesSkipped"]) == (0, 5022)
    assert len(wiped.blob_gets) == 3, "each blob is fetched once, of two backups"
    assert origin.manifest(repository, "latest") is None
    restored, listed, again = run(az, [restore, ["list-referrers", artifact], restore])
    assert manifests(origin, repository, "1.0", "latest", digest) == before
    assert (restored.json["tags"], restored.json["source"]) == (saved.json["tags"], str(work / form))
    assert [item["artifactType"] for item in listed.json["referrers"]] == [SBOM]
    assert (again.json["bytesUploaded"], again.json["bytesSkipped"]) == (0, 5022)


def test_a_dry_run_shows_the_plan(az: Az, artifact: str, repository: str, digest: str, work: Path) -> None:
    dry = az.artifact("backup", artifact, "--destination", "saved.tar", "--dry-run")
    assert (dry.json["bytesDownloaded"], dry.blob_gets, files_in(work)) == (5022, [], set())
    assert (dry.json["dryRun"], {blob["state"] for blob in dry.json["blobs"]}) == (True, {"new"})
    az.artifact("backup", artifact, "--destination", "saved.tar")
    other = f"{SERVER}/{repository}-copy:2.0"
    table = az("acr", "artifact", "restore", other, "--source", "saved.tar", "--source-tag", "1.0", "--dry-run",
               "--output", "table")  # fmt: skip
    assert (table.code, table.writes) == (0, [])
    titles, _, row = table.stdout.splitlines()
    assert titles.split() == ["Layout", "Tags", "Manifests", "Blobs", "New", "Exists"]
    assert row.split()[-7:] == ["2.0", "1", "3", "4.9", "KiB", "0", "B"]
    done = az("acr", "artifact", "restore", other, "--source", "saved.tar", "--source-tag", "1.0", "--verbose")
    assert f"Restored    {other} (manifests: 1, blobs: 3)" in done.stderr
    assert "Copied      33998979890f artifact.txt" in done.stderr


def test_what_is_impossible_is_one_error(az: Az, artifact: str, repository: str, digest: str, work: Path) -> None:
    (work / "photos").mkdir()
    (work / "photos" / "one.jpg").write_text("x")
    assert "no file oci-layout" in az.refused(1, "backup", artifact, "--destination", "photos").stderr
    with tarfile.open(work / "docker.tar", "w") as archive:
        (work / "manifest.json").write_text("[]")
        archive.add(work / "manifest.json", "manifest.json")
    assert "docker save" in az.refused(1, "restore", artifact, "--source", "docker.tar").stderr
    az.artifact("backup", artifact, "--destination", "saved")
    refused = az.refused(3, "restore", artifact.replace("1.0", "3.0"), "--source", "saved")
    assert "--source-tag: 1.0" in refused.stderr
    for ending in ("tar.gz", "zip"):
        assert "Give --destination new.tar" in az.refused(1, "backup", artifact, "-d", f"new.{ending}").stderr
    assert not list(work.glob("new*"))


@pytest.mark.parametrize("form", ["saved", "saved.tar"])
def test_a_disk_that_fills_up_leaves_no_half_layout(
    az: Az, artifact: str, repository: str, origin: Origin, work: Path, form: str
) -> None:
    origin.push_files(repository, {"large.bin": bytes(1_500_000)})
    full = functools.partial(at_most, 1_000_000)
    refused = az.refused(1, "backup", artifact, "--destination", form, prepare=full)
    assert "Cannot write the file" in refused.stderr
    assert not (work / form / "index.json").exists()
    assert (work / form).is_dir() or not (work / form).exists()
    az.artifact("backup", artifact, "--destination", form)
    assert [name for name in files_in(work) if "acrartifact" in name] == []
