"""Responses as recorded of Azure Container Registry (`tests/recorded`), and what each command makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from acr_emulator.client import Emulator
from tests.functional.az import Az, Result, assert_one_error, files_in
from tests.functional.many import in_one_process
from tests.functional.origin import EMPTY, MANIFEST, SERVER, Origin, digest_of

RECORDED = Path(__file__).parents[1] / "recorded"
SBOM = "application/vnd.example.sbom.v1"
ID = "11111111-2222-3333-4444-555555555555"
Serve = Callable[..., str]


def text_of(name: str, **words: str) -> str:
    """Return the file *name* with *words* in place of those in capitals."""
    text = (RECORDED / name).read_text()
    for word, value in {"SERVER": SERVER, **words}.items():
        text = text.replace(word, value)
    return text


@pytest.fixture
def serve(emulator: Emulator, repository: str) -> Serve:
    """Return a function that serves a recorded response to the requests that match."""

    def add(name: str, method: str, path: str, times: int = 0, **words: str) -> str:
        head, _, body = text_of(name, REPOSITORY=repository, **words).partition("\n\n")
        lines = [*head.splitlines(), *([] if "Content-Length" in head else [f"Content-Length: {len(body)}"])]
        raw = "\r\n".join([*lines, "", body])
        limit = {"times": times} if times else {}
        return emulator.fault(action="raw", raw=raw, host=SERVER, method=method, path=path, **limit)

    return add


@pytest.fixture
def sbom(origin: Origin, repository: str, digest: str) -> str:
    """Attach an artifact to that under the tag 1.0; return its digest."""
    return origin.attach(repository, digest, SBOM)


def walks(artifact: str, *forced: str) -> list[list[str]]:
    """Return the commands that ask for referrers; the last deletes the artifact, *forced* or not."""
    whole = artifact.removesuffix(":1.0")
    return [
        ["list-referrers", artifact, "--recursive"],
        ["copy", artifact, "--to", f"{whole}-copy:1.0", "--recursive"],
        ["backup", artifact, "-d", "saved", "--recursive"],
        ["delete", artifact, "--yes", *forced],
    ]


def succeed(az: Az, commands: list[list[str]]) -> list[Result]:
    """Run *commands*, which print only their results."""
    results = in_one_process(az, commands)
    assert [(result.code, result.stderr) for result in results] == [(0, "")] * len(commands)
    return results


@pytest.mark.parametrize("forced", [[], ["--force"]])
def test_null_referrers_are_none(az: Az, serve: Serve, artifact: str, digest: str, forced: list[str]) -> None:
    serve("referrers_null.http", "GET", "/referrers/")
    listed, copied, saved, _ = succeed(az, walks(artifact, *forced))
    assert (listed.json["referrers"], listed.json["referrersApi"]) == ([], True)
    assert [len(result.json["manifests"]) for result in (copied, saved)] == [1, 1]


def test_a_replica_without_the_manifest_is_an_error(
    az: Az, serve: Serve, artifact: str, repository: str, digest: str, sbom: str, origin: Origin, work: Path
) -> None:
    serve("referrers_404.http", "GET", "/referrers/", DIGEST=digest)
    for result in in_one_process(az, [*walks(artifact), walks(artifact, "--force")[-1]]):
        assert (result.code, result.stdout) == (1, ""), result
        assert_one_error(result.stderr)
        for word in ("Could not list the referrers", f"manifest {digest} is not found", "geo-replica"):
            assert word in result.stderr
        assert result.writes == []
    assert origin.manifest(repository, "1.0")
    assert origin.manifest(f"{repository}-copy", "1.0") is None
    assert files_in(work) == set()


def test_a_replica_that_gets_the_manifest_meanwhile_is_waited_for(
    az: Az, serve: Serve, artifact: str, digest: str, sbom: str
) -> None:
    serve("referrers_404.http", "GET", "/referrers/", times=2, DIGEST=digest)
    copied = az.artifact("copy", artifact, "--to", f"{artifact.removesuffix(':1.0')}-copy:1.0", "--recursive")
    assert {item["digest"] for item in copied.json["manifests"]} == {digest, sbom}


@pytest.mark.parametrize("name", ["referrers_405.http", "referrers_424.http"])
def test_without_the_api_lists_are_under_tags(
    az: Az, serve: Serve, artifact: str, repository: str, digest: str, sbom: str, origin: Origin, work: Path, name: str
) -> None:
    serve(name, "GET", "/referrers/", SOURCE="a/b", RULE="c")
    child = {"mediaType": MANIFEST, "digest": sbom, "size": len(origin.manifest(repository, sbom) or b"")}
    index = "application/vnd.oci.image.index.v1+json"
    listed_before = {"schemaVersion": 2, "mediaType": index, "manifests": [child]}
    origin.push_manifest(repository, listed_before, digest.replace(":", "-"), index)
    (work / "a.txt").write_text("attached")
    # The emulator has the API, and says so: such a registry does not.
    az.emulator.fault(action="drop_headers", headers={"OCI-Subject": ""}, method="PUT", path="/manifests/")
    attach = ["attach", artifact, "--file", "a.txt", "--artifact-type", SBOM]
    attached, listed, copied, saved, _ = succeed(az, [attach, *walks(artifact)])
    wanted = {sbom, attached.json["digest"]}
    assert {item["digest"] for item in listed.json["referrers"]} == wanted
    assert listed.json["referrersApi"] is False
    for result in (copied, saved):
        assert {item["digest"] for item in result.json["manifests"]} == {digest, *wanted}
    assert not any(origin.manifest(repository, gone) for gone in (digest, *wanted, digest.replace(":", "-")))


def test_the_missing_api_is_said(az: Az, serve: Serve, artifact: str, repository: str, digest: str) -> None:
    serve("referrers_405.http", "GET", "/referrers/")
    done = az("acr", "artifact", "list-referrers", artifact, "--recursive", "--verbose")
    assert done.code == 0
    assert done.stderr.count(f"No referrers API in {repository}") == 1


def test_no_tag_is_written_where_the_registry_lists_itself(
    az: Az, emulator: Emulator, artifact: str, repository: str, digest: str, origin: Origin, work: Path
) -> None:
    present = {line.partition(":")[0] for line in text_of("put_manifest_201.http").splitlines()[1:]}
    assert "OCI-Subject" not in present
    emulator.fault(action="drop_headers", headers={"OCI-Subject": ""}, method="PUT", path="/manifests/")
    (work / "a.txt").write_text("attached")
    attached = az.artifact("attach", artifact, "--file", "a.txt", "--artifact-type", SBOM)
    assert len(attached.registry("/referrers/", "GET")) == 1
    assert attached.registry("/manifests/sha256-") == []
    assert origin.referrers(repository, digest) == [attached.json["digest"]]


def odd_manifests() -> dict[str, bytes]:
    """Return manifests as registries store them."""
    usual = {"schemaVersion": 2, "mediaType": MANIFEST, "config": EMPTY, "layers": []}
    odd: dict[str, dict[str, Any]] = {
        "no layers": {"layers": None},
        "no config": {"config": None, "artifactType": ""},
        "annotations": {"annotations": {"a": None, "b": 1, "c": "d"}, "unknown": [None]},
        "no types": {"mediaType": "", "layers": [{"mediaType": "", "annotations": None, **_content(EMPTY)}]},
    }
    made = {name: json.dumps({**usual, **fields}).encode() for name, fields in odd.items()}
    files = ("manifest_layers_null.json", "manifest_mediatype_empty.json")
    return {**made, **{name: (RECORDED / name).read_bytes() for name in files}}


def _content(descriptor: dict[str, Any]) -> dict[str, Any]:
    return {"digest": descriptor["digest"], "size": descriptor["size"]}


ODD = odd_manifests()


@pytest.mark.parametrize("name", ODD)
def test_an_odd_manifest_blocks_nothing(
    az: Az, emulator: Emulator, artifact: str, repository: str, digest: str, work: Path, name: str
) -> None:
    odd, other = ODD[name], digest_of(ODD[name])
    headers = {"Content-Type": MANIFEST, "Docker-Content-Digest": other}
    path = f"^/v2/{repository}(-copy)?/manifests/"
    given = {"action": "status", "host": SERVER, "headers": headers}
    emulator.fault(
        **given, method="GET|HEAD", path=f"^/v2/{repository}/manifests/(1.0|{other})$", status=200, body=odd.decode()
    )
    attributes = {"digest": other, "tags": ["1.0"], "mediaType": MANIFEST, "changeableAttributes": {}}
    emulator.fault(
        host=SERVER, method="GET", path=f"/acr/v1/{repository}/_manifests/{other}$", action="status", status=200,
        headers={"Content-Type": "application/json"}, body=json.dumps({"manifest": attributes}),
    )  # fmt: skip
    # The emulator refuses to store what ACR is not known to refuse.
    emulator.fault(**given, method="PUT", path=f"{path}(2.0|1.0|{other})$", status=201)
    (work / "a.txt").write_text("attached")
    whole = artifact.removesuffix(":1.0")
    commands = [
        ["show", artifact], ["tag", artifact, "--tags", "2.0"],
        ["attach", artifact, "--file", "a.txt", "--artifact-type", SBOM],
        ["list-referrers", artifact], ["pull", artifact, "-d", "out", "--manifest-config", "config"],
    ]  # fmt: skip
    shown, _, attached, listed, _ = in_one_process(az, commands)
    assert [(result.code, result.stderr) for result in (shown, attached, listed)] == [(0, "")] * 3
    assert (shown.json["digest"], shown.json["mediaType"]) == (other, MANIFEST)
    assert shown.json["annotations"] == ({"c": "d"} if name == "annotations" else {})
    assert [item["digest"] for item in listed.json["referrers"]] == [attached.json["digest"]]
    raw = az("acr", "artifact", "show", artifact, "--raw")
    assert (raw.code, raw.stdout.encode(), raw.stderr) == (0, odd, "")
    if not name.endswith(".json"):  # those have a config that nobody pushed
        copied, saved = succeed(az, [["copy", artifact, "--to", f"{whole}-copy:1.0"], ["backup", whole, "-d", "saved"]])
        assert copied.json["digest"] == other
        assert saved.json["tags"] == [{"tag": "1.0", "digest": other}]
        assert (work / "saved" / "blobs" / other.replace(":", "/")).read_bytes() == odd
    (gone,) = succeed(az, [["delete", artifact, "--yes"]])
    assert gone.registry(f"/manifests/{other}", "DELETE")


def test_raw_bytes_must_have_the_digest(az: Az, emulator: Emulator, artifact: str, digest: str) -> None:
    headers = {"Content-Type": "text/html", "Docker-Content-Digest": digest}
    emulator.fault(action="status", host=SERVER, path="/manifests/1.0", status=200, headers=headers, body="<html>")
    assert "does not match its digest" in az.refused(1, "show", artifact, "--raw").stderr


def test_a_refused_token_names_the_correlation_id(az: Az, serve: Serve, artifact: str, digest: str) -> None:
    serve("unauthorized_401.http", "GET", "/manifests/")
    assert "authentication required" in az.refused(1, "pull", artifact).stderr
    assert f"correlation id {ID}" in az("acr", "artifact", "pull", artifact, "--verbose").stderr


def test_a_refused_sign_in_names_the_correlation_id(signed_out: Az, serve: Serve, artifact: str) -> None:
    serve("unauthorized_401.http", "POST", "/oauth2/")
    for login in (("-u", "ci-token", "--password-stdin"), ()):
        refused = signed_out("acr", "artifact", "pull", artifact, *login, "--verbose", stdin="wrong\n")
        assert (refused.code, f"correlation id {ID}" in refused.stderr) == (1, True)


def test_a_refused_chunk_says_why(az: Az, serve: Serve, artifact: str, work: Path) -> None:
    (work / "large.bin").write_bytes(bytes(20 << 20))
    serve("content_range_400.http", "PATCH", "/blobs/uploads/")
    refused = az.refused(1, "push", artifact, "--file", "large.bin")
    assert "the Content-Range header format is invalid" in refused.stderr


def test_a_fraction_of_a_second_is_waited(az: Az, serve: Serve, artifact: str, digest: str) -> None:
    serve("throttled_429.http", "GET", "/manifests/1.0", times=1)
    done = az("acr", "artifact", "pull", artifact, "-d", "out", "--verbose")
    assert done.code == 0
    assert "Waiting 0.5 s: the server responded 429" in done.stderr or "Waiting 0.6 s" in done.stderr


def test_a_redirect_has_a_body(
    az: Az, emulator: Emulator, serve: Serve, artifact: str, repository: str, origin: Origin, work: Path
) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    blob = digest_of(b"one")
    url = f"https://{SERVER}/v2/{repository}/blobs/{blob}"
    redirect = requests.get(url, **origin.options, allow_redirects=False)
    assert redirect.status_code == 307
    serve("blob_307.http", "GET", f"/blobs/{blob}", DIGEST=blob, LOCATION=redirect.headers["Location"], STORAGE="x")
    az.artifact("pull", artifact, "-d", "out")
    assert (work / "out" / "a.txt").read_bytes() == b"one"


def test_a_deletion_may_list_null(az: Az, serve: Serve, artifact: str, digest: str) -> None:
    serve("delete_202.http", "DELETE", "/manifests/", DIGEST=digest)
    assert az.artifact("delete", artifact, "--yes").writes


def test_an_upload_begins_again_after_a_lost_response(
    az: Az, emulator: Emulator, serve: Serve, artifact: str, repository: str, origin: Origin, work: Path
) -> None:
    content = bytes(range(256)) * (9 << 12)
    (work / "large.bin").write_bytes(content)
    emulator.fault(action="reset", where="handled", method="PATCH", host=SERVER, times=1)
    serve("upload_404.http", "GET", "/blobs/uploads/", times=1)
    az.artifact("push", artifact, "--file", "large.bin")
    assert origin.blob(repository, digest_of(content)) == content


def test_a_repository_is_backed_up_where_tags_are_metadata(az: Az, signed_out: Az, artifact: str, digest: str) -> None:
    whole = artifact.removesuffix(":1.0")
    assert az.artifact("backup", whole, "-d", "saved").json["tags"] == [{"tag": "1.0", "digest": digest}]
    login = ("-u", "read-token", "--password-stdin")
    for reference in ([artifact], [whole, "--tags", "1.0"]):
        saved = signed_out.artifact("backup", *reference, "-d", "again", *login, stdin="read-token-password\n")
        assert saved.json["tags"] == [{"tag": "1.0", "digest": digest}]
    refused = signed_out.refused(1, "backup", whole, "-d", "third", *login, stdin="read-token-password\n")
    for word in ("may not list tags here", "metadata/read"):
        assert word in refused.stderr


def test_null_tags_are_none(az: Az, serve: Serve, artifact: str, digest: str) -> None:
    serve("tags_null.http", "GET", "/tags/list")
    assert "has no tags" in az.refused(3, "backup", artifact.removesuffix(":1.0"), "-d", "saved").stderr
