"""copy by each of its methods: the content of registries before and after, and the bytes that pass this machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from tests.functional.az import Az, Result
from tests.functional.origin import MANIFEST, SERVER, Origin

TARGET = "targetregistry.azurecr.io"
ABAC = "abacregistry-d7fqc4e3.azurecr.io"
INDEX = "application/vnd.oci.image.index.v1+json"
SBOM = "application/vnd.example.sbom"
TOKEN = ("--to-username", "ci-token", "--to-password-stdin")


@pytest.fixture
def tree(origin: Origin, repository: str) -> dict[str, str]:
    """Push an index of two platforms as 1.0, an sbom of one of them, and a note on that; return their digests."""
    return push_tree(origin, repository)


def push_tree(origin: Origin, repository: str) -> dict[str, str]:
    arms = {name: origin.push_files(repository, {f"tool-{name}": name.encode() * 50_000}, name) for name in "ab"}
    listed = [
        {
            "mediaType": MANIFEST,
            "digest": digest,
            "size": len(origin.manifest(repository, digest) or b""),
            "platform": {"os": "linux", "architecture": {"a": "amd64", "b": "arm64"}[name]},
        }
        for name, digest in arms.items()
    ]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}
    found = {**arms, "index": origin.push_manifest(repository, index, "1.0", INDEX)}
    found["sbom"] = origin.attach(repository, arms["a"], SBOM)
    found["note"] = origin.attach(repository, found["sbom"], "application/vnd.example.note")
    return found


def passed(result: Result) -> list[tuple[str, str, str]]:
    """Return the requests for blobs that passed this machine, either way."""
    return [
        (entry.method, entry.host, entry.path)
        for entry in result.log
        if entry.client == "wire"
        and (
            (entry.method == "GET" and "/blobs/sha256" in entry.path)
            or entry.host.endswith("blob.core.windows.net")
            or ("/blobs/uploads/" in entry.path and entry.request_bytes)
        )
    ]


def states(result: Result, kind: str = "blobs") -> set[str]:
    return {item["state"] for item in result.json[kind]}


def test_within_a_registry_blobs_are_mounted(az: Az, artifact: str, tree: dict[str, str], origin: Origin) -> None:
    to = f"{artifact.rpartition(':')[0]}/copy"
    done = az.artifact("copy", artifact, "--to", f"{to}:2.0", "--tags", "latest", "--recursive")
    assert passed(done) == []
    assert (done.json["way"], states(done), states(done, "manifests")) == ("mount", {"mounted"}, {"copied"})
    assert {item["digest"] for item in done.json["manifests"]} == set(tree.values())
    assert (done.json["reference"], done.json["digest"]) == (f"{to}:2.0", tree["index"])
    assert done.json["source"] == f"{artifact.rpartition(':')[0]}@{tree['index']}"
    assert done.json["bytesMounted"] == 100_000 + len(b"{}")
    copied = to.partition("/")[2]
    assert origin.manifest(copied, "2.0") == origin.manifest(copied, "latest") == origin.manifest(copied, tree["index"])
    assert origin.referrers(copied, tree["a"]) == [tree["sbom"]]
    assert origin.referrers(copied, tree["sbom"]) == [tree["note"]]
    again = az("acr", "artifact", "copy", artifact, "--to", f"{to}:2.0", "--recursive", "-o", "table")
    assert again.writes == []
    assert [line.split()[-1] for line in again.stdout.splitlines()[2:]] == ["skipped"] * 6


def test_azure_imports_with_referrers(az: Az, artifact: str, repository: str, origin: Origin, there: Origin) -> None:
    subject = origin.push_files(repository, {"a.bin": b"a" * 300_000})
    attached = [origin.attach(repository, subject, f"{SBOM}.{number}") for number in range(20)]
    note = origin.attach(repository, attached[0], SBOM)
    to = f"{TARGET}/{repository}"
    would = az.artifact("copy", artifact, "--to", f"{to}:1.0", "--recursive", "--dry-run")
    assert (would.writes, would.json["way"], states(would)) == ([], "import", {"new"})
    assert would.json["dryRun"]
    assert there.manifest(repository, subject) is None
    done = az.artifact("copy", artifact, "--to", f"{to}:1.0", "--recursive")
    assert (passed(done), done.writes[1:]) == ([], [])
    assert (done.json["way"], states(done), states(done, "manifests")) == ("import", {"imported"}, {"imported"})
    assert done.json["bytesImported"] == would.json["bytesImported"] == 300_002
    assert there.manifest(repository, "1.0") == origin.manifest(repository, "1.0")
    assert set(there.referrers(repository, subject)) == set(attached)
    assert there.referrers(repository, attached[0]) == [note]


def test_without_permission_to_import_bytes_are_streamed(
    az: Az,
    artifact: str,
    repository: str,
    tree: dict[str, str],
    origin: Origin,
    there: Origin,
    emulator: Emulator,
    sign_in: Callable[[str], Path],
) -> None:
    roles = {name: [] for name in ("myregistry", "targetregistry")}
    principals = {one["name"]: one["object_id"] for one in emulator.world()["principals"]}
    roles["myregistry"] = [{"object_id": principals["reader"], "role": "AcrPull"}]
    roles["targetregistry"] = [{"object_id": principals["reader"], "role": "AcrPush"}]
    emulator.set(registries={name: {"roles": given} for name, given in roles.items()})
    reader = az.using(config=sign_in("reader"))
    done = reader("acr", "artifact", "copy", artifact, "--to", f"{TARGET}/{repository}:1.0", "--verbose")
    assert done.code == 0, done.stderr
    assert "this machine copies it: No permission to import (targetregistry): AuthorizationFailed" in done.stderr
    assert (done.json["way"], states(done)) == ("stream", {"copied"})
    emulator.reset()
    assert there.manifest(repository, "1.0") == origin.manifest(repository, "1.0")
    assert there.blob(repository, done.json["blobs"][0]["digest"])
    assert there.manifest(repository, tree["sbom"]) is None


def test_a_public_registry_is_streamed_from(
    az: Az, artifact: str, repository: str, there: Origin, emulator: Emulator
) -> None:
    public = "otherregistry.azurecr.io"
    digest = Origin(emulator, public, "other").push_files(repository, {"a.txt": b"one" * 10_000})
    emulator.set(registries={"otherregistry": {"anonymous_pull_enabled": True}})
    options = (f"{public}/{repository}:1.0", "--to", f"{TARGET}/{repository}:1.0", "--verbose")
    done = az("acr", "artifact", "copy", *options)
    assert done.code == 0, done.stderr
    assert f"it lists no registry {public} in this subscription" in done.stderr
    assert "Signed in with anonymous access" in done.stderr
    assert (done.json["way"], "Way:        stream" in done.stderr) == ("stream", True)
    assert there.manifest(repository, digest)


def test_one_platform_of_an_index_and_a_tag_that_is_taken(
    az: Az, artifact: str, repository: str, tree: dict[str, str], there: Origin
) -> None:
    taken = there.push_files(repository, {"other": b"other"})
    to = ("--to-name", "targetregistry", "--to", f"{repository}:1.0", "--platform", "linux/arm64")
    refused = az.refused(1, "copy", artifact, *to, "--no-overwrite")
    assert taken in refused.stderr
    assert refused.writes == []
    done = az.artifact("copy", artifact, *to)
    assert done.json["digest"] == tree["b"]
    assert [item["digest"] for item in done.json["manifests"]] == [tree["b"]]
    assert there.manifest(repository, "1.0") == there.manifest(repository, tree["b"])
    assert there.manifest(repository, tree["index"]) is None


def test_each_side_has_its_own_sign_in(
    az: Az, signed_out: Az, artifact: str, repository: str, origin: Origin, there: Origin, emulator: Emulator
) -> None:
    digest = there.push_files(repository, {"a.txt": b"one" * 10_000})
    source = f"{TARGET}/{repository}@{digest}"
    done = az.artifact("copy", source, "--to", artifact, *TOKEN, stdin="ci-token-password\n")
    assert (done.json["way"], states(done)) == ("stream", {"copied"})
    assert origin.manifest(repository, "1.0") == there.manifest(repository, "1.0")
    assert not done.to("management.azure.com")
    wrong = az.refused(1, "copy", source, "--to", f"{artifact}1", *TOKEN, stdin="another\n")
    assert (wrong.writes[1:], "user name and password" in wrong.stderr) == ([], True)
    read = ("--to-username", "read-token", "--to-password", "read-token-password")
    denied = az.refused(1, "copy", source, "--to", f"{artifact}1", *read)
    assert "'read-token' may not push here" in denied.stderr
    emulator.set(registries={"targetregistry": {"anonymous_pull_enabled": True}})
    anonymous = signed_out.refused(1, "copy", source, "--to", f"{artifact}1", "--auth-mode", "anonymous")
    assert "only reading works without a sign-in" in anonymous.stderr
    copied = signed_out.artifact(
        "copy", source, "--auth-mode", "anonymous", "--to", f"{artifact}1", *TOKEN, stdin="ci-token-password\n"
    )
    assert copied.json["bytesSkipped"] == 0
    assert origin.manifest(repository, "1.01")


def test_a_registry_with_permissions_by_repository(
    az: Az, artifact: str, repository: str, tree: dict[str, str], emulator: Emulator
) -> None:
    there = Origin(emulator, ABAC)
    done = az.artifact("copy", artifact, "--to", f"{ABAC}/{repository}:1.0", "--recursive")
    assert there.manifest(repository, "1.0")
    assert there.referrers(repository, tree["a"]) == [tree["sbom"]]
    back = f"{ABAC}/{repository}/more:1.0"
    again = az.artifact("copy", f"{ABAC}/{repository}:1.0", "--to", back, "--recursive")
    assert (again.json["way"], states(again), passed(again)) == ("mount", {"mounted"}, [])
    assert done.json["digest"] == again.json["digest"] == tree["index"]


def test_a_locked_tag_is_named(az: Az, artifact: str, repository: str, origin: Origin) -> None:
    origin.push_files(repository, {"a": b"a"})
    origin.push_files(f"{repository}/locked", {"b": b"b"})
    target = f"{artifact.rpartition(':')[0]}/locked:1.0"
    az.artifact("update", target, "--write-enabled", "false")
    refused = az.refused(1, "copy", artifact, "--to", target)
    assert "writeEnabled=false" in refused.stderr
    assert "az acr artifact update" in refused.stderr


def test_a_missing_artifact_is_not_copied(az: Az) -> None:
    refused = az.refused(3, "copy", f"{SERVER}/samples/none:1", "--to", f"{TARGET}/b:1")
    assert "does not exist" in refused.stderr
    assert [entry for entry in refused.writes if not entry.path.startswith("/oauth2")] == []


def test_wrong_bytes_do_not_arrive(
    az: Az, artifact: str, repository: str, origin: Origin, there: Origin, emulator: Emulator
) -> None:
    digest = origin.push_files(repository, {"a.bin": b"a" * 300_000})
    layer = json.loads(origin.manifest(repository, digest) or b"")["layers"][0]["digest"]
    emulator.set(registries={"targetregistry": {"tokens": [token()]}})
    emulator.fault(action="corrupt", offset=1000, host="*.blob.core.windows.net")
    options = ("--to-username", "there", "--to-password", "there-password")
    refused = az.refused(1, "copy", artifact, "--to", f"{TARGET}/{repository}:1.0", *options)
    assert "does not match its digest" in refused.stderr
    emulator.reset()
    assert there.manifest(repository, "1.0") is None
    with pytest.raises(AssertionError):
        there.blob(repository, layer)


def token() -> dict[str, object]:
    """Return a repository token that may write everything."""
    return {"name": "there", "passwords": ["there-password"], "actions": ["*/content/read", "*/content/write"]}
