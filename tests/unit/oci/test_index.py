"""Indexes: written as oras writes them, and read as far as they are not ambiguous."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.errors import InvalidManifestError
from azext_acrartifact.layout.index import parse_index
from azext_acrartifact.oci.descriptor import Descriptor, parse_descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.index import build_index
from azext_acrartifact.oci.manifest import MANIFEST_LIMIT, is_manifest, parse_manifest
from azext_acrartifact.oci.mediatypes import DOCKER_LIST, IMAGE_INDEX, IMAGE_MANIFEST
from tests.unit.oci.samples import annotations, blob, descriptors


def test_an_index_is_written_with_every_key() -> None:
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
    assert parse_manifest(index.raw, IMAGE_INDEX, "here") == index
    assert build_index([]).raw == b'{"schemaVersion":2,"mediaType":"' + IMAGE_INDEX.encode() + b'","manifests":[]}'


def test_the_largest_index_has_four_mebibytes() -> None:
    room = MANIFEST_LIMIT - len(build_index([], annotations={"k": ""}).raw)
    assert len(build_index([], annotations={"k": "x" * room}).raw) == MANIFEST_LIMIT
    with pytest.raises(InvalidManifestError, match=str(MANIFEST_LIMIT)):
        build_index([], annotations={"k": "x" * (room + 1)})


def test_a_lone_surrogate_is_not_written() -> None:
    listed = parse_descriptor(blob(annotations={"k": "\ud800"}), "a registry's list")
    with pytest.raises(InvalidManifestError, match="not valid UTF-8"):
        build_index([listed])
    with pytest.raises(InvalidManifestError, match="not valid UTF-8"):
        parse_index(json.dumps({"schemaVersion": 2, "manifests": [listed.to_json()]}).encode(), "here").encoded()


@pytest.mark.parametrize("kind", [IMAGE_INDEX, DOCKER_LIST])
def test_an_index_lists_manifests(kind: str) -> None:
    raw = json.dumps({"schemaVersion": 2, "manifests": [blob(platform={"os": "linux", "features": ["x"]})]}).encode()
    found = parse_manifest(raw, kind, "here")
    assert found.is_index
    assert found.manifests[0].platform == {"os": "linux"}
    assert found.size == 0


@pytest.mark.parametrize(
    "value",
    [{"layers": []}, {"config": blob()}, {"blobs": []}, {"manifests": {}}, {"manifests": 0},
     {"manifests": [5]}],
)  # fmt: skip
def test_an_invalid_index_is_refused(value: dict[str, Any]) -> None:
    whole = {"schemaVersion": 2, "manifests": [], **value}
    raw = json.dumps({key: item for key, item in whole.items() if item != "absent"}).encode()
    with pytest.raises(InvalidManifestError):
        parse_manifest(raw, IMAGE_INDEX, "here")


@pytest.mark.parametrize(
    "odd", [{}, {"manifests": None}, {"manifests": [], "layers": None, "config": None, "blobs": None, "mediaType": ""}]
)
def test_an_index_may_list_nothing(odd: dict[str, Any]) -> None:
    raw = json.dumps({"schemaVersion": 2, **odd}).encode()
    assert parse_manifest(raw, IMAGE_INDEX, "here").manifests == ()
    written = json.loads(parse_index(raw, "here").encoded())
    assert {key: value for key, value in written.items() if not value} == {"manifests": []}


def test_a_child_without_a_type_is_a_manifest_and_is_not_written() -> None:
    raw = json.dumps({"schemaVersion": 2, "manifests": [blob(mediaType="")]}).encode()
    child = parse_manifest(raw, IMAGE_INDEX, "here").manifests[0]
    assert is_manifest(child)
    for parts in ({"manifests": [child]}, {"manifests": [], "subject": child}):
        with pytest.raises(InvalidManifestError, match="without a media type"):
            build_index(**parts)


@given(st.lists(descriptors, max_size=3), st.none() | descriptors, annotations)
def test_every_index_survives_a_round_trip(manifests, subject, notes) -> None:
    index = build_index(manifests, subject=subject, annotations=notes)
    assert (list(index.manifests), index.subject, index.is_index) == (manifests, subject, True)
    assert dict(index.annotations) == notes
