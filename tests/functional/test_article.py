"""Microsoft's article on artifacts in Container Registry, step by step, with `az` alone.

learn.microsoft.com/azure/container-registry/container-registry-manage-artifact
"""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from tests.functional.az import Az, files_in
from tests.functional.origin import SERVER, Origin, digest_of

CONFIG_TYPE = "application/vnd.unknown.config.v1+json"
LAYER_TYPE = "application/vnd.unknown.layer.v1+txt"
CONTENT = "Here is an artifact\n"
COMMON = ("changeableAttributes", "createdTime", "digest", "lastUpdateTime", "name", "signed")
DOCKERFILE = "FROM scratch\nCOPY hello-world.dockerfile /hello-world.dockerfile\n"


def push(az: Az, artifact: str) -> str:
    """Push as the article does; return the digest."""
    (az.folder / "artifact.txt").write_text(CONTENT)
    config = f"/dev/null:{CONFIG_TYPE}"
    pushed = az.artifact("push", artifact, "--manifest-config", config, "--file", f"./artifact.txt:{LAYER_TYPE}")
    return str(pushed.json["digest"])


def test_push_describes_the_artifact(az: Az, artifact: str, repository: str, origin: Origin) -> None:
    digest = push(az, artifact)
    manifest = origin.manifest(repository, "1.0")
    assert manifest is not None
    assert digest == digest_of(manifest)
    again = az.artifact("push", artifact, "--file", f"artifact.txt:{LAYER_TYPE}", "--artifact-type", "a/b").json
    file = {
        "title": "artifact.txt", "digest": digest_of(CONTENT.encode()), "size": 20, "mediaType": LAYER_TYPE,
        "state": "skipped",
    }  # fmt: skip
    assert again == {
        "reference": artifact, "digest": digest_of(origin.manifest(repository, "1.0") or b""),
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": "a/b", "size": 22, "tags": ["1.0"],
        "files": [file], "bytesUploaded": 2, "bytesSkipped": 20, "leftOut": [], "unmatchedPatterns": [],
    }  # fmt: skip


def test_show_equals_the_command_of_azure_cli(az: Az, artifact: str, repository: str) -> None:
    digest = push(az, artifact)
    ours = az.artifact("show", "--name", "myregistry", "--image", f"{repository}:1.0").json
    core = az("acr", "repository", "show", "--name", "myregistry", "--image", f"{repository}:1.0")
    assert core.code == 0
    assert {name: ours[name] for name in COMMON} == {name: core.json[name] for name in COMMON} == core.json
    assert (ours["digest"], ours["artifactType"], ours["size"]) == (digest, CONFIG_TYPE, 20)
    assert [file["title"] for file in ours["files"]] == ["artifact.txt"]


def test_show_by_digest_equals_it_too(az: Az, artifact: str, repository: str) -> None:
    digest = push(az, artifact)
    ours = az.artifact("show", f"{SERVER}/{repository}@{digest}").json
    core = az("acr", "repository", "show", "--name", "myregistry", "--image", f"{repository}@{digest}")
    assert core.code == 0, core.stderr
    assert {name: ours[name] for name in core.json.keys() & ours.keys()} == {
        name: value for name, value in core.json.items() if name in ours
    }
    assert ours["tags"] == ["1.0"]


def test_pull_by_media_type(az: Az, artifact: str, work: Path) -> None:
    digest = push(az, artifact)
    (work / "artifact.txt").unlink()
    pulled = az.artifact("pull", artifact, "--media-type", LAYER_TYPE).json
    assert (work / "artifact.txt").read_text() == CONTENT
    assert files_in(work) == {"artifact.txt"}
    file = {
        "path": str(work / "artifact.txt"), "digest": digest_of(CONTENT.encode()), "size": 20,
        "mediaType": LAYER_TYPE, "state": "downloaded",
    }  # fmt: skip
    assert pulled == {
        "reference": artifact, "digest": digest, "files": [file], "bytesDownloaded": 20, "bytesSkipped": 0,
        "skipped": [], "unmatchedPatterns": [],
    }  # fmt: skip


def test_delete(az: Az, artifact: str, repository: str, origin: Origin) -> None:
    push(az, artifact)
    gone = az.artifact("delete", "--name", "myregistry", "--image", f"{repository}:1.0", "--yes").json
    assert gone["tags"] == ["1.0"]
    assert origin.manifest(repository, "1.0") is None
    az.refused(3, "show", artifact)


def test_delete_by_the_command_of_azure_cli(az: Az, artifact: str, repository: str) -> None:
    push(az, artifact)
    assert az("acr", "repository", "delete", "-n", "myregistry", "--image", f"{repository}:1.0", "--yes").code == 0
    az.refused(3, "pull", artifact)


def test_build_from_a_dockerfile_that_is_an_artifact(
    az: Az, artifact: str, repository: str, work: Path, origin: Origin
) -> None:
    (work / "hello-world.dockerfile").write_text(DOCKERFILE)
    pushed = az.artifact("push", artifact, "--file", "hello-world.dockerfile").json
    assert [file["mediaType"] for file in pushed["files"]] == ["application/vnd.oci.image.layer.v1.tar"]
    image = f"{repository}/built:v1"
    built = az(
        "acr", "build", "--registry", "myregistry", "--image", image, "--file", "hello-world.dockerfile",
        f"oci://{artifact}",
    )  # fmt: skip
    assert built.code == 0, built.stderr
    shown = az.artifact("show", f"{SERVER}/{image}").json
    assert (shown["name"], shown["files"]) == ("v1", [])
    [layer] = json.loads(az.artifact("show", f"{SERVER}/{image}", "--raw").stdout)["layers"]
    with tarfile.open(fileobj=io.BytesIO(origin.blob(f"{repository}/built", layer["digest"]))) as archive:
        member = archive.extractfile("hello-world.dockerfile")
        assert member is not None
        assert member.read().decode() == DOCKERFILE
