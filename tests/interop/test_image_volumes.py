"""What `push --mountable` makes is an image for runtimes, and still an artifact for oras and for us."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from tests.interop.registry import Registry
from tests.interop.trees import make_tree, snapshot

TYPE = "application/vnd.example.model.v1"


@pytest.mark.parametrize("options", [(), ("--compression", "none"), ("--artifact-type", TYPE)])
@pytest.mark.parametrize("loose", [True, False])
def test_a_mountable_artifact(
    registry: Registry, repository: str, work: Path, out: Path, options: tuple[str, ...], loose: bool
) -> None:
    before = snapshot(make_tree(work / "docs"))
    (work / "sub").mkdir()
    (work / "sub/a.txt").write_text("one")
    files = ("docs", "sub/a.txt") if loose else ("docs", "sub")
    reference = registry.at(repository)
    registry.push(work, reference, "--mountable", "--file", *files, *options)
    if "none" not in options:  # crane validates layers of gzip only
        registry.crane(work, "validate", "--remote", reference)
    manifest = json.loads(registry.oras(work, "manifest", "fetch", reference).stdout)
    assert manifest["config"]["mediaType"] == "application/vnd.oci.image.config.v1+json"
    assert manifest.get("artifactType") == (TYPE if TYPE in options else None)
    inspected = json.loads(registry.skopeo(work, "inspect", f"docker://{reference}").stdout)
    assert (inspected["Os"], inspected["Architecture"], len(inspected["Layers"])) == ("linux", "amd64", 2 - loose)
    registry.crane(work, "export", reference, "root.tar")
    with tarfile.open(work / "root.tar") as root:
        assert {"docs", "sub/a.txt"} <= set(root.getnames())
        assert root.extractfile("sub/a.txt").read() == b"one"  # type: ignore[union-attr]
    registry.pull(out, reference)
    if "none" not in options:
        registry.oras(out, "pull", reference, "--output", "by-oras")
    for folder in (out, *([out / "by-oras"] if "none" not in options else [])):
        assert snapshot(folder / "docs") == before
        assert (folder / "sub/a.txt").read_text() == "one"


def test_each_platform_has_its_image(registry: Registry, repository: str, work: Path) -> None:
    (work / "a.txt").write_text("one")
    for platform in ("linux/amd64", "linux/arm64/v8"):
        registry.push(work, registry.at(repository), "--mountable", "--file", "a.txt", "--platform", platform)
    registry.crane(work, "validate", "--remote", registry.at(repository))
    config = json.loads(registry.crane(work, "config", "--platform", "linux/arm64/v8", registry.at(repository)).stdout)
    assert (config["architecture"], config["variant"], config["rootfs"]["type"]) == ("arm64", "v8", "layers")
