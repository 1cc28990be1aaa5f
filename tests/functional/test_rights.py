"""Commands with few permissions: they work, or the error names the missing role."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.functional.az import Az
from tests.functional.origin import SERVER, Origin

ABAC = "abacregistry-d7fqc4e3.azurecr.io"
KIND = "application/vnd.example.sbom"
TOKEN = ("--username", "ci-token", "--password", "ci-token-password")


def test_a_repository_token_attaches_lists_and_tags(
    signed_out: Az, artifact: str, repository: str, digest: str, origin: Origin, work: Path
) -> None:
    (work / "sbom").write_text("{}")
    options = ("--file", "sbom", "--artifact-type", KIND)
    attached = signed_out.artifact("attach", artifact, *options, *TOKEN).json["digest"]
    listed = signed_out.artifact("list-referrers", artifact, *TOKEN).json["referrers"]
    assert [item["digest"] for item in listed] == [attached]
    signed_out.artifact("tag", artifact, "--tags", "more", *TOKEN)
    assert origin.manifest(repository, "more") == origin.manifest(repository, "1.0")
    refused = signed_out.refused(1, "untag", artifact, *TOKEN)
    assert "delete" in refused.stderr
    assert refused.writes == []


def test_anonymous_access_lists_referrers(
    signed_out: Az, artifact: str, repository: str, digest: str, origin: Origin
) -> None:
    attached = origin.attach(repository, digest, KIND)
    signed_out.emulator.set(registries={"myregistry": {"anonymous_pull_enabled": True}})
    listed = signed_out.artifact("list-referrers", artifact, "--auth-mode", "anonymous").json["referrers"]
    assert [item["digest"] for item in listed] == [attached]
    assert signed_out.refused(1, "tag", artifact, "--tags", "x", "--auth-mode", "anonymous").writes == []


def test_with_roles_by_repository(az: Az, repository: str, sign_in: Callable[[str], Path], work: Path) -> None:
    (work / "a.txt").write_text("one")
    reference = f"{ABAC}/{repository}:1.0"
    az.artifact("push", reference, "--file", "a.txt", "--lock")
    az.artifact("attach", reference, "--file", "a.txt", "--artifact-type", KIND)
    reader = az.using(config=sign_in("reader"))
    assert len(reader.artifact("list-referrers", reference).json["referrers"]) == 1
    assert len(reader.artifact("list", f"{ABAC}/{repository}").json) == 2
    assert "Writer" in reader.refused(1, "tag", reference, "--tags", "x").stderr
    assert "Catalog Lister" in reader.refused(1, "list", ABAC).stderr


def test_lists_wait_and_retry_after_throttling(az: Az, artifact: str, repository: str, digest: str) -> None:
    for path in ("/_manifests", "/v2/.*/manifests/", "/referrers/"):
        az.emulator.fault(path=path, action="status", status=429, times=1, headers={"Retry-After": "1"})
    assert len(az.artifact("list", f"{SERVER}/{repository}").json) == 1
    assert az.artifact("list-referrers", artifact).json["referrers"] == []
