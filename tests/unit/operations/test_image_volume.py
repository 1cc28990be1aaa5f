"""A mountable artifact: its layers, its config, and what cannot be one."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from azext_acrartifact import errors
from azext_acrartifact.operations.file_spec import parse_file_spec
from azext_acrartifact.operations.inputs import Stdin
from azext_acrartifact.operations.platforms import parse_platform
from tests.support.system import WINDOWS, has_mode, link, on_posix
from tests.unit.operations.conftest import pull_files, push_files
from tests.unit.operations.graphs import storage

TYPE = "application/vnd.example.model.v1"


@pytest.fixture
def files(work: Path) -> Path:
    """Make a folder, a file in another folder, and a link to a file."""
    (work / "docs/deep").mkdir(parents=True)
    (work / "docs/deep/b.md").write_text("b")
    (work / "sub").mkdir()
    (work / "sub/a.txt").write_text("a")
    (work / "sub/a.txt").chmod(0o755)
    link(work / "link", "sub/a.txt")
    return work


def blob(registry, image: str, descriptor) -> bytes:
    """Return the content of a blob."""
    stream = storage(registry, image.partition(":")[0]).fetch(descriptor)
    buffer = bytearray(descriptor.size)
    view = memoryview(buffer)
    while view and (count := stream.readinto(view)):
        view = view[count:]
    stream.close()
    return bytes(buffer)


def image_of(registry, image: str, *arguments: str, **options) -> tuple[Any, dict[str, Any], list[list[str]]]:
    """Push a mountable artifact. Return its manifest, its config, and the names in each of its layers."""
    manifest = push_files(registry, image, *arguments, mountable=True, **options).manifest
    tars = [gzip.decompress(blob(registry, image, layer)) for layer in manifest.layers]
    config = json.loads(blob(registry, image, manifest.config))
    assert config["rootfs"] == {
        "type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}" for tar in tars],
    }  # fmt: skip
    assert manifest.config.media_type == "application/vnd.oci.image.config.v1+json"
    return manifest, config, [tarfile.open(fileobj=io.BytesIO(tar)).getnames() for tar in tars]


def test_folders_are_one_layer_each(signed_in, files: Path) -> None:
    manifest, config, names = image_of(signed_in(), "mount/folders:1", "docs", "sub", artifact_type=TYPE)
    assert names == [["docs", "docs/deep", "docs/deep/b.md"], ["sub", "sub/a.txt"]]
    assert [layer.title for layer in manifest.layers] == ["docs", "sub"]
    assert (config["os"], config["architecture"], manifest.artifact_type) == ("linux", "amd64", TYPE)


def test_files_and_folders_beside_them_are_one_layer(signed_in, files: Path, tmp_path: Path) -> None:
    registry = signed_in()
    manifest, _, names = image_of(registry, "mount/files:1", "docs", "sub/a.txt", *on_posix("link"))
    assert names == [["docs", "docs/deep", "docs/deep/b.md", *on_posix("link"), "sub", "sub/a.txt"]]
    assert manifest.declared_artifact_type is None
    pull_files(registry, "mount/files:1", tmp_path / "to")
    assert (tmp_path / "to/docs/deep/b.md").read_text() == "b"
    assert WINDOWS or (tmp_path / "to/link").read_text() == "a"
    assert has_mode(tmp_path / "to/sub/a.txt", 0o755)


def test_the_same_files_are_the_same_image_and_not_sent_again(signed_in, files: Path) -> None:
    registry = signed_in()
    first, second = (push_files(registry, "mount/same:1", "sub/a.txt", "docs", mountable=True) for _ in range(2))
    assert first.manifest.digest == second.manifest.digest
    assert (second.bytes_uploaded, first.bytes_uploaded > 0) == (0, True)
    would = push_files(registry, "mount/same:2", "sub/a.txt", "docs", mountable=True, dry_run=True)
    assert would.manifest.digest == first.manifest.digest


def test_the_platform_is_in_the_config(signed_in, files: Path) -> None:
    platform = parse_platform("linux/arm64/v8")
    _, config, _ = image_of(signed_in(), "mount/platform:1", "docs", platform=platform)
    assert (config["os"], config["architecture"], config["variant"]) == ("linux", "arm64", "v8")


@pytest.mark.parametrize(
    ("arguments", "options", "why"),
    [
        ([], {"allow_empty": True}, "there is no file"),
        (["docs"], {"split": True}, "--split is given"),
        (["docs"], {"media_type": "x/y"}, "--media-type is given"),
        (["docs"], {"config": parse_file_spec("/dev/null")}, "--manifest-config is given"),
        (["docs"], {"image_spec": "v1.0", "artifact_type": TYPE}, "--image-spec v1.0 with --artifact-type is given"),
        (["sub/a.txt:x/y"], {}, "sub/a.txt has a media type of its own"),
        (["-"], {"stdin": Stdin(io.BytesIO(b"x"), "x")}, "standard input cannot be packed"),
    ],
)
def test_what_is_no_image_is_refused(
    signed_in, app, files: Path, arguments: list[str], options: dict, why: str
) -> None:
    with pytest.raises(errors.InvalidInputError, match=why):
        push_files(signed_in(), "mount/refused:1", *arguments, mountable=True, **options)
    assert not app.log.entries()
