"""Manifests: pull, push, delete (OCI distribution specification), with ACR's strictness."""

from __future__ import annotations

import json
from typing import Any

import pytest

from acr_emulator.registry.errors import RegistryError
from acr_emulator.registry.manifest_content import parse_manifest
from tests.emulator.registry.peer import (
    EMPTY_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Cloud,
    Peer,
    descriptor,
    image,
    index,
    sha256,
    sha512,
)

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
ORAS = "application/vnd.cncf.oras.artifact.manifest.v1+json"
NONE = sha256(b"none")


def content(peer: Peer, **members: Any) -> bytes:
    """Upload two blobs and return a valid manifest of them."""
    value = {**image(peer.blob(EMPTY_CONFIG), peer.blob(b"text"), 4), **members}
    return json.dumps({name: member for name, member in value.items() if member is not ...}).encode()


def test_push_and_pull_by_tag_and_digest(peer: Peer) -> None:
    body = content(peer)
    pushed = peer.put("1", body)
    assert (pushed.status, pushed.headers.get("Docker-Content-Digest")) == (201, sha256(body))
    assert pushed.location == f"/v2/a/manifests/{sha256(body)}"
    assert pushed.headers.get("OCI-Subject") is None
    for reference in ("1", sha256(body)):
        for method in ("GET", "HEAD"):
            response = peer.get(reference, method=method)
            assert (response.status, response.body) == (200, body)
            assert response.headers.get("Content-Type") == OCI_MANIFEST
            assert response.headers.get("Docker-Content-Digest") == sha256(body)


def test_push_by_digest_makes_no_tag(peer: Peer) -> None:
    digest = peer.artifact(None)
    assert peer.get(digest).status == 200
    assert peer.v2("GET", "tags/list").json == {"name": "a", "tags": []}
    assert "tags" not in peer.acr("GET", f"/_manifests/{digest}").json["manifest"]


def test_push_by_another_digest(peer: Peer) -> None:
    body = content(peer)
    response = peer.put(NONE, body)
    assert (response.status, response.code) == (400, "DIGEST_INVALID")
    assert peer.put(sha512(body), body).headers.get("Docker-Content-Digest") == sha512(body)
    assert peer.get(sha512(body)).body == body
    assert peer.get(sha256(body)).status == 404


@pytest.mark.parametrize("tag", [".a", "-a", "a" * 129, "ä", "a b"])
def test_an_invalid_tag(peer: Peer, tag: str) -> None:
    assert peer.put(tag, content(peer)).code == "TAG_INVALID"
    response = peer.get(tag)
    assert (response.status, response.code) == (404, "NAME_UNKNOWN")


def test_missing_manifests(peer: Peer) -> None:
    assert peer.get("1").json["errors"][0] == {
        "code": "NAME_UNKNOWN", "message": "repository name not known to registry", "detail": {"name": "a"},
    }  # fmt: skip
    peer.artifact("1")
    by_tag, by_digest = (peer.get(reference).json["errors"][0] for reference in ("2", NONE))
    assert by_tag.pop("code") == by_digest.pop("code") == "MANIFEST_UNKNOWN"
    assert by_tag == {"message": 'manifest tagged by "2" is not found', "detail": {"Name": "a", "Tag": "2"}}
    assert by_digest == {"message": f"manifest {NONE} is not found", "detail": {"Name": "a", "Revision": NONE}}
    assert peer.get("sha256:00").code == "DIGEST_INVALID"


