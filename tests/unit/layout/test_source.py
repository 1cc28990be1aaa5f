"""Manifests of a layout: their tags, types and referrers."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from azext_acrartifact.errors import InvalidManifestError, NotFoundError
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.mediatypes import DOCKER_MANIFEST, IMAGE_INDEX, IMAGE_MANIFEST
from tests.unit.layout.layouts import (
    CONFIG,
    LAYER,
    MANIFEST,
    TAGGED,
    blob_of,
    content_of,
    described,
    layout,
    name_of,
    put,
    source,
)

REF = "org.opencontainers.image.ref.name"


def index_of(*items: dict[str, object]) -> bytes:
    """Return an `index.json`, or an index, of *items*."""
    return json.dumps({"schemaVersion": 2, "manifests": items}).encode()


def tagged(content: bytes, tag: str, kind: str = IMAGE_MANIFEST) -> dict[str, object]:
    """Return the descriptor of the manifest *content* under *tag*."""
    return {**described(content, kind), "annotations": {REF: tag}}


def test_a_manifest_has_the_digest_of_its_file_name(tmp_path: Path) -> None:
    long = digest_of(MANIFEST, "sha512")
    files = layout() | {"blobs/" + long.replace(":", "/"): MANIFEST}
    with contextlib.closing(source(put(tmp_path / "layout", files))) as found:
        assert found.manifest(long).digest == long
        assert found.manifest(digest_of(MANIFEST)).digest == digest_of(MANIFEST)


def test_a_tag_is_resolved_without_reading_its_manifest(tmp_path: Path) -> None:
    with contextlib.closing(source(put(tmp_path / "layout", layout(manifest=None)))) as found:
        named = found.resolve("1.0")
        assert named is not None
        assert (named.digest, named.annotations) == (digest_of(MANIFEST), {REF: "1.0"})
        assert found.resolve(digest_of(MANIFEST)) is None
        with pytest.raises(NotFoundError, match="no such artifact"):
            found.manifest("1.0")


@pytest.mark.parametrize(
    ("count", "hint"),
    [
        (1, "t0"),
        (5, "t0, t1, t2, t3, t4"),
        (7, "t0, t1, t2, t3, t4 and 2 more"),
    ],
)
def test_an_unknown_tag_names_those_that_exist(tmp_path: Path, count: int, hint: str) -> None:
    list_tag = tagged(MANIFEST, f"sha256-{'a' * 64}")
    items = [list_tag, *(tagged(MANIFEST, f"t{number}") for number in range(count))]
    with contextlib.closing(source(put(tmp_path / "layout", layout(index=index_of(*items))))) as found:
        with pytest.raises(NotFoundError) as raised:
            found.manifest("2.0")
    assert raised.value.hint == f"Name the artifact by --source-tag: {hint}"


@pytest.mark.parametrize("listed", [True, False])
def test_an_artifact_without_a_tag_is_named_by_its_digest(tmp_path: Path, listed: bool) -> None:
    items = [{**described(MANIFEST), "mediaType": IMAGE_MANIFEST}] if listed else []
    with contextlib.closing(source(put(tmp_path / "layout", layout(index=index_of(*items))))) as found:
        with pytest.raises(NotFoundError) as raised:
            found.manifest("1.0")
    digest = f"Name the artifact by --source-tag: {digest_of(MANIFEST)}"
    assert raised.value.hint == (digest if listed else "Make a new backup.")
    assert raised.value.why == ("its artifacts have no tags" if listed else "it lists no artifact")


def without_type(**more: object) -> bytes:
    """Return a manifest without a media type; *more* makes it another one."""
    return json.dumps({"schemaVersion": 2, "config": described(CONFIG), "layers": [], **more}).encode()


def test_a_manifests_type_is_the_one_that_it_is_listed_with(tmp_path: Path) -> None:
    child, stray = without_type(), without_type(annotations={"stray": "yes"})
    parent = index_of(described(child, DOCKER_MANIFEST))
    own = without_type(mediaType=DOCKER_MANIFEST)
    listed = [tagged(parent, "parent", IMAGE_INDEX), tagged(MANIFEST, "wrong", DOCKER_MANIFEST)]
    contents = {name_of(content): content for content in (child, stray, parent, own)}
    path = put(tmp_path / "layout", {**layout(index=index_of(*listed)), **contents})
    with contextlib.closing(source(path)) as found:
        assert found.manifest("parent").media_type == IMAGE_INDEX
        assert found.manifest(digest_of(child)).media_type == DOCKER_MANIFEST, "by its parent"
        assert found.manifest(digest_of(stray)).media_type == IMAGE_MANIFEST, "by default"
        assert found.manifest(digest_of(own)).media_type == DOCKER_MANIFEST, "by its own mediaType"
        with pytest.raises(InvalidManifestError, match="not the one announced"):
            found.manifest("wrong")
    with contextlib.closing(source(path)) as found:
        assert found.manifest(digest_of(parent)).media_type == IMAGE_INDEX
    stray_index = put(tmp_path / "other", {**layout(), name_of(parent): parent})
    with contextlib.closing(source(stray_index)) as found:
        assert found.manifest(digest_of(parent)).media_type == IMAGE_INDEX, "by its members"


@pytest.mark.parametrize("raw", [b"", b"\xff", b"[]", b"1", b'"manifests"', b"[" * 100_000])
def test_a_file_without_a_descriptor_may_be_no_manifest(tmp_path: Path, raw: bytes) -> None:
    with contextlib.closing(source(put(tmp_path / "layout", {**layout(), name_of(raw): raw}))) as found:
        with pytest.raises(InvalidManifestError):
            found.manifest(digest_of(raw))


def test_an_index_under_a_tag_is_no_list_of_referrers(tmp_path: Path) -> None:
    """Only an index under the tag of a subject's digest is one; any other index may have a subject itself."""
    note = json.dumps(
        {"schemaVersion": 2, "config": described(CONFIG), "layers": [], "subject": described(MANIFEST, IMAGE_MANIFEST)}
    ).encode()
    sums = json.dumps({"schemaVersion": 2, "manifests": [], "subject": described(MANIFEST, IMAGE_MANIFEST)}).encode()
    items = [TAGGED, tagged(sums, "sums", IMAGE_INDEX), tagged(index_of(described(note)), "notes", IMAGE_INDEX)]
    contents = {name_of(content): content for content in (note, sums, index_of(described(note)))}
    files = {**layout(index=index_of(*items)), **contents}
    with contextlib.closing(source(put(tmp_path / "layout", files))) as found:
        assert [item.digest for item in found.referrers(digest_of(MANIFEST))] == [digest_of(sums)]


def test_a_range_of_a_blob_is_read(tmp_path: Path) -> None:
    with contextlib.closing(source(put(tmp_path / "layout", layout()))) as found:
        blob = blob_of(LAYER)
        assert content_of(found, blob, 4) == LAYER[4:]
        with contextlib.closing(found.fetch(blob, 2, 3)) as stream:
            buffer = memoryview(bytearray(100))
            assert (stream.offset, bytes(buffer[: stream.readinto(buffer)])) == (2, LAYER[2:5])
            assert stream.readinto(buffer) == 0
