"""Manifests: written as oras writes them, and read as far as they are not ambiguous."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.errors import InvalidInputError, InvalidManifestError
from azext_acrartifact.oci.descriptor import Descriptor, parse_descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.manifest import MANIFEST_LIMIT, build_manifest, parse_manifest
from azext_acrartifact.oci.mediatypes import DOCKER_MANIFEST, IMAGE_INDEX, IMAGE_MANIFEST
from tests.support.descriptors import empty_descriptor
from tests.unit.oci.samples import D, annotations, blob, descriptors

ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
ORAS = "application/vnd.cncf.oras.artifact.manifest.v1+json"


def image(**changes: Any) -> dict[str, Any]:
    found = {"schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "config": blob(), "layers": [blob()], **changes}
    return {key: value for key, value in found.items() if value != "absent"}


def read(value: Any, kind: str = IMAGE_MANIFEST) -> Any:
    return parse_manifest(value if isinstance(value, bytes) else json.dumps(value).encode(), kind, "here")


def test_the_same_manifest_has_the_same_bytes_and_is_parsed_back() -> None:
    layer = Descriptor("text/plain", digest_of(b"x"), 1, {"b": "2", "a": "ü"})
    one = build_manifest(empty_descriptor(), [layer], artifact_type="a/b", annotations={"z": "1", "y": "2"})
    two = build_manifest(empty_descriptor(), [layer], artifact_type="a/b", annotations={"y": "2", "z": "1"})
    assert one.raw == two.raw
    assert one.raw.decode() == (
        '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"a/b",'
        '"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"' + digest_of(b"{}") + '","size":2,'
        '"data":"e30="},"layers":[{"mediaType":"text/plain","digest":"' + digest_of(b"x") + '","size":1,'
        '"annotations":{"a":"ü","b":"2"}}],"annotations":{"y":"2","z":"1"}}'
    )
    assert one == read(one.raw)
    assert one.descriptor == Descriptor(IMAGE_MANIFEST, digest_of(one.raw), len(one.raw))
    assert (one.artifact_type, one.size, one.is_index) == ("a/b", 3, False)


def test_a_subject_and_a_platform_are_written() -> None:
    subject = Descriptor(IMAGE_MANIFEST, digest_of(b"s"), 1, platform={"os": "linux"}, artifact_type="c/d")
    built = build_manifest(empty_descriptor(), [], subject=subject)
    assert read(built.raw).subject == subject


def test_the_largest_manifest_has_four_mebibytes() -> None:
    """Registries accept no more (distribution specification, § Pushing Manifests)."""
    room = MANIFEST_LIMIT - len(build_manifest(empty_descriptor(), [], annotations={"k": ""}).raw)
    assert len(build_manifest(empty_descriptor(), [], annotations={"k": "x" * room}).raw) == MANIFEST_LIMIT
    with pytest.raises(InvalidManifestError, match=str(MANIFEST_LIMIT)):
        build_manifest(empty_descriptor(), [], annotations={"k": "x" * (room + 1)})


def test_a_lone_surrogate_is_not_written() -> None:
    with pytest.raises(InvalidInputError, match="not valid UTF-8"):
        build_manifest(empty_descriptor(), [], annotations={"k": "\udcff"})


@pytest.mark.parametrize(
    ("declared", "config", "expected"),
    [("a/b", "c/d", "a/b"), (None, "c/d", "c/d"), (None, "application/vnd.oci.empty.v1+json", None)],
)
def test_the_artifact_type_is_that_of_the_manifest_or_of_the_config(declared, config, expected) -> None:
    assert read(image(artifactType=declared, config=blob(mediaType=config))).artifact_type == expected


@pytest.mark.parametrize("kind", [ARTIFACT, ORAS])
def test_the_withdrawn_artifact_manifests_are_read(kind: str) -> None:
    found = read({"mediaType": kind, "artifactType": "a/b", "blobs": [blob()], "subject": blob()}, kind)
    assert (len(found.layers), found.config, found.artifact_type) == (1, None, "a/b")
    empty = read({"mediaType": kind}, kind)
    assert (empty.layers, empty.artifact_type) == ((), None)


def test_a_docker_manifest_and_a_content_type_with_parameters_are_read() -> None:
    assert read(image(mediaType=DOCKER_MANIFEST), DOCKER_MANIFEST + "; charset=utf-8").media_type == DOCKER_MANIFEST
    assert read(image(mediaType="absent")).media_type == IMAGE_MANIFEST


@pytest.mark.parametrize(
    "value",
    [
        b"", b"null", b"{}", b"[]", b"5", b'"x"', b"\xff", b"{", b"[" * 100_000,
        b'{"schemaVersion":' + b"9" * 5000 + b"}", b'{"schemaVersion":2,"schemaVersion":2}', b'{"schemaVersion":NaN}',
        b'{"schemaVersion":Infinity}', json.dumps(image()).encode("utf-16"), json.dumps(image()).encode("utf-32-le"),
        b"\xef\xbb\xbf" + json.dumps(image()).encode(),
        json.dumps(image(more="\xff"), ensure_ascii=False).encode("latin-1"),
        json.dumps(image(more=float("nan"))).encode(), image(schemaVersion=2.0), image(schemaVersion=1),
        image(schemaVersion=True), image(schemaVersion="2"), image(schemaVersion="absent"),
        image(mediaType=IMAGE_INDEX), image(mediaType=DOCKER_MANIFEST), image(mediaType=5),
        image(manifests=[]), image(layers={}), image(layers=0), image(layers=""), image(layers=False),
        image(layers=[None]), image(layers=["x"]), image(layers=[[]]), image(config=[]), image(config={}),
        image(subject=[]), image(subject={}), image(artifactType="a\n"), image(artifactType="a" * 256),
        *[
            image(layers=[blob(**bad)])
            for bad in (
                {"size": True}, {"size": -1}, {"size": 1.0}, {"size": "5"}, {"size": None}, {"size": "absent"},
                {"size": 2**63}, {"size": 10**400}, {"mediaType": "a\n"},
                {"digest": "absent"}, {"digest": "md5:" + "a" * 32}, {"digest": "sha256:" + "A" * 64},
                {"digest": "sha256:../../x"}, {"digest": D + "\n"}, {"digest": 5}, {"digest": None},
            )
        ],
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_an_ambiguous_or_invalid_manifest_is_refused(value: Any) -> None:
    with pytest.raises(InvalidManifestError) as caught:
        read(value)
    assert len(caught.value.message) < 2000


@pytest.mark.parametrize(
    "odd",
    [
        {"mediaType": ""}, {"mediaType": None}, {"mediaType": "absent"}, {"manifests": None}, {"blobs": None},
        {"annotations": None}, {"annotations": []}, {"annotations": "x"}, {"annotations": {"a": None, "b": 1}},
        {"artifactType": ""}, {"artifactType": None}, {"artifactType": 5}, {"subject": None},
        {"unknown": {"a": [1]}, "urls": None},
        *[
            {"layers": [blob(**odd)]}
            for odd in (
                {"mediaType": ""}, {"mediaType": None}, {"mediaType": 5}, {"mediaType": "absent"},
                {"annotations": None}, {"annotations": {"a": 1}}, {"annotations": "x"}, {"annotations": []},
                {"data": "%%"}, {"data": 5}, {"data": None}, {"platform": "linux"}, {"platform": {"os": None}},
                {"artifactType": 5}, {"urls": None}, {"unknown": {"a": [1]}},
            )
        ],
    ],
    ids=str,
)  # fmt: skip
def test_an_odd_member_counts_as_absent(odd: dict[str, Any]) -> None:
    found = read(image(**odd))
    assert ([layer.digest for layer in found.layers], found.subject, found.annotations) == ([D], None, {})
    assert (found.media_type, found.declared_artifact_type) == (IMAGE_MANIFEST, None)
    assert found.layers[0].annotations == {}
    assert not found.layers[0].platform
    assert found.layers[0].data is None
    assert found.layers[0].media_type in ("application/x", "")
    assert found.layers[0].name in ("application/x", "a" * 12)


@pytest.mark.parametrize("absent", ["absent", None])
def test_a_manifest_may_have_no_config_and_no_layers(absent: object) -> None:
    for kind in (IMAGE_MANIFEST, DOCKER_MANIFEST):
        found = read(image(mediaType=kind, config=absent, layers=absent), kind)
        assert (found.config, found.layers, found.size, found.artifact_type) == (None, (), 0, None)
    assert read(image(config=blob(mediaType=""))).artifact_type is None


@pytest.mark.parametrize("name", ["manifest_layers_null.json", "manifest_mediatype_empty.json"])
def test_the_recorded_manifests_are_read(name: str) -> None:
    found = read((Path(__file__).parents[2] / "recorded" / name).read_bytes())
    assert (found.layers, found.artifact_type) == ((), "application/vnd.acme.rocket.config")


def test_what_is_written_has_all_types() -> None:
    odd = read(image(layers=[blob(mediaType="")])).layers[0]
    for parts in ({"config": odd}, {"layers": [odd]}, {"subject": odd}):
        with pytest.raises(InvalidManifestError, match="without a media type"):
            build_manifest(**{"config": empty_descriptor(), "layers": [], **parts})


@pytest.mark.parametrize(
    "kind", ["", "text/html", "application/json", "application/vnd.docker.distribution.manifest.v1+json"]
)
def test_another_type_is_refused(kind: str) -> None:
    with pytest.raises(InvalidManifestError, match="its type is"):
        read(image(mediaType="absent"), kind)


def test_duplicate_keys_are_refused_at_every_depth() -> None:
    raw = json.dumps(image()).replace('"size": 5', '"size": 5, "size": 6').encode()
    with pytest.raises(InvalidManifestError, match="twice"):
        read(raw)


def test_a_lone_surrogate_in_a_title_is_accepted() -> None:
    found = read(image(layers=[blob(annotations={"org.opencontainers.image.title": "\ud800"})]))
    assert found.layers[0].title == "\ud800"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["schemaVersion", "mediaType", "config", "layers", "digest", "size", "annotations"]),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_read_or_refused(value: Any) -> None:
    for attempt in (lambda: read(value), lambda: parse_descriptor(value, "here")):
        try:
            attempt()
        except InvalidManifestError:
            pass


def test_a_manifests_bytes_are_not_in_its_repr() -> None:
    assert "schemaVersion" not in repr(read(image()))


@given(descriptors, st.lists(descriptors, max_size=3), st.none() | descriptors, annotations)
def test_every_manifest_survives_a_round_trip(config, layers, subject, notes) -> None:
    built = build_manifest(config, layers, artifact_type="a/b", subject=subject, annotations=notes)
    assert (built.config, list(built.layers), built.subject) == (config, layers, subject)
    assert dict(built.annotations) == notes
