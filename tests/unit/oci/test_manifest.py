"""Manifests, descriptors and digests: written as ORAS writes them, read strictly."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.errors import DigestMismatchError, InvalidInputError, InvalidManifestError, ProtocolError
from azext_acrartifact.layout.index import parse_index
from azext_acrartifact.oci.content import Chunk, Memory
from azext_acrartifact.oci.descriptor import Descriptor, empty_descriptor, parse_descriptor
from azext_acrartifact.oci.digest import Verifier, digest_of, is_digest, parse_digest, short
from azext_acrartifact.oci.index import build_index
from azext_acrartifact.oci.manifest import MANIFEST_LIMIT, build_manifest, parse_manifest
from azext_acrartifact.oci.mediatypes import DOCKER_LIST, DOCKER_MANIFEST, IMAGE_INDEX, IMAGE_MANIFEST, is_media_type
from azext_acrartifact.oci.referrers import tag_of

ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
ORAS = "application/vnd.cncf.oras.artifact.manifest.v1+json"
D = "sha256:" + "a" * 64


def blob(**changes: Any) -> dict[str, Any]:
    found = {"mediaType": "application/x", "digest": D, "size": 5, **changes}
    return {key: value for key, value in found.items() if value != "absent"}


def image(**changes: Any) -> dict[str, Any]:
    found = {"schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "config": blob(), "layers": [blob()], **changes}
    return {key: value for key, value in found.items() if value != "absent"}


def read(value: Any, kind: str = IMAGE_MANIFEST) -> Any:
    return parse_manifest(value if isinstance(value, bytes) else json.dumps(value).encode(), kind, "here")


def test_a_written_manifest_is_the_same_each_time_and_reads_back() -> None:
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


def test_a_manifest_that_no_registry_takes_is_not_built() -> None:
    layers = [Descriptor("text/plain", digest_of(b"x"), 1, {"t": "x" * 1000})] * 4000
    with pytest.raises(InvalidManifestError, match=str(MANIFEST_LIMIT)):
        build_manifest(empty_descriptor(), layers)


def test_the_largest_manifest_and_index_are_taken() -> None:
    """A registry takes four megabytes and no more (distribution specification, § Pushing Manifests)."""
    for build in (
        lambda note: build_manifest(empty_descriptor(), [], annotations=note),
        lambda note: build_index([], annotations=note),
    ):
        room = MANIFEST_LIMIT - len(build({"k": ""}).raw)
        assert len(build({"k": "x" * room}).raw) == MANIFEST_LIMIT
        with pytest.raises(InvalidManifestError, match=str(MANIFEST_LIMIT)):
            build({"k": "x" * (room + 1)})


def test_an_index_is_written_with_all_that_it_is_given() -> None:
    child = Descriptor(IMAGE_MANIFEST, digest_of(b"c"), 1, platform={"os": "linux", "architecture": "amd64"})
    subject = Descriptor(IMAGE_MANIFEST, digest_of(b"s"), 1)
    index = build_index([child], artifact_type="a/b", subject=subject, annotations={"b": "ü", "a": "1"})
    assert index.raw.decode() == (
        '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","artifactType":"a/b",'
        '"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"' + digest_of(b"c") + '",'
        '"size":1,"platform":{"os":"linux","architecture":"amd64"}}],"subject":{"mediaType":'
        '"application/vnd.oci.image.manifest.v1+json","digest":"' + digest_of(b"s") + '","size":1},'
        '"annotations":{"a":"1","b":"ü"}}'
    )
    assert read(index.raw, IMAGE_INDEX) == index
    assert build_index([]).raw == b'{"schemaVersion":2,"mediaType":"' + IMAGE_INDEX.encode() + b'","manifests":[]}'


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="not text in UTF-8"):
        build_manifest(empty_descriptor(), [], annotations={"k": "\udcff"})
    listed = parse_descriptor(blob(annotations={"k": "\ud800"}), "a registry's list")
    with pytest.raises(InvalidManifestError, match="not text in UTF-8"):
        build_index([listed])
    with pytest.raises(InvalidManifestError, match="not text in UTF-8"):
        parse_index(json.dumps({"schemaVersion": 2, "manifests": [listed.to_json()]}).encode(), "here").encoded()


@pytest.mark.parametrize(
    ("declared", "config", "expected"),
    [("a/b", "c/d", "a/b"), (None, "c/d", "c/d"), (None, "application/vnd.oci.empty.v1+json", None)],
)
def test_the_artifact_type_comes_from_its_field_or_the_config(declared, config, expected) -> None:
    assert read(image(artifactType=declared, config=blob(mediaType=config))).artifact_type == expected


@pytest.mark.parametrize("kind", [ARTIFACT, ORAS])
def test_the_withdrawn_artifact_manifests_are_read(kind: str) -> None:
    found = read({"mediaType": kind, "artifactType": "a/b", "blobs": [blob()], "subject": blob()}, kind)
    assert (len(found.layers), found.config, found.artifact_type) == (1, None, "a/b")
    empty = read({"mediaType": kind}, kind)
    assert (empty.layers, empty.artifact_type) == ((), None)


@pytest.mark.parametrize("kind", [IMAGE_INDEX, DOCKER_LIST])
def test_an_index_lists_manifests(kind: str) -> None:
    found = read({"schemaVersion": 2, "manifests": [blob(platform={"os": "linux", "features": ["x"]})]}, kind)
    assert found.is_index
    assert found.manifests[0].platform == {"os": "linux"}
    assert found.size == 0


def test_a_docker_manifest_and_a_content_type_with_parameters_are_read() -> None:
    assert read(image(mediaType=DOCKER_MANIFEST), DOCKER_MANIFEST + "; charset=utf-8").media_type == DOCKER_MANIFEST
    assert read(image(mediaType="absent")).media_type == IMAGE_MANIFEST


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"null",
        b"{}",
        b"[]",
        b"5",
        b'"x"',
        b"\xff",
        b"{",
        b"[" * 100_000,
        b'{"schemaVersion":' + b"9" * 5000 + b"}",
        b'{"schemaVersion":2,"schemaVersion":2}',
        b'{"schemaVersion":NaN}',
        b'{"schemaVersion":Infinity}',
        json.dumps(image()).encode("utf-16"),
        json.dumps(image()).encode("utf-32-le"),
        b"\xef\xbb\xbf" + json.dumps(image()).encode(),
        json.dumps(image(more="\xff"), ensure_ascii=False).encode("latin-1"),
        json.dumps(image(more=float("nan"))).encode(),
        image(schemaVersion=2.0),
        image(schemaVersion=1),
        image(schemaVersion=True),
        image(schemaVersion="2"),
        image(schemaVersion="absent"),
        image(mediaType=IMAGE_INDEX),
        image(mediaType=DOCKER_MANIFEST),
        image(mediaType=5),
        image(mediaType=""),
        image(manifests=[]),
        image(manifests=None),
        image(layers="absent"),
        image(layers=None),
        image(layers={}),
        image(layers=[None]),
        image(layers=["x"]),
        image(layers=[[]]),
        image(config="absent"),
        image(config=None),
        image(config=[]),
        image(annotations=[]),
        image(annotations={"a": 1}),
        image(annotations={"a": None}),
        image(artifactType=5),
        image(subject=[]),
        image(subject={}),
        *[
            image(layers=[blob(**bad)])
            for bad in (
                {"size": True},
                {"size": -1},
                {"size": 1.0},
                {"size": "5"},
                {"size": None},
                {"size": "absent"},
                {"size": 2**63},
                {"size": 10**400},
                {"mediaType": ""},
                {"mediaType": 5},
                {"mediaType": "absent"},
                {"digest": "absent"},
                {"digest": "md5:" + "a" * 32},
                {"digest": "sha256:" + "A" * 64},
                {"digest": "sha256:../../x"},
                {"digest": D + "\n"},
                {"digest": 5},
                {"digest": None},
                {"annotations": {"a": 1}},
                {"annotations": "x"},
                {"data": "%%"},
                {"data": 5},
                {"data": True},
                {"data": []},
                {"platform": "linux"},
                {"artifactType": 5},
            )
        ],
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_can_be_read_in_two_ways_is_not_read(value: Any) -> None:
    with pytest.raises(InvalidManifestError) as caught:
        read(value)
    assert len(caught.value.message) < 2000


@pytest.mark.parametrize(
    "value",
    [
        {"layers": []},
        {"config": blob()},
        {"blobs": []},
        {"manifests": "absent"},
        {"manifests": None},
        {"manifests": [5]},
    ],
)
def test_an_index_with_something_else_is_not_read(value: dict[str, Any]) -> None:
    whole = {"schemaVersion": 2, "manifests": [], **value}
    with pytest.raises(InvalidManifestError):
        read({key: item for key, item in whole.items() if item != "absent"}, IMAGE_INDEX)


@pytest.mark.parametrize(
    "kind", ["", "text/html", "application/json", "application/vnd.docker.distribution.manifest.v1+json"]
)
def test_another_type_is_not_read(kind: str) -> None:
    with pytest.raises(InvalidManifestError, match="its type is"):
        read(image(mediaType="absent"), kind)


def test_duplicate_keys_are_refused_at_every_depth() -> None:
    raw = json.dumps(image()).replace('"size": 5', '"size": 5, "size": 6').encode()
    with pytest.raises(InvalidManifestError, match="twice"):
        read(raw)


def test_a_lone_surrogate_in_a_title_does_not_break_the_reading() -> None:
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


def test_data_is_decoded() -> None:
    assert parse_descriptor(blob(data="e30="), "here").data == b"{}"
    for bad in ("e30", "e30=\u00e9", "\u0665"):
        with pytest.raises(InvalidManifestError, match="base64"):
            parse_descriptor(blob(data=bad), "here")


@pytest.mark.parametrize("size", [0, 2**63 - 1])
def test_the_least_and_the_largest_size_are_taken(size: int) -> None:
    assert parse_descriptor(blob(size=size), "here").size == size


def test_an_empty_type_is_none_and_no_bytes_are_shown() -> None:
    assert parse_descriptor(blob(artifactType=""), "here").artifact_type is None
    assert "schemaVersion" not in repr(read(image()))


_annotations = st.dictionaries(st.text(max_size=5), st.text(st.characters(codec="utf-8"), max_size=9), max_size=3)
_descriptors = st.builds(
    Descriptor,
    st.sampled_from(["text/plain", "application/vnd.oci.image.layer.v1.tar"]),
    st.binary(max_size=3).map(digest_of),
    st.integers(0, 2**63 - 1),
    _annotations,
    st.none() | st.binary(max_size=5),
    st.none() | st.just("a/b"),
    st.none()
    | st.dictionaries(st.sampled_from(["os", "architecture", "variant"]), st.text("abc", min_size=1), min_size=1),
)


@given(_descriptors)
def test_every_descriptor_reads_back(descriptor: Descriptor) -> None:
    assert parse_descriptor(json.loads(json.dumps(descriptor.to_json())), "here") == descriptor


@given(_descriptors, st.lists(_descriptors, max_size=3), st.none() | _descriptors, _annotations)
def test_every_manifest_and_index_reads_back(config, layers, subject, annotations) -> None:
    built = build_manifest(config, layers, artifact_type="a/b", subject=subject, annotations=annotations)
    assert (built.config, list(built.layers), built.subject) == (config, layers, subject)
    assert dict(built.annotations) == annotations
    index = build_index(layers, subject=subject, annotations=annotations)
    assert (list(index.manifests), index.subject, index.is_index) == (layers, subject, True)


@pytest.mark.parametrize("text", [None, 5, "", "sha256:", D.upper(), D + "0", f" {D}", "sha1:" + "a" * 40])
def test_what_is_no_digest_is_refused(text: object) -> None:
    assert not (isinstance(text, str) and is_digest(text))
    with pytest.raises(ProtocolError, match="Not a digest"):
        parse_digest(text, "here")


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_bytes_are_verified(algorithm: str) -> None:
    digest = parse_digest(f"{algorithm}:{hashlib.new(algorithm, b'hello').hexdigest()}")
    right = Verifier(digest, 5)
    right.update(b"he")
    right.update(memoryview(b"llo"))
    right.finish()
    wrong = Verifier(digest, 5)
    wrong.update(b"jello")
    with pytest.raises(DigestMismatchError, match="not the right ones"):
        wrong.finish()


def test_fewer_and_more_bytes_are_told_apart() -> None:
    few = Verifier(digest_of(b"hello"), 5)
    few.update(b"hell")
    with pytest.raises(DigestMismatchError, match="4 of 5"):
        few.finish()
    many = Verifier(digest_of(b"hello"), 5)
    with pytest.raises(DigestMismatchError, match="More bytes"):
        many.update(b"hello!")


def test_small_things() -> None:
    assert (empty_descriptor().data, empty_descriptor(with_data=False).data) == (b"{}", None)
    assert short(D) == "a" * 12
    assert tag_of(digest_of(b"")) == digest_of(b"").replace(":", "-")
    with Chunk(Memory(b"0123456789"), 3, 4).open() as reader:
        assert reader.read() == b"3456"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("text/plain", True),
        ("application/vnd.a.b-c+json", True),
        ("text", False),
        ("text/", False),
        ("/plain", False),
        ("text/plain; a=b", False),
        ("a/b/c", False),
        ("", False),
        ("text/plain\n", False),
        ("a/" + "b" * 128, False),
    ],
)
def test_media_types(text: str, is_one: bool) -> None:
    assert is_media_type(text) is is_one
