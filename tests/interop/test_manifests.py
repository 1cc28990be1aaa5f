"""For the same files, our manifest is that of oras, except for the time of creation."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from azext_acrartifact.oci.descriptor import parse_descriptor
from azext_acrartifact.operations.manifest_builder import V1_1, compose
from tests.interop.registry import Registry
from tests.interop.trees import make_tree

CREATED = "org.opencontainers.image.created"
TITLE = "org.opencontainers.image.title"
TYPE = "application/vnd.example.artifact.v1"
NOTES = {"$manifest": {"b": "2", "a": "ä<&>"}, "$config": {"of": "config"}, "artifact.txt": {"of": "file"}}


class Case(NamedTuple):
    """The same push for both tools; *files* are the same for both."""

    oras: list[str]
    ours: list[str]
    files: list[str]


ARTICLE_CONFIG = "/dev/null:application/vnd.unknown.config.v1+json"
TEXT = "./artifact.txt:application/vnd.unknown.layer.v1+txt"
CASES = {
    "config without artifact type": Case(["--config", ARTICLE_CONFIG], ["--manifest-config", ARTICLE_CONFIG], [TEXT]),
    "one file": Case([], [], ["./artifact.txt"]),
    "artifact type": Case(["--artifact-type", TYPE], ["--artifact-type", TYPE], ["artifact.txt"]),
    "spec 1.0": Case(["--image-spec", "v1.0"], ["--image-spec", "v1.0"], ["artifact.txt"]),
    "spec 1.0 with artifact type": Case(
        ["--image-spec", "v1.0", "--artifact-type", TYPE],
        ["--image-spec", "v1.0", "--artifact-type", TYPE],
        ["artifact.txt"],
    ),
    "config and artifact type": Case(
        ["--config", "config.json:application/vnd.example.config.v1+json", "--artifact-type", TYPE],
        ["--manifest-config", "config.json:application/vnd.example.config.v1+json", "--artifact-type", TYPE],
        ["artifact.txt"],
    ),
    "config without a media type": Case(
        ["--config", "config.json", "--artifact-type", TYPE],
        ["--manifest-config", "config.json", "--artifact-type", TYPE],
        ["artifact.txt"],
    ),
    "config in spec 1.0": Case(
        ["--config", "config.json", "--image-spec", "v1.0"],
        ["--manifest-config", "config.json", "--image-spec", "v1.0"],
        ["artifact.txt"],
    ),
    "no file": Case(["--artifact-type", TYPE], ["--artifact-type", TYPE, "--empty"], []),
    "no file, spec 1.0": Case(["--image-spec", "v1.0"], ["--image-spec", "v1.0", "--empty"], []),
    "annotation file": Case(
        ["--annotation-file", "notes.json"], ["--annotation-file", "notes.json"], ["artifact.txt", "deep/z.txt"]
    ),
    "annotations": Case(
        ["-a", "z=1", "-a", "a=x=y"], ["--annotation", "z=1", "a=x=y"],
        ["deep/z.txt:text/x-z", "./artifact.txt", "same.txt", "empty.txt"],
    ),
}  # fmt: skip


@pytest.fixture
def files(work: Path) -> Path:
    """Create the files of every case."""
    (work / "artifact.txt").write_bytes(b"Here is an artifact\n")
    (work / "same.txt").write_bytes(b"Here is an artifact\n")
    (work / "empty.txt").write_bytes(b"")
    (work / "config.json").write_bytes(b'{"some": "config"}\n')
    (work / "notes.json").write_text(json.dumps(NOTES), encoding="utf-8")
    (work / "deep").mkdir()
    (work / "deep" / "z.txt").write_bytes(b"z\n")
    return work


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_manifest_of_files_equals_that_of_oras(azure: Registry, repository: str, files: Path, case: Case) -> None:
    theirs, ours = _push_both(azure, repository, files, case)
    assert _text(theirs) == _text(ours)


def test_the_same_time_of_creation_gives_the_same_digest(azure: Registry, repository: str, files: Path) -> None:
    stamp = f"{CREATED}=2026-01-02T03:04:05Z"
    pushed = azure.push(files, azure.at(repository, "ours"), "--file", "artifact.txt", "--annotation", stamp)
    azure.oras(files, "push", "-a", stamp, azure.at(repository, "theirs"), "artifact.txt")
    assert azure.oras(files, "resolve", azure.at(repository, "theirs")).text == pushed["digest"]


@pytest.mark.parametrize("name", ["d", "d/", "./d", f"d:{TYPE}", "."])
def test_the_manifest_of_a_folder_equals_that_of_oras(azure: Registry, repository: str, work: Path, name: str) -> None:
    make_tree(work / "d")
    _set_times(work)
    theirs, ours = _push_both(azure, repository, work, Case([], [], [name]))
    for manifest in (theirs, ours):
        # Go's deflate is not zlib's: only the tar inside is the same.
        manifest["layers"][0] |= {"digest": "sha256:…", "size": 0}
    assert _text(theirs) == _text(ours)


def test_the_manifest_of_an_attachment_equals_that_of_oras(azure: Registry, repository: str, files: Path) -> None:
    azure.oras(files, "push", azure.at(repository), "artifact.txt")
    subject = azure.oras(files, "manifest", "fetch", "--descriptor", azure.at(repository)).stdout
    attach = ["attach", "--artifact-type", TYPE, "-a", "k=v", "--format", "json"]
    attached = json.loads(azure.oras(files, *attach, azure.at(repository), "deep/z.txt:text/x-z").stdout)
    theirs = _unstamped(azure.manifest(files, azure.at(repository, attached["digest"])))
    ours = azure.at(repository, "ours")
    azure.push(files, ours, "--artifact-type", TYPE, "--annotation", "k=v", "--file", "deep/z.txt:text/x-z")
    assert _text(theirs) == _text(_with_subject(azure.manifest(files, ours), json.loads(subject)))


def _push_both(azure: Registry, repository: str, folder: Path, case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
    """Push with both; return oras's manifest without its time, and ours."""
    theirs, ours = azure.at(repository, "theirs"), azure.at(repository, "ours")
    azure.oras(folder, "push", *case.oras, theirs, *case.files)
    files = ["--file", *case.files] if case.files else []
    azure.push(folder, ours, *case.ours, *files)
    return _unstamped(azure.manifest(folder, theirs)), azure.manifest(folder, ours)


def _with_subject(manifest: dict[str, Any], subject: dict[str, Any]) -> dict[str, Any]:
    """Return *manifest* as we would write it with that subject."""
    config, *layers = [parse_descriptor(item, "manifest") for item in (manifest["config"], *manifest["layers"])]
    of = parse_descriptor(subject, "subject")
    composed = compose(V1_1, config, layers, manifest["artifactType"], of, manifest["annotations"])
    return dict(json.loads(composed.raw))


def _unstamped(manifest: dict[str, Any]) -> dict[str, Any]:
    assert manifest["annotations"].pop(CREATED)
    if not manifest["annotations"]:
        del manifest["annotations"]
    return manifest


def _text(manifest: dict[str, Any]) -> str:
    """Write one line per field, in the manifest's own order: equal only for equal fields in the same order."""
    return json.dumps(manifest, indent=1)


def _set_times(folder: Path) -> None:
    """Set all times to the one that we pack with; oras takes it from the files."""
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (0, 0), follow_symlinks=False)