class TestAccept:
    @pytest.mark.parametrize("accept", ["", "*/*", "application/*", DOCKER, f"{OCI_INDEX}, application/json"])
    def test_the_type_must_be_named(self, cloud: Cloud, peer: Peer, accept: str) -> None:
        digest = peer.artifact("1")
        response = peer.get("1", accept)
        message = "OCI manifest found, but accept header does not support OCI manifests"
        assert (response.status, response.json) == (404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": message}]})
        cloud.world.strict_accept = False
        assert peer.get("1", accept).headers.get("Docker-Content-Digest") == digest

    @pytest.mark.parametrize("accept", [f"*/*, {OCI_MANIFEST}", f"{DOCKER},{OCI_MANIFEST};q=0.5"])
    def test_among_others(self, peer: Peer, accept: str) -> None:
        peer.artifact("1")
        assert peer.get("1", accept).status == 200

    def test_each_kind_has_its_message(self, peer: Peer) -> None:
        peer.manifest("i", index())
        peer.manifest("b", {"mediaType": ARTIFACT, "artifactType": "application/x", "blobs": []})
        peer.manifest("o", {"mediaType": ORAS, "artifactType": "application/x"})
        found = {tag: peer.get(tag, "*/*").json["errors"][0]["message"].partition(",")[0] for tag in "ibo"}
        assert found == {"i": "OCI index found", "b": "OCI artifact found", "o": "ORAS artifact found"}

    def test_docker_manifests_need_not_be_named(self, peer: Peer) -> None:
        config = peer.blob(b'{"architecture":"arm64","os":"linux"}')
        value = {"schemaVersion": 2, "mediaType": DOCKER, "config": descriptor(config, 37, "x"), "layers": []}
        peer.manifest("1", value)
        assert peer.get("1", "*/*").headers.get("Content-Type") == DOCKER


class TestContent:
    @pytest.mark.parametrize(
        ("members", "reason"),
        [
            ({"schemaVersion": 1}, "schemaVersion"),
            ({"mediaType": OCI_INDEX}, "mediaType"),
            ({"config": ...}, "descriptor"),
            ({"config": {"mediaType": "x", "size": 2}}, "digest"),
            ({"config": {"mediaType": "x", "size": -1, "digest": NONE}}, "size"),
            ({"layers": ...}, "layers"),
            ({"layers": {}}, "layers"),
            ({"layers": [1]}, "descriptor"),
            ({"manifests": []}, "manifests"),
            ({"artifactType": 1}, "artifactType"),
            ({"annotations": {"a": 1}}, "annotations"),
            ({"subject": {"digest": "x"}}, "descriptor"),
        ],
    )
    def test_a_bad_manifest(self, peer: Peer, members: dict[str, Any], reason: str) -> None:
        body = content(peer, **members)
        response = peer.put("1", body)
        entry = {"code": "MANIFEST_INVALID", "message": "manifest invalid", "detail": {"Reason": {}}}
        assert (response.status, response.json) == (400, {"errors": [entry]})
        with pytest.raises(RegistryError, match=reason):
            parse_manifest(body, OCI_MANIFEST, NONE)

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
    def test_no_manifest_at_all(self, peer: Peer, body: bytes) -> None:
        assert peer.put("1", body).code == "MANIFEST_INVALID"

    @pytest.mark.parametrize("kind", ["", "application/json", OCI_INDEX, DOCKER, "application/vnd.unknown"])
    def test_the_content_type_must_be_the_media_type(self, peer: Peer, kind: str) -> None:
        assert peer.put("1", content(peer), kind).code == "MANIFEST_INVALID"

    def test_an_oci_manifest_may_leave_its_media_type_out(self, peer: Peer) -> None:
        assert peer.put("1", content(peer, mediaType=...)).status == 201
        assert peer.get("1").headers.get("Content-Type") == OCI_MANIFEST

    @pytest.mark.parametrize("members", [{"layers": None}, {"mediaType": ""}])
    def test_what_distribution_stores_is_stored(self, peer: Peer, members: dict[str, Any]) -> None:
        body = content(peer, **members)
        assert peer.put("1", body).status == 201
        assert peer.get("1").body == body

    def test_an_index_must_not_hold_layers(self, peer: Peer) -> None:
        assert peer.put("1", json.dumps(index(layers=[])).encode(), OCI_INDEX).code == "MANIFEST_INVALID"

    def test_every_missing_blob_is_named(self, peer: Peer) -> None:
        other = sha256(b"other")
        response = peer.put("1", json.dumps(image(NONE, other, 1)).encode())
        entry = {"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry"}
        assert response.status == 400
        assert response.json == {"errors": [{**entry, "detail": NONE}, {**entry, "detail": other}]}

    def test_a_child_must_exist(self, cloud: Cloud, peer: Peer) -> None:
        digest = cloud.peer("b").artifact()
        body = json.dumps(index(descriptor(digest))).encode()
        assert peer.put("1", body, OCI_INDEX).code == "MANIFEST_BLOB_UNKNOWN"
        peer.artifact(None)
        assert peer.put("1", body, OCI_INDEX).status == 201

    def test_a_nondistributable_layer_may_be_missing(self, peer: Peer) -> None:
        layer = descriptor(NONE, 1, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")
        assert peer.put("1", content(peer, layers=[layer])).status == 201
        assert peer.put("2", content(peer, layers=[descriptor(NONE, 1, "x", urls=["https://x"])])).status == 201

    @pytest.mark.parametrize("chunked", [True, False])
    def test_four_mebibytes_are_the_limit(self, peer: Peer, chunked: bool) -> None:
        body = content(peer, annotations={"a": ""})
        largest = body.replace(b'""', b'"' + b"x" * (4 * 1024 * 1024 - len(body)) + b'"')
        assert peer.put("1", largest).status == 201
        headers = {"Content-Type": OCI_MANIFEST}
        response = peer.v2("PUT", "manifests/2", largest + b" ", headers=headers, chunked=chunked)
        assert (response.status, response.code) == (413, "SIZE_INVALID")


class TestDelete:
    def test_also_deletes_the_tags(self, peer: Peer) -> None:
        digest = peer.artifact("1")
        peer.artifact("2")
        other = peer.artifact("other", b"other")
        assert peer.v2("DELETE", f"manifests/{digest}").status == 202
        assert peer.v2("GET", "tags/list").json["tags"] == ["other"]
        again = peer.v2("DELETE", f"manifests/{digest}")
        assert (again.status, again.code) == (404, "MANIFEST_UNKNOWN")
        assert peer.get(other).status == 200

    def test_needs_a_digest(self, peer: Peer) -> None:
        peer.artifact("1")
        response = peer.v2("DELETE", "manifests/1")
        assert (response.status, response.code) == (405, "UNSUPPORTED")
        assert peer.v2("DELETE", "manifests/sha256:00").code == "DIGEST_INVALID"
        assert peer.get("1").status == 200

    def test_of_the_last_manifest_deletes_the_repository(self, cloud: Cloud, peer: Peer) -> None:
        digest = peer.artifact("1")
        peer.acr("PATCH", "", b'{"listEnabled":false}')
        peer.v2("DELETE", f"manifests/{digest}")
        assert peer.v2("GET", "tags/list").code == peer.acr("GET").code == "NAME_UNKNOWN"
        peer.artifact("1")
        assert peer.acr("GET").json["changeableAttributes"]["listEnabled"] is True

    @pytest.mark.parametrize("api", [True, False])
    def test_also_deletes_referrers_if_the_api_exists(self, cloud: Cloud, peer: Peer, api: bool) -> None:
        cloud.registry().referrers_api = api
        root, other = peer.artifact("1"), peer.artifact("2", b"other")
        signature = peer.artifact(None, b"signature", subject=descriptor(root))
        deep = peer.artifact("deep", b"deep", subject=descriptor(signature))
        peer.v2("DELETE", f"manifests/{root}")
        assert {digest: peer.get(digest).status for digest in (root, signature, deep, other)} == {
            root: 404, signature: 404 if api else 200, deep: 404 if api else 200, other: 200,
        }  # fmt: skip

    def test_an_index_leaves_its_children(self, peer: Peer) -> None:
        child = peer.artifact(None)
        digest = peer.manifest("i", index(descriptor(child)))
        peer.v2("DELETE", f"manifests/{digest}")
        assert peer.get(child).status == 200

    def test_referrers_in_a_circle(self, peer: Peer) -> None:
        body = content(peer, subject=descriptor(NONE))
        peer.put("1", body)
        peer.put("2", content(peer, subject=descriptor(sha256(body))))
        assert peer.v2("DELETE", f"manifests/{sha256(body)}").status == 202
        assert peer.acr("GET").status == 404


def test_a_tag_moves(peer: Peer) -> None:
    old, new = peer.artifact("1"), peer.artifact("1", b"new")
    assert peer.get("1").headers.get("Docker-Content-Digest") == new
    assert peer.get(old).status == 200
