"""ACR Tasks: contexts from `oci://`, builds FROM scratch, logs, identities, uploads."""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from acr_emulator.tasks.archive import ArchiveError, unpack
from acr_emulator.tasks.context import parse_reference
from acr_emulator.tasks.dockerfile import expand, parse
from tests.emulator.exchange import Received
from tests.emulator.local_azure import GROUP, Layer, LocalAzure, digest, folder_layer

REGISTRY = f"{GROUP}/myregistry"
WAIT_SECONDS = 30.0
DOWNLOAD_FAILED = "Error: failed to download context. Please check if the URL is incorrect."
PROGRAM = Layer("hello.txt", b"hello\n")


@pytest.fixture
def azure(tmp_path: Path) -> LocalAzure:
    return LocalAzure(tmp_path)


def _dockerfile(*lines: str) -> Layer:
    return Layer("Dockerfile", "\n".join(lines).encode())


def _schedule(
    azure: LocalAzure, location: str, registry: str = "myregistry", who: str = "pusher", **body: Any
) -> Received:
    request = {
        "type": "DockerBuildRequest", "imageNames": ["builds/hello:v1"], "isPushEnabled": True,
        "dockerFilePath": "Dockerfile", "platform": {"os": "linux", "architecture": "amd64"}, "arguments": [],
        "sourceLocation": location, **body,
    }  # fmt: skip
    return azure.arm("POST", f"{GROUP}/{registry}/scheduleRun", request, who)


def _finish(azure: LocalAzure, scheduled: Received) -> tuple[dict[str, Any], str]:
    """Wait for a run and return its properties and its log."""
    assert scheduled.status == 200, scheduled.body
    path, deadline = scheduled.json["id"], time.monotonic() + WAIT_SECONDS
    run = scheduled.json["properties"]
    while run["status"] in ("Queued", "Running") and time.monotonic() < deadline:
        time.sleep(0.01)
        run = azure.arm("GET", path).json["properties"]
    link = azure.arm("POST", f"{path}/listLogSasUrl").json["logLink"]
    return run, azure.send("GET", link).body.decode()


def _build(azure: LocalAzure, *layers: Layer, **body: Any) -> tuple[dict[str, Any], str]:
    azure.push("samples/context", "1.0", list(layers))
    return _finish(azure, _schedule(azure, "oci://myregistry.azurecr.io/samples/context:1.0", **body))


