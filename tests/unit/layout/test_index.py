"""index.json and oci-layout: parsed strictly, extended, and written the same each time."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from azext_acrartifact.errors import ArtifactError, InvalidManifestError
from azext_acrartifact.layout.index import INDEX_LIMIT, LayoutIndex, blob_name, check_marker, parse_index
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import Digest, digest_of
from azext_acrartifact.oci.mediatypes import IMAGE_MANIFEST

REF = "org.opencontainers.image.ref.name"


def found(text: str) -> Descriptor:
    """Return the descriptor of a manifest."""
    return Descriptor(IMAGE_MANIFEST, digest_of(text.encode()), len(text))


ONE, TWO, THREE = map(found, ("one", "two", "three"))


def item(descriptor: Descriptor, name: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a descriptor of an index.json."""
    annotations = {"annotations": {REF: name}} if name else {}
    return {**descriptor.to_json(), **annotations, **more}


def index_of(*items: dict[str, Any], **more: Any) -> LayoutIndex:
    """Parse an index.json with these descriptors."""
    return parse_index(json.dumps({"schemaVersion": 2, "manifests": list(items), **more}).encode(), "here")


def test_a_blobs_file_is_named_by_its_digest() -> None:
    assert blob_name(Digest("sha256:" + "a" * 64)) == "blobs/sha256/" + "a" * 64


@pytest.mark.parametrize("name", ["1.0", "localhost/samples/artifact:1.0", "samples:1.0"])
def test_a_tag_may_be_written_with_its_repository(name: str) -> None:
    assert index_of(item(ONE, name)).tags("here") == {"1.0": replace(ONE, annotations={REF: name})}


@pytest.mark.parametrize("name", ["", "a/b", "a b", "-", "x" * 129, "../../x", "a:b/c"])
def test_an_invalid_tag_is_ignored(name: str) -> None:
    index = index_of(item(ONE, name))
    assert index.tags("here") == {}
    assert [listed.digest for listed in index.untagged()] == [ONE.digest]


def test_an_artifact_with_a_tag_is_not_untagged() -> None:
    assert index_of(item(ONE), item(ONE, "1"), item(TWO)).untagged() == [TWO]


def test_a_tag_of_two_artifacts_is_refused() -> None:
    with pytest.raises(InvalidManifestError, match="names two artifacts"):
        index_of(item(ONE, "1"), item(TWO, "1")).tags("here")
    assert list(index_of(item(ONE, "1"), item(ONE, "1")).tags("here")) == ["1"]


def test_listed_artifacts_stay_when_others_are_added() -> None:
    before = index_of(item(ONE, "1", urls=["u"]), item(TWO, "2"), item(THREE), annotations={"made": "by hand"})
    after = before.with_artifacts({"1": TWO, "3": THREE}, [ONE, TWO])
    assert json.loads(after.encoded()) == {
        "schemaVersion": 2,
        "annotations": {"made": "by hand"},
        "manifests": [
            {**TWO.to_json(), "annotations": {REF: "1"}},
            {**TWO.to_json(), "annotations": {REF: "2"}},
            {**THREE.to_json(), "annotations": {REF: "3"}},
            ONE.to_json(),
        ],
    }
    odd = index_of(item(ONE, "1", annotations={REF: "1", "author": "☃"}))
    assert parse_index(odd.encoded(), "here") == odd
    again = index_of(item(ONE, "1", urls=["u"])).with_artifacts({"1": ONE, "2": ONE})
    assert [entry.fields.get("urls") for entry in again.entries] == [["u"], None]


def test_the_same_content_gives_the_same_bytes_in_any_order() -> None:
    one = LayoutIndex().with_artifacts({"b": ONE, "a": TWO}, [THREE])
    two = LayoutIndex().with_artifacts({"a": TWO}).with_artifacts({}, [THREE]).with_artifacts({"b": ONE}, [TWO])
    assert one.encoded() == two.encoded()
    assert one.lists_the_same(two)
    assert not one.lists_the_same(two.with_artifacts({"c": ONE}))
    assert parse_index(one.encoded(), "here").encoded() == one.encoded()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"schemaVersion":2,"manifests":{}}',
        b'{"schemaVersion":2,"manifests":[],"manifests":[]}',
        b'{"schemaVersion":2,"manifests":[],"layers":[]}',
        b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","manifests":[]}',
        json.dumps({"schemaVersion": 2, "manifests": [{**ONE.to_json(), "digest": "sha256:../../x"}]}).encode(),
        json.dumps({"schemaVersion": 2, "manifests": [{**ONE.to_json(), "digest": "md5:" + "a" * 32}]}).encode(),
        json.dumps({"schemaVersion": 2, "manifests": [{**ONE.to_json(), "size": -1}]}).encode(),
        b"[" * 100_000,
    ],
)
def test_a_wrong_index_is_refused(raw: bytes) -> None:
    with pytest.raises(ArtifactError):
        parse_index(raw, "here")


@pytest.mark.parametrize("odd", [1, None, [], ""])
def test_an_artifact_whose_tag_is_no_text_has_none(odd: object) -> None:
    raw = json.dumps({"schemaVersion": 2, "manifests": [{**ONE.to_json(), "annotations": {REF: odd}}]}).encode()
    assert parse_index(raw, "here").untagged() == [replace(ONE, annotations={REF: ""} if odd == "" else {})]


def test_an_index_that_is_too_long_is_not_written() -> None:
    many = {f"{number:0128}": ONE for number in range(INDEX_LIMIT // 300)}
    with pytest.raises(InvalidManifestError, match="too long"):
        LayoutIndex().with_artifacts(many).encoded()


def test_an_index_may_be_as_long_as_the_limit() -> None:
    room = INDEX_LIMIT - len(LayoutIndex(fields={"more": ""}).encoded())
    assert len(LayoutIndex(fields={"more": "x" * room}).encoded()) == INDEX_LIMIT
    with pytest.raises(InvalidManifestError, match="too long"):
        LayoutIndex(fields={"more": "x" * (room + 1)}).encoded()


@pytest.mark.parametrize("raw", [b'{"imageLayoutVersion": "1.0.0"}', b'{"imageLayoutVersion":"1.1.0","x":1}\n'])
def test_version_1_is_read(raw: bytes) -> None:
    check_marker(raw, "here")


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[]", b"1", b'{"imageLayoutVersion":1}', b'{"imageLayoutVersion":"2.0"}', b"[" * 4096]
)
def test_other_versions_are_not(raw: bytes) -> None:
    with pytest.raises(InvalidManifestError, match="version"):
        check_marker(raw, "here")
