"""The manifests of a push: for the same input they equal those of `oras push`, except for the creation time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.functional.az import Az
from tests.functional.many import in_one_process
from tests.functional.origin import EMPTY, MANIFEST, Origin, digest_of

CONTENT = b"Here is an artifact\n"
EMPTY_INLINE = {**EMPTY, "data": "e30="}
UNKNOWN_CONFIG = "application/vnd.unknown.config.v1+json"
UNKNOWN_ARTIFACT = "application/vnd.unknown.artifact.v1"
LAYER = "application/vnd.oci.image.layer.v1.tar"
TYPE = "application/vnd.example.thing.v1"


def file_layer(media_type: str = LAYER) -> dict[str, Any]:
    """Return the layer of artifact.txt."""
    title = {"org.opencontainers.image.title": "artifact.txt"}
    return {"mediaType": media_type, "digest": digest_of(CONTENT), "size": 20, "annotations": title}


def manifest(config: dict[str, Any], *layers: dict[str, Any], artifact_type: str | None = None) -> dict[str, Any]:
    """Return a manifest with its fields in the order in which they are written."""
    kind = {"artifactType": artifact_type} if artifact_type else {}
    begin = {"schemaVersion": 2, "mediaType": MANIFEST, **kind}
    return {**begin, "config": config, "layers": list(layers)}


def config(content: bytes, media_type: str) -> dict[str, Any]:
    """Return the descriptor of a config."""
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


CASES = {
    "A, the article": (
        "--manifest-config /dev/null:application/vnd.unknown.config.v1+json "
        "--file ./artifact.txt:application/vnd.unknown.layer.v1+txt",
        manifest(config(b"", UNKNOWN_CONFIG), file_layer("application/vnd.unknown.layer.v1+txt")),
    ),
    "A, as on Windows": (
        r"--manifest-config NUL:application/vnd.unknown.config.v1+json "
        r"--file .\artifact.txt:application/vnd.unknown.layer.v1+txt",
        manifest(config(b"", UNKNOWN_CONFIG), file_layer("application/vnd.unknown.layer.v1+txt")),
    ),
    "B, no types": (
        "--file artifact.txt",
        manifest(EMPTY_INLINE, file_layer(), artifact_type=UNKNOWN_ARTIFACT),
    ),
    "C, an artifact type": (
        f"--file artifact.txt --artifact-type {TYPE}",
        manifest(EMPTY_INLINE, file_layer(), artifact_type=TYPE),
    ),
    "D, image-spec 1.0": (
        "--file artifact.txt --image-spec v1.0",
        manifest(config(b"{}", UNKNOWN_CONFIG), file_layer()),
    ),
    "E, image-spec 1.0 and a type": (
        f"--file artifact.txt --image-spec v1.0 --artifact-type {TYPE}",
        manifest(config(b"{}", TYPE), file_layer()),
    ),
    "F, a type and a config": (
        f"--file artifact.txt --artifact-type {TYPE} --manifest-config config.json:application/json",
        manifest(config(b'{"a":1}', "application/json"), file_layer(), artifact_type=TYPE),
    ),
    "G, no files": (
        f"--empty --artifact-type {TYPE}",
        manifest(EMPTY_INLINE, EMPTY_INLINE, artifact_type=TYPE),
    ),
}


def test_manifest(
    az: Az, artifact: str, repository: str, work: Path, origin: Origin, subtests: pytest.Subtests
) -> None:
    (work / "artifact.txt").write_bytes(CONTENT)
    (work / "config.json").write_bytes(b'{"a":1}')
    results = in_one_process(az, [["push", artifact, *arguments.split()] for arguments, _ in CASES.values()])
    for (case, (_, expected)), pushed in zip(CASES.items(), results, strict=True):
        with subtests.test(case):
            assert (pushed.code, pushed.stderr) == (0, "")
            written = origin.manifest(repository, pushed.json["digest"])
            assert written == json.dumps(expected, separators=(",", ":")).encode()
            assert pushed.json["digest"] == digest_of(written)


@pytest.mark.parametrize("spelling", ["d", "d/", "./d"])
def test_folder(az: Az, artifact: str, repository: str, work: Path, origin: Origin, spelling: str) -> None:
    (work / "d").mkdir()
    (work / "d" / "a.txt").write_bytes(b"one")
    az.artifact("push", artifact, "--file", spelling)
    written = json.loads(origin.manifest(repository, "1.0") or b"")
    [layer] = written.pop("layers")
    marks = layer["annotations"]
    assert written == {
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": UNKNOWN_ARTIFACT, "config": EMPTY_INLINE,
    }  # fmt: skip
    assert layer["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"
    assert list(marks) == sorted(marks)
    assert marks.keys() == {
        "io.deis.oras.content.digest",
        "io.deis.oras.content.unpack",
        "org.opencontainers.image.title",
    }
    assert (marks["io.deis.oras.content.unpack"], marks["org.opencontainers.image.title"]) == ("true", "d")


def test_a_folder_with_a_type_is_still_unpacked(
    az: Az, artifact: str, repository: str, work: Path, origin: Origin
) -> None:
    (work / "d").mkdir()
    az.artifact("push", artifact, "--file", "d:application/vnd.example.docs")
    [layer] = json.loads(origin.manifest(repository, "1.0") or b"")["layers"]
    assert layer["mediaType"] == "application/vnd.example.docs"
    assert layer["annotations"]["io.deis.oras.content.unpack"] == "true"


def test_annotations(az: Az, artifact: str, repository: str, work: Path, origin: Origin) -> None:
    (work / "artifact.txt").write_bytes(CONTENT)
    groups = {"$manifest": {"a": "file"}, "$config": {"c": "config"}, "artifact.txt": {"d": "layer"}}
    (work / "annotations.json").write_text(json.dumps(groups))
    pairs = ("b=command line", "e=x=y", "f=")
    az.artifact(
        "push", artifact, "--file", "artifact.txt", "--annotation", *pairs, "--annotation-file", "annotations.json"
    )
    written = json.loads(origin.manifest(repository, "1.0") or b"")
    assert list(written["annotations"].items()) == [("a", "file"), ("b", "command line"), ("e", "x=y"), ("f", "")]
    assert written["config"]["annotations"] == {"c": "config"}
    assert written["layers"][0]["annotations"] == {"d": "layer", "org.opencontainers.image.title": "artifact.txt"}