def _image(
    azure: LocalAzure, repository: str = "builds/hello", tag: str = "v1"
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the configuration and the files of an image in the registry."""
    client = azure.client()
    media_type, content = client.manifest(repository, tag)
    assert media_type == "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.loads(content)
    config = json.loads(_blob(azure, repository, manifest["config"]))
    files: dict[str, bytes] = {}
    for descriptor, diff_id in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
        plain = gzip.decompress(_blob(azure, repository, descriptor))
        assert digest(plain) == diff_id
        with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
            for member in archive.getmembers():
                source = archive.extractfile(member)
                files[member.name] = source.read() if source else b""
    return config, files


def _blob(azure: LocalAzure, repository: str, descriptor: dict[str, Any]) -> bytes:
    file = azure.scratch_file()
    azure.client().fetch_blob(repository, descriptor["digest"], descriptor["size"], file)
    return file.read_bytes()


# Contexts


def test_an_artifact_is_built_and_the_image_is_in_the_registry(azure: LocalAzure) -> None:
    run, log = _build(azure, _dockerfile("FROM scratch", "COPY hello.txt /app/", 'CMD ["/app/hello.txt"]'), PROGRAM)
    assert run["status"] == "Succeeded", log
    config, files = _image(azure)
    assert files["app/hello.txt"] == b"hello\n"
    assert config["config"]["Cmd"] == ["/app/hello.txt"]
    assert (config["os"], config["architecture"], len(config["rootfs"]["diff_ids"])) == ("linux", "amd64", 1)
    (output,) = run["outputImages"]
    assert (output["registry"], output["repository"], output["tag"]) == ("myregistry.azurecr.io", "builds/hello", "v1")
    for text in (
        "Downloading source code...", "Finished downloading source code", "Step 1/3 : FROM scratch",
        "Successfully pushed image: myregistry.azurecr.io/builds/hello:v1", f"digest: {output['digest']}",
    ):  # fmt: skip
        assert text in log
    assert re.search(r"\r\nRun ID: ca1 was successful after \d+s\r\n$", log)


def test_the_agent_identifies_itself_to_the_registry(azure: LocalAzure) -> None:
    _build(azure, _dockerfile("FROM scratch", "COPY hello.txt /"), PROGRAM)
    entries = [entry for entry in azure.app.log.entries() if entry["client"] == "acr-tasks"]
    assert {entry["headers"]["X-Meta-Source-Client"] for entry in entries} == {"azure/acr/tasks"}
    storage = [entry for entry in entries if entry["host"].endswith(".blob.core.windows.net")]
    assert storage
    assert all("Authorization" not in entry["headers"] for entry in storage)


def test_a_context_by_digest(azure: LocalAzure) -> None:
    pushed = azure.push("samples/c", "x", [_dockerfile("FROM scratch", "LABEL a=b")])
    run, log = _finish(azure, _schedule(azure, f"oci://myregistry.azurecr.io/samples/c@{pushed}"))
    assert run["status"] == "Succeeded", log


def test_a_folder_layer_is_extracted(azure: LocalAzure) -> None:
    folder = folder_layer("src", {"src/a.txt": b"a", "src/deep/b.txt": b"b"})
    run, log = _build(azure, _dockerfile("FROM scratch", "COPY src/ /data/"), folder)
    assert run["status"] == "Succeeded", log
    _, files = _image(azure)
    assert (files["data/a.txt"], files["data/deep/b.txt"]) == (b"a", b"b")


def test_a_plain_archive_stays_an_archive(azure: LocalAzure) -> None:
    archive = folder_layer("src", {"src/a.txt": b"a"})
    plain = Layer("src.tar.gz", archive.content, media_type=archive.media_type)
    run, log = _build(azure, _dockerfile("FROM scratch", "COPY src.tar.gz /"), plain)
    assert run["status"] == "Succeeded", log
    assert _image(azure)[1]["src.tar.gz"] == archive.content
    run, log = _build(azure, _dockerfile("FROM scratch", "COPY src /"), plain)
    assert "COPY failed: file not found in build context" in log


def test_the_same_content_with_two_titles_becomes_two_files(azure: LocalAzure) -> None:
    layers = [Layer("a.txt", b"same"), Layer("b.txt", b"same")]
    run, log = _build(azure, _dockerfile("FROM scratch", "COPY *.txt /"), *layers)
    assert run["status"] == "Succeeded", log
    assert _image(azure)[1] == {"a.txt": b"same", "b.txt": b"same"}


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([Layer("a", b"1"), Layer("a", b"2")], "a: duplicate name"),
        ([Layer(None, b"x" * (4 * 1024 * 1024 + 1))], "content size 4194305 exceeds push size limit 4194304"),
        ([Layer("../a", b"1")], "path traversal disallowed"),
        ([Layer("/etc/a", b"1")], "path traversal disallowed"),
        ([folder_layer("src", {"src/a": b"1"}, wrong_digest=True)], "content digest mismatch"),
        ([folder_layer("src", {"other/a": b"1"})], 'is outside of "src"'),
        ([folder_layer("src", {"src/../../a": b"1"})], 'is outside of "src"'),
        ([Layer("src", b"no archive", (("io.deis.oras.content.unpack", "true"),))], "gzip: invalid header"),
    ],
)
def test_a_bad_artifact_is_no_context(azure: LocalAzure, layers: list[Layer], message: str) -> None:
    run, log = _build(azure, _dockerfile("FROM scratch", "LABEL a=b"), *layers)
    assert run["status"] == "Failed"
    assert message in log
    assert DOWNLOAD_FAILED in log


def test_a_blob_with_a_wrong_digest_is_no_context(azure: LocalAzure, tmp_path: Path) -> None:
    azure.push("samples/context", "1.0", [_dockerfile("FROM scratch", "LABEL a=b")])
    (stored,) = (
        file
        for file in (tmp_path / "registry/blobs").rglob("*")
        if file.is_file() and b"LABEL a=b" in file.read_bytes()
    )
    stored.write_bytes(stored.read_bytes().replace(b"LABEL a=b", b"LABEL a=c"))
    run, log = _finish(azure, _schedule(azure, "oci://myregistry.azurecr.io/samples/context:1.0"))
    assert run["status"] == "Failed"
    assert "failed to verify the content" in log


def test_unnamed_blobs_up_to_the_limit_are_accepted(azure: LocalAzure) -> None:
    run, log = _build(azure, _dockerfile("FROM scratch", "COPY . /"), Layer(None, b"x" * (4 * 1024 * 1024)))
    assert run["status"] == "Succeeded", log
    assert list(_image(azure)[1]) == ["Dockerfile"]


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("oci://myregistry.azurecr.io/samples/none:1", "myregistry.azurecr.io/samples/none:1: not found"),
        ("oci://myregistry.azurecr.io/samples/none", "missing reference"),
        ("oci://myregistry.azurecr.io/Upper:1", "invalid reference"),
        ("oci://targetregistry.azurecr.io/samples/none:1", "response status code 401: unauthorized"),
        ("oci://elsewhere.example/samples/a:1", "response status code 502"),
        ("https://example.com/x.git", "only from oci:// and uploads"),
    ],
)
def test_a_context_that_cannot_be_downloaded(azure: LocalAzure, location: str, message: str) -> None:
    run, log = _finish(azure, _schedule(azure, location))
    assert run["status"] == "Failed"
    assert message in log
    assert "Run ID: ca1 failed after" in log
    assert DOWNLOAD_FAILED in log


def test_another_registry_needs_its_own_credentials(azure: LocalAzure) -> None:
    azure.push("samples/c", "1", [_dockerfile("FROM scratch", "LABEL a=b")], registry="targetregistry")
    azure.registry("targetregistry").admin_user_enabled = True
    secret = {"userName": {"value": "targetregistry"}, "password": {"value": "admin-password-1", "type": "Opaque"}}
    credentials = {"customRegistries": {"targetregistry.azurecr.io": secret}}
    location = "oci://targetregistry.azurecr.io/samples/c:1"
    run, log = _finish(azure, _schedule(azure, location, credentials=credentials))
    assert run["status"] == "Succeeded", log


# Identities


@pytest.mark.parametrize(("identity", "status"), [(None, "Failed"), ("[caller]", "Succeeded"), ("[system]", "Failed")])
def test_an_abac_registry_needs_the_callers_identity(azure: LocalAzure, identity: str | None, status: str) -> None:
    azure.push("samples/c", "1", [_dockerfile("FROM scratch", "LABEL a=b")], registry="abacregistry")
    user = azure.world.principal("pusher")
    assert user is not None
    for grant in list(azure.registry("abacregistry").roles):
        if grant.role == "Owner":
            grant.object_id = user.object_id  # Owner may schedule; it is Repository Contributor already, which may push
    source = {"sourceRegistry": {"identity": identity} if identity else {}}
    location = "oci://abacregistry-d7fqc4e3.azurecr.io/samples/c:1"
    run, log = _finish(azure, _schedule(azure, location, "abacregistry", credentials=source))
    assert run["status"] == status, log


def test_login_mode_none_leaves_the_run_anonymous(azure: LocalAzure) -> None:
    run, log = _build(
        azure, _dockerfile("FROM scratch", "LABEL a=b"), credentials={"sourceRegistry": {"loginMode": "None"}}
    )
    assert run["status"] == "Failed"
    assert "unauthorized" in log
    assert "Logging in to registry" not in log


def test_scheduling_needs_permission(azure: LocalAzure) -> None:
    assert _schedule(azure, "oci://myregistry.azurecr.io/a:1", who="reader").code == "AuthorizationFailed"


# Dockerfiles


def test_instructions_shape_the_image(azure: LocalAzure) -> None:
    lines = [
        "# syntax=docker/dockerfile:1", "ARG WHO=world", "FROM scratch", "ARG WHO", "ENV GREETING=hello NAME=$WHO \\",
        "    MORE=1", "# between", 'LABEL note="two words"', "WORKDIR /srv",
        "COPY --chown=10:20 --chmod=600 hello.txt ./x/",
        "EXPOSE 80 53/udp", "USER 1000", 'ENTRYPOINT ["/srv/x/hello.txt"]', "CMD run ${WHO:-me}",
    ]  # fmt: skip
    arguments = [{"name": "WHO", "value": "you", "isSecret": False}]
    run, log = _build(azure, _dockerfile(*lines), PROGRAM, arguments=arguments)
    assert run["status"] == "Succeeded", log
    config, files = _image(azure)
    settings = config["config"]
    assert settings["Env"][1:] == ["GREETING=hello", "NAME=you", "MORE=1"]
    assert settings["Labels"] == {"note": "two words"}
    assert (settings["WorkingDir"], settings["User"]) == ("/srv", "1000")
    assert settings["ExposedPorts"] == {"80/tcp": {}, "53/udp": {}}
    assert settings["Cmd"] == ["/bin/sh", "-c", "run ${WHO:-me}"]
    assert files["srv/x/hello.txt"] == b"hello\n"
    assert [entry.get("empty_layer", False) for entry in config["history"]].count(False) == 1


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["FROM alpine:3"], "the local Azure builds FROM scratch and FROM images of its own registries"),
        (["FROM scratch", "RUN true"], 'exec: "/bin/sh": stat /bin/sh: no such file or directory'),
        (["FROM scratch", "COPY missing /"], "file not found in build context"),
        (["FROM scratch", "COPY *.none /"], "COPY failed: no source files were specified"),
        (["FROM scratch", "COPY ../secret /"], "forbidden path outside the build context"),
        (["FROM scratch", "COPY hello.txt Dockerfile /one"], "the destination must be a directory"),
        (["FROM scratch", "FETCH x"], "unknown instruction: FETCH"),
        (["FROM scratch"], "No image was generated. Is your Dockerfile empty?"),
        (["LABEL a=b"], "no build stage in current context"),
        (["# nothing"], "the Dockerfile cannot be empty"),
    ],
)
def test_a_dockerfile_that_does_not_build(azure: LocalAzure, lines: list[str], message: str) -> None:
    run, log = _build(azure, _dockerfile(*lines), PROGRAM)
    assert run["status"] == "Failed"
    assert message in log
    assert "failed to run step ID: build: exit status 1" in log
    assert run["runErrorMessage"] == "failed during run, err: exit status 1"


def test_a_missing_dockerfile_fails_the_build_unless_another_is_named(azure: LocalAzure) -> None:
    other = Layer("docker/hello.dockerfile", b"FROM scratch\nCOPY hello.txt /\n")
    run, log = _build(azure, other, PROGRAM)
    assert run["status"] == "Failed"
    assert "unable to prepare context" in log
    assert "Dockerfile: no such file or directory" in log
    run, log = _build(azure, other, PROGRAM, dockerFilePath="docker/hello.dockerfile")
    assert run["status"] == "Succeeded", log


def test_an_image_of_the_registry_is_a_base(azure: LocalAzure) -> None:
    lines = ["FROM scratch", "ENV A=1", "COPY hello.txt /one"]
    run, log = _build(azure, _dockerfile(*lines), PROGRAM)
    assert run["status"] == "Succeeded", log
    lines = ["FROM myregistry.azurecr.io/builds/hello:v1", "ENV B=2", "COPY hello.txt /two"]
    run, log = _build(azure, _dockerfile(*lines), PROGRAM, imageNames=["builds/more:v1"])
    assert run["status"] == "Succeeded", log
    config, files = _image(azure, "builds/more")
    assert files == {"one": b"hello\n", "two": b"hello\n"}
    assert config["config"]["Env"][1:] == ["A=1", "B=2"]
    assert len(config["rootfs"]["diff_ids"]) == 2
    _, log = _build(azure, _dockerfile("FROM myregistry.azurecr.io/builds/none:v1"))
    assert "manifest for myregistry.azurecr.io/builds/none:v1 not found" in log
    _, log = _build(azure, _dockerfile("FROM myregistry.azurecr.io/samples/context:1.0"))
    assert "is no container image" in log


def test_dockerignore_hides_files(azure: LocalAzure) -> None:
    files = {"c/keep.md": b"k", "c/drop.md": b"d", "c/sub/deep/x.log": b"x", "c/sub/y": b"y", "c/gone/z": b"z"}
    rules = Layer(".dockerignore", b"# rules\n**/*.md\n!c/keep.md\n**/*.log\nc/gone\n")
    run, log = _build(azure, _dockerfile("FROM scratch", "COPY c /"), folder_layer("c", files), rules)
    assert run["status"] == "Succeeded", log
    assert {name for name, content in _image(azure)[1].items() if content} == {"keep.md", "sub/y"}


def test_the_dockerfile_must_be_in_the_context(azure: LocalAzure) -> None:
    staged = digest(_dockerfile("FROM scratch", "LABEL a=b").content).partition(":")[2]
    run, log = _build(azure, _dockerfile("FROM scratch", "LABEL a=b"), dockerFilePath=f"../staging/{staged}")
    assert run["status"] == "Failed"
    assert "no such file or directory" in log


def _archive(file: Path, *members: tuple[str, bytes, str]) -> None:
    with tarfile.open(file, "w:gz") as archive:
        for name, kind, link in members:
            header = tarfile.TarInfo(name)
            header.type, header.linkname = kind, link
            archive.addfile(header)


@pytest.mark.parametrize(
    "members",
    [
        [("d/link", tarfile.SYMTYPE, "/etc")],
        [("d/link", tarfile.SYMTYPE, "../../out")],
        [("d/link", tarfile.LNKTYPE, "d/../../secret")],
        [("d/present/x", tarfile.REGTYPE, "")],
        [("/d/x", tarfile.REGTYPE, "")],
    ],
)
def test_no_archive_reaches_outside_its_folder(tmp_path: Path, members: list[tuple[str, bytes, str]]) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (tmp_path / "secret").write_bytes(b"s")
    (inside / "present").symlink_to(outside)
    _archive(tmp_path / "a.tar.gz", *members)
    with pytest.raises(ArchiveError, match="outside of"):
        unpack(tmp_path / "a.tar.gz", inside, "d", None)
    assert list(outside.iterdir()) == []


def test_links_inside_the_folder_are_made(tmp_path: Path) -> None:
    kinds = [("d/a", tarfile.REGTYPE, ""), ("d/s/b", tarfile.SYMTYPE, "../a"), ("d/c", tarfile.LNKTYPE, "d/a")]
    _archive(tmp_path / "a.tar.gz", *kinds)
    unpack(tmp_path / "a.tar.gz", tmp_path / "inside", "d", None)
    assert (tmp_path / "inside/s/b").resolve() == (tmp_path / "inside/a").resolve()
    assert (tmp_path / "inside/c").samefile(tmp_path / "inside/a")


def test_the_target_stage_ends_the_build(azure: LocalAzure) -> None:
    lines = ["FROM scratch AS base", "COPY hello.txt /one", "FROM base", "COPY hello.txt /two"]
    _build(azure, _dockerfile(*lines), PROGRAM, target="base")
    assert set(_image(azure)[1]) == {"one"}
    _build(azure, _dockerfile(*lines), PROGRAM)
    assert set(_image(azure)[1]) == {"one", "two"}
    assert "failed to reach build target none" in _build(azure, _dockerfile(*lines), PROGRAM, target="none")[1]


def test_the_run_id_fills_the_image_name(azure: LocalAzure) -> None:
    _build(azure, _dockerfile("FROM scratch", "LABEL a=b"), imageNames=["builds/x:{{.Run.ID}}", "builds/y"])
    assert _image(azure, "builds/x", "ca1")[0]["config"]["Labels"] == {"a": "b"}
    assert _image(azure, "builds/y", "latest")[0]["config"]["Labels"] == {"a": "b"}


def test_without_push_nothing_is_pushed(azure: LocalAzure) -> None:
    run, log = _build(azure, _dockerfile("FROM scratch", "LABEL a=b"), isPushEnabled=False)
    assert (run["status"], run["outputImages"]) == ("Succeeded", [])
    assert "Pushing image" not in log


def test_variables_are_expanded() -> None:
    values = {"A": "1", "B": ""}
    assert expand("$A ${A} ${B:-x} ${A:+y} \\$A ${C}", values) == "1 1 x y $A "
    assert [i.name for i in parse("# escape=`\nFROM scratch\nLABEL a=b `\n c=d\n")] == ["FROM", "LABEL"]


def test_references() -> None:
    wanted = "sha256:" + "a" * 64
    assert parse_reference("oci://h.azurecr.io/a/b:1") == ("h.azurecr.io", "a/b", "1")
    assert parse_reference(f"OCI://h.azurecr.io/a:1@{wanted}") == ("h.azurecr.io", "a", wanted)


# Runs, logs, uploads


def test_the_log_is_read_in_ranges_and_marked_when_complete(azure: LocalAzure) -> None:
    azure.push("samples/c", "1", [_dockerfile("FROM scratch", "LABEL a=b")])
    scheduled = _schedule(azure, "oci://myregistry.azurecr.io/samples/c:1")
    _, log = _finish(azure, scheduled)
    link = azure.arm("POST", f"{scheduled.json['id']}/listLogSasUrl").json["logLink"]
    head = azure.send("HEAD", link)
    assert (head.headers.get("x-ms-meta-complete"), head.headers.get("x-ms-blob-type")) == ("successful", "AppendBlob")
    part = azure.send("GET", link, headers={"x-ms-range": "bytes=10-19"})
    assert (part.status, part.body) == (206, log.encode()[10:20])
    assert part.headers.get("Content-Range") == f"bytes 10-19/{len(log.encode())}"
    assert azure.send("GET", link, headers={"x-ms-range": "bytes=999999-"}).status == 416
    assert azure.send("GET", link, headers={"Authorization": "Bearer x"}).status == 400
    assert azure.send("GET", link[:-1]).status == 403
    assert azure.send("PUT", link, b"x", {"x-ms-blob-type": "BlockBlob"}).status == 403


def test_a_failed_run_marks_its_log_failed(azure: LocalAzure) -> None:
    scheduled = _schedule(azure, "oci://myregistry.azurecr.io/samples/none:1")
    _finish(azure, scheduled)
    link = azure.arm("POST", f"{scheduled.json['id']}/listLogSasUrl").json["logLink"]
    assert azure.send("HEAD", link).headers.get("x-ms-meta-complete") == "failed"


def test_runs_are_listed_newest_first(azure: LocalAzure) -> None:
    for _ in range(3):
        _finish(azure, _schedule(azure, "oci://myregistry.azurecr.io/samples/none:1"))
    names = [run["name"] for run in azure.arm("GET", f"{REGISTRY}/runs?$top=2").json["value"]]
    assert names == ["ca3", "ca2"]
    assert azure.arm("GET", f"{REGISTRY}/runs/zz9").status == 404


def test_an_uploaded_folder_is_built(azure: LocalAzure) -> None:
    content = folder_layer("", {"./Dockerfile": b"FROM scratch\nCOPY a.txt /\n", "a.txt": b"a"}).content
    location = azure.arm("POST", f"{REGISTRY}/listBuildSourceUploadUrl").json
    put = azure.send("PUT", location["uploadUrl"], content, {"x-ms-blob-type": "BlockBlob"})
    assert put.status == 201
    run, log = _finish(azure, _schedule(azure, location["relativePath"]))
    assert run["status"] == "Succeeded", log
    assert _image(azure)[1]["a.txt"] == b"a"


@pytest.mark.parametrize(
    "change",
    [
        {"type": "FileTaskRunRequest"}, {"surprise": 1}, {"dockerFilePath": ""}, {"platform": {}}, {"imageNames": "a"},
        {"platform": {"os": "windows"}}, {"timeout": 1}, {"arguments": [{"value": "x"}]}, {"isPushEnabled": "yes"},
    ],
)  # fmt: skip
def test_an_invalid_request_is_refused(azure: LocalAzure, change: dict[str, Any]) -> None:
    assert _schedule(azure, "oci://myregistry.azurecr.io/a:1", **change).status == 400
