"""Helm charts, models and other artifacts without titles: what comes down, and what an error says."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.files.selection import Selection
from azext_acrartifact.oci.manifest import Manifest, build_manifest
from azext_acrartifact.operations.named_layers import CONFIG_LIMIT, with_names
from azext_acrartifact.operations.pull import PullOrder
from azext_acrartifact.operations.pull_check import check
from azext_acrartifact.operations.pull_stdout import read_one
from azext_acrartifact.transfer.progress import Progress
from tests.support.system import has_mode
from tests.unit.files.archive.archives import folder, layer, member, symlink
from tests.unit.operations.conftest import pull_files, ref
from tests.unit.operations.graphs import push_blob, storage

HELM = "application/vnd.cncf.helm.config.v1+json"
CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
PROVENANCE = "application/vnd.cncf.helm.chart.provenance.v1.prov"
IMAGE = "application/vnd.oci.image.config.v1+json"
TAR = "application/vnd.oci.image.layer.v1.tar+gzip"
MODEL = "application/vnd.cncf.model"
PATH = "org.cncf.model.filepath"
Layer = tuple[str, bytes, dict[str, str]]


def stored(registry, name: str, kind: str, config: bytes, layers: Sequence[Layer], artifact_type=None) -> Manifest:
    """Store an artifact of *layers* (type, content, annotations) as another tool would."""
    repository = f"foreign/{name}"
    blobs = [
        replace(push_blob(registry, repository, content), media_type=one, annotations=annotations)
        for one, content, annotations in layers
    ]
    described = replace(push_blob(registry, repository, config), media_type=kind)
    manifest = build_manifest(described, blobs, artifact_type=artifact_type)
    registry.manifests.put(repository, manifest, "1")
    return manifest


def chart(registry, name: str, config: bytes) -> Manifest:
    """Store a Helm chart with provenance."""
    return stored(registry, name, HELM, config, [(CHART, b"chart", {}), (PROVENANCE, b"signed", {})])


def test_a_helm_chart_comes_down_as_by_helm_pull(signed_in, tmp_path: Path) -> None:
    registry = signed_in()
    manifest = chart(registry, "helm", b'{"name": "my-chart", "version": "1.2.3-rc.1+build.5", "apiVersion": "v2"}')
    result = pull_files(registry, "foreign/helm:1", tmp_path / "to")
    assert result.manifest.digest == manifest.digest
    found = {path.name: path.read_bytes() for path in (tmp_path / "to").iterdir()}
    name = "my-chart-1.2.3-rc.1+build.5.tgz"
    assert found == {name: b"chart", f"{name}.prov": b"signed"}
    again = check(registry, PullOrder(ref("foreign/helm:1"), str(tmp_path / "to")), Progress())
    assert {file.state for file in again.files} == {"unchanged"}


@pytest.mark.parametrize(
    "config",
    [
        *({"name": name, "version": "1"} for name in ("../x", "a/b", "a\\b", "", ".", "..", "a\n", "C:a", "ä", 0)),
        *({"name": "a", "version": version} for version in ("../../x", "1/2", "", "1\0", " ", None, {})),
        {"name": "CON.x", "version": "1"}, {"name": "a" * 300, "version": "1"}, {}, [], "x", 1, None,
    ],
)  # fmt: skip
def test_a_chart_names_only_a_safe_file(signed_in, tmp_path: Path, config: object) -> None:
    registry = signed_in()
    chart(registry, "hostile", json.dumps(config).encode())
    (tmp_path / "to").mkdir()
    with pytest.raises(errors.UnsafeContentError):
        pull_files(registry, "foreign/hostile:1", tmp_path / "to")
    assert [path.name for path in tmp_path.rglob("*")] == ["to"]


@pytest.mark.parametrize(
    ("config", "error"),
    [
        (b"no JSON", errors.InvalidManifestError), (b"[" * 200_000, errors.InvalidManifestError),
        (b" " * (CONFIG_LIMIT + 1), errors.RefusedError),
    ],
)  # fmt: skip
def test_a_charts_config_is_read_within_limits(
    signed_in, tmp_path: Path, config: bytes, error: type[Exception]
) -> None:
    registry = signed_in()
    chart(registry, "limits", config)
    with pytest.raises(error):
        pull_files(registry, "foreign/limits:1", tmp_path / "to")
    assert not (tmp_path / "to").exists()


def models() -> list[Layer]:
    """Return the layers of a model as modctl writes them: tars by their path, and raw files."""
    weights, tokenizer = member("model/w.bin", b"weights", mode=0o755), folder("cfg") + member("cfg/t.json", b"{}")
    return [
        (f"{MODEL}.weight.v1.tar", gzip.decompress(layer(weights)), {PATH: "model/w.bin"}),
        (f"{MODEL}.weight.config.v1.tar+gzip", layer(tokenizer), {PATH: "cfg"}),
        (f"{MODEL}.doc.v1.raw", b"read me", {PATH: "README.md"}),
        ("application/vnd.cnai.model.doc.v1.raw", b"old", {"org.cnai.model.filepath": "OLD.md"}),
    ]


def test_a_model_comes_down_as_by_modctl(signed_in, tmp_path: Path) -> None:
    registry = signed_in()
    stored(registry, "model", f"{MODEL}.config.v1+json", b"{}", models(), f"{MODEL}.manifest.v1+json")
    pull_files(registry, "foreign/model:1", tmp_path / "to")
    found = {
        path.relative_to(tmp_path / "to").as_posix(): path.read_bytes()
        for path in tmp_path.rglob("*.*")
        if path.is_file()
    }
    assert found == {"model/w.bin": b"weights", "cfg/t.json": b"{}", "README.md": b"read me", "OLD.md": b"old"}
    assert has_mode(tmp_path / "to/model/w.bin", 0o755)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("../x", member("x")), ("a", member("b")), ("a", member("../a")), ("a", symlink("a", "/etc")),
        ("a", member("a") + member("a/b")), ("a/b", member("a")),
    ],
)  # fmt: skip
def test_a_models_tar_writes_only_its_path(signed_in, tmp_path: Path, path: str, content: bytes) -> None:
    registry = signed_in()
    tar = gzip.decompress(layer(content))
    stored(registry, "odd", f"{MODEL}.config.v1+json", b"{}", [(f"{MODEL}.code.v1.tar", tar, {PATH: path})])
    with pytest.raises(errors.UnsafeContentError):
        pull_files(registry, "foreign/odd:1", tmp_path / "to")
    assert not [found for found in tmp_path.rglob("*") if found.is_file() or found.is_symlink()]


@pytest.mark.parametrize(
    ("metadata", "mode"),
    [
        ('{"name": "a", "mode": 493}', "0755"), ('{"mode": 4294967295}', "0777"), ('{"mode": 420}', None),
        ('{"mode": "493"}', None), ("[]", None), ("no JSON", None), ('{"mode": 493.5}', None), ("", None),
    ],
)  # fmt: skip
def test_a_models_file_may_be_executable(signed_in, metadata: str, mode: str | None) -> None:
    registry = signed_in()
    annotations = {PATH: "run.sh", "org.cncf.model.file.metadata+json": metadata}
    layers = [(f"{MODEL}.code.v1.raw", b"run", annotations)]
    manifest = stored(registry, "mode", f"{MODEL}.config.v1+json", b"{}", layers)
    named = with_names(storage(registry, "foreign/mode"), registry.http.attempts(), ref("foreign/mode:1"), manifest)
    assert named.layers[0].annotations.get("io.acrartifact.file.mode") == mode


def nameless(registry, name: str, *types: str) -> None:
    """Store an image whose layers have *types*."""
    stored(registry, name, IMAGE, b'{"os": "linux"}', [(one, one.encode(), {}) for one in types])


def test_an_artifact_without_names_says_what_it_is(signed_in, tmp_path: Path) -> None:
    registry = signed_in()
    nameless(registry, "image", TAR, "application/x.a")
    with pytest.raises(errors.InvalidManifestError, match="holds no files") as raised:
        pull_files(registry, "foreign/image:1", tmp_path / "to")
    assert raised.value.why == f"it is a container image, whose layers have no file names ({TAR}, application/x.a)"
    assert "docker pull myregistry.azurecr.io/foreign/image:1" in raised.value.hint
    assert f"--media-type {TAR} --stdout" in raised.value.hint
    assert not (tmp_path / "to").exists()


def test_a_type_is_no_part_of_a_command(signed_in, tmp_path: Path) -> None:
    registry = signed_in()
    nameless(registry, "shell", "a/b; rm -rf ~", "a/$(id)", "x/y")
    with pytest.raises(errors.InvalidManifestError) as raised:
        pull_files(registry, "foreign/shell:1", tmp_path / "to")
    assert raised.value.hint.endswith("--media-type x/y --stdout > FILE")


def test_the_config_alone_can_be_had(signed_in, tmp_path: Path) -> None:
    registry = signed_in()
    nameless(registry, "config", TAR)
    result = pull_files(registry, "foreign/config:1", tmp_path / "to", config_path=str(tmp_path / "config.json"))
    assert (tmp_path / "config.json").read_bytes() == b'{"os": "linux"}'
    assert (list(result.files), len(result.skipped)) == ([], 1)


@pytest.mark.parametrize(
    ("types", "chosen"),
    [((TAR,), []), ((TAR, "application/x.a"), [TAR]), ((TAR, "application/x.a"), ["application/x.*"])],
)
def test_one_layer_without_a_name_goes_to_standard_output(signed_in, types: tuple[str, ...], chosen: list[str]) -> None:
    registry = signed_in()
    nameless(registry, "stdout", *types)
    order = PullOrder(ref("foreign/stdout:1"), ".", Selection.of(media_types=chosen))
    with read_one(registry, order, Progress()) as content:
        assert content.read() == (types[-1] if chosen[:1] != [TAR] else TAR).encode()


@pytest.mark.parametrize("selection", [{}, {"media_types": ["*"]}, {"media_types": [TAR], "include": ["a"]}])
def test_several_layers_are_not_mixed_on_standard_output(signed_in, selection: dict[str, list[str]]) -> None:
    registry = signed_in()
    nameless(registry, "several", TAR, "application/x.a")
    with pytest.raises(errors.InvalidManifestError, match="holds no files"):
        read_one(registry, PullOrder(ref("foreign/several:1"), ".", Selection.of(**selection)), Progress())
