"""The manifest of a push, by the version of the image specification."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.operations.file_spec import FileSpec, parse_file_spec
from azext_acrartifact.operations.manifest_builder import compose, config_blob, placeholders, spec_version


@pytest.mark.parametrize(
    ("asked", "config", "kind", "version"),
    [
        (None, False, None, "v1.1"), (None, False, "a/b", "v1.1"),
        (None, True, None, "v1.0"), (None, True, "a/b", "v1.1"),
        ("v1.0", False, None, "v1.0"), ("v1.0", False, "a/b", "v1.0"), ("v1.0", True, None, "v1.0"),
        ("v1.1", False, None, "v1.1"), ("v1.1", True, "a/b", "v1.1"),
    ],
)  # fmt: skip
def test_the_version_of_each_combination(asked, config: bool, kind, version: str) -> None:
    assert spec_version(asked, FileSpec("c") if config else None, kind) == version


@pytest.mark.parametrize(
    ("asked", "config", "kind"),
    [("v1.1", True, None), ("v1.0", True, "a/b"), (None, False, "nonsense"), (None, False, ""), (None, True, "a/b/c")],
)
def test_a_combination_that_the_version_cannot_express_is_refused(asked, config: bool, kind) -> None:
    with pytest.raises(errors.InvalidInputError) as caught:
        spec_version(asked, FileSpec("c") if config else None, kind)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("version", "config", "kind", "shape"),
    [
        ("v1.1", None, None, ("application/vnd.unknown.artifact.v1", "application/vnd.oci.empty.v1+json", True)),
        ("v1.1", None, "a/b", ("a/b", "application/vnd.oci.empty.v1+json", True)),
        ("v1.1", "c:x/y", "a/b", ("a/b", "x/y", False)),
        ("v1.0", None, None, (None, "application/vnd.unknown.config.v1+json", False)),
        ("v1.0", None, "a/b", (None, "a/b", False)),
        ("v1.0", "c:x/y", None, (None, "x/y", False)),
        ("v1.0", "c", None, (None, "application/vnd.unknown.config.v1+json", False)),
    ],
)
def test_manifests_equal_those_of_oras(work: Path, version: str, config, kind, shape) -> None:
    (work / "c").write_text("{}")
    with contextlib.ExitStack() as stack:
        spec = parse_file_spec(config) if config else None
        blob = config_blob(version, spec, kind, {"k": "v"}, stack)
        descriptor = Descriptor(blob.media_type, digest_of(b"{}"), 2, blob.annotations, blob.data)
        manifest = compose(version, descriptor, [], kind, None, {"n": "1"})
    raw = json.loads(manifest.raw)
    found = (raw.get("artifactType"), raw["config"]["mediaType"], "data" in raw["config"])
    assert found == shape
    assert raw["config"]["annotations"] == {"k": "v"}
    assert raw["annotations"] == {"n": "1"}


def test_only_version_1_1_has_a_placeholder() -> None:
    assert [[blob.data for blob in placeholders(version)] for version in ("v1.0", "v1.1")] == [[], [b"{}"]]


def test_the_null_device_is_an_empty_config(work: Path) -> None:
    for path in ("/dev/null", "NUL"):
        with contextlib.ExitStack() as stack:
            blob = config_blob("v1.0", FileSpec(path, "x/y"), None, {}, stack)
            assert (blob.size, blob.media_type) == (0, "x/y")
