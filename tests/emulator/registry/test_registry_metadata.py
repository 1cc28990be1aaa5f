"""`/acr/v1`: shapes, locks, untag, deletion (ACR data plane 2021-07-01, container-registry-image-lock)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.emulator.registry.peer import EMPTY_CONFIG, OCI_INDEX, OCI_MANIFEST, Cloud, Peer, descriptor, index, sha256

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")
OPEN = {"deleteEnabled": True, "writeEnabled": True, "readEnabled": True, "listEnabled": True}
NAMES = {"registry": "myregistry.azurecr.io", "imageName": "a"}


def timeless(value: dict[str, Any]) -> dict[str, Any]:
    """Check the times of *value* and return it without them."""
    times = [value.pop(name) for name in ("createdTime", "lastUpdateTime")]
    assert all(TIME.fullmatch(time) for time in times)
    assert times[0] <= times[1]
    return value


def lock(peer: Peer, where: str, **locks: bool) -> None:
    response = peer.acr("PATCH", where, json.dumps(locks).encode())
    assert response.status == 200, response


def test_a_repository(peer: Peer) -> None:
    peer.artifact("1")
    peer.artifact("2")
    expected = {**NAMES, "manifestCount": 1, "tagCount": 2, "changeableAttributes": OPEN}
    assert timeless(peer.acr("GET").json) == expected


def test_paths_with_encoded_and_plain_slashes(cloud: Cloud) -> None:
    peer = cloud.peer("x/y")
    peer.artifact("1")
    for path in ("/acr/v1/x/y/_tags/1", "/acr/v1/x%2Fy/_tags/1", "/acr/v1/x%2Fy/_tags/1?api-version=2021-07-01"):
        assert peer("GET", path).json["imageName"] == "x/y"


def test_a_tag(peer: Peer) -> None:
    digest = peer.artifact("1")
    single, listed = peer.acr("GET", "/_tags/1").json, peer.acr("GET", "/_tags").json
    assert listed == {**NAMES, "tags": [single["tag"]]}
    tag = single.pop("tag")
    assert single == NAMES
    assert timeless(tag) == {"name": "1", "digest": digest, "signed": False, "changeableAttributes": OPEN}


def test_a_manifest(peer: Peer) -> None:
    digest = peer.artifact("1")
    single, listed = peer.acr("GET", f"/_manifests/{digest}").json, peer.acr("GET", "/_manifests").json
    assert listed == {**NAMES, "manifests": [single["manifest"]]}
    assert timeless(single["manifest"]) == {
        "digest": digest, "imageSize": 6, "mediaType": OCI_MANIFEST, "tags": ["1"],
        "configMediaType": "application/vnd.oci.empty.v1+json", "changeableAttributes": OPEN,
    }  # fmt: skip


def test_an_image_and_its_index_show_their_platform(peer: Peer) -> None:
    config = b'{"architecture":"arm64","os":"linux"}'
    entry = descriptor(peer.blob(config), len(config), "application/vnd.oci.image.config.v1+json")
    value = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": entry, "layers": []}
    digest = peer.manifest(None, value)
    platform = {"architecture": "arm64", "os": "linux"}
    top = peer.manifest("i", index(descriptor(digest, platform=platform)))
    image = timeless(peer.acr("GET", f"/_manifests/{digest}").json["manifest"])
    assert image == {**image, **platform, "configMediaType": entry["mediaType"], "imageSize": len(config)}
    assert "tags" not in image
    listing = timeless(peer.acr("GET", f"/_manifests/{top}").json["manifest"])
    assert listing == {
        "digest": top, "imageSize": len(peer.get("i", OCI_INDEX).body), "mediaType": OCI_INDEX, "tags": ["i"],
        "references": [{"digest": digest, **platform}], "changeableAttributes": OPEN,
    }  # fmt: skip


@pytest.mark.parametrize("config", [b"no json", b"[]", b'{"architecture":1}'])
def test_a_config_without_a_platform(peer: Peer, config: bytes) -> None:
    entry = descriptor(peer.blob(config), len(config), "application/vnd.oci.image.config.v1+json")
    digest = peer.manifest("1", {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": entry, "layers": []})
    assert "architecture" not in peer.acr("GET", f"/_manifests/{digest}").json["manifest"]


def test_missing_items(peer: Peer) -> None:
    assert peer.acr("GET", "/_tags/1").code == peer.acr("DELETE").code == "NAME_UNKNOWN"
    peer.artifact("1")
    for method in ("GET", "DELETE"):
        response = peer.acr(method, "/_tags/2")
        expected = {"code": "TAG_UNKNOWN", "message": "the specified tag does not exist"}
        assert (response.status, response.json) == (404, {"errors": [expected]})
    assert peer.acr("GET", f"/_manifests/{sha256(b'x')}").code == "MANIFEST_UNKNOWN"
    assert peer.acr("PATCH", "/_tags/2", b'{"readEnabled":true}').code == "TAG_UNKNOWN"


def test_untag_leaves_the_manifest(peer: Peer) -> None:
    digest = peer.artifact("1")
    assert peer.acr("DELETE", "/_tags/1").status == 202
    assert (peer.get("1").status, peer.get(digest).status) == (404, 200)
    assert peer.acr("GET").json["tagCount"] == 0


def test_deleting_a_repository_without_tags(peer: Peer) -> None:
    digest = peer.artifact(None)
    assert peer.acr("DELETE").body == f'{{"manifestsDeleted":["{digest}"],"tagsDeleted":null}}'.encode()


def test_deleting_a_repository(cloud: Cloud, peer: Peer) -> None:
    digests = [peer.artifact("1"), peer.artifact("2", b"other")]
    response = peer.acr("DELETE")
    assert response.status == 202
    assert response.json == {"manifestsDeleted": sorted(digests), "tagsDeleted": ["1", "2"]}
    assert response.headers.get("X-Ms-Ratelimit-Remaining-Calls-Per-Second") == "8.000000"
    assert peer.acr("DELETE").code == "NAME_UNKNOWN"
    assert peer.v2("HEAD", f"blobs/{sha256(EMPTY_CONFIG)}").status == 404
    assert [file for file in (cloud.folder / "registry" / "blobs").rglob("*") if file.is_file()] == []


@pytest.mark.parametrize("where", ["", "/_tags/1", "/_manifests/{digest}"])
def test_a_change_returns_the_whole_object(peer: Peer, where: str) -> None:
    where = where.format(digest=peer.artifact("1"))
    before = peer.acr("GET", where).json
    changed = peer.acr("PATCH", where, b'{"writeEnabled":false,"listEnabled":false}')
    assert changed.status == 200
    assert changed.json == peer.acr("GET", where).json
    holder = changed.json.get("tag") or changed.json.get("manifest") or changed.json
    assert holder["changeableAttributes"] == {**OPEN, "writeEnabled": False, "listEnabled": False}
    assert changed.json.keys() == before.keys()
    again = peer.acr("PATCH", where, b'{"writeEnabled":true,"listEnabled":true}')
    assert again.json == before


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"x":true}', b'{"readEnabled":"false"}', b'{"readEnabled":0}']
)
def test_an_invalid_change(peer: Peer, body: bytes) -> None:
    peer.artifact("1")
    assert peer.acr("PATCH", "/_tags/1", body).status == 400


def test_a_change_needs_metadata_write(cloud: Cloud, peer: Peer) -> None:
    peer.artifact("1")
    reader = cloud.peer(actions="pull,push,delete,metadata_read")
    response = reader.acr("PATCH", "/_tags/1", b'{"readEnabled":false}')
    assert (response.status, "metadata_write" in (response.headers.get("WWW-Authenticate") or "")) == (401, True)
    assert cloud.peer(actions="pull").acr("GET", "/_tags/1").status == 401


def refused(peer: Peer, method: str, url: str) -> bool:
    """Return whether a lock refused the request; otherwise it must succeed."""
    response = peer(method, url)
    assert response.status in (202, 405)
    if response.status == 405:
        assert response.code == "REGISTRY_DISALLOWED_OPERATION"
        assert response.json["errors"][0]["message"].startswith("The operation is disallowed on this registry")
    return response.status == 405


def test_pushing_a_manifest_again_keeps_its_age_and_locks(peer: Peer) -> None:
    where = f"/_manifests/{peer.artifact('1')}"
    lock(peer, where, deleteEnabled=False)
    before = peer.acr("GET", where).json["manifest"]
    peer.artifact("1")
    after = peer.acr("GET", where).json["manifest"]
    assert after.pop("lastUpdateTime") > before.pop("lastUpdateTime")
    assert after == before


class TestLocks:
    @pytest.mark.parametrize("name", ["deleteEnabled", "writeEnabled"])
    def test_either_protects_a_tag(self, peer: Peer, name: str) -> None:
        peer.artifact("1")
        lock(peer, "/_tags/1", **{name: False})
        assert refused(peer, "DELETE", "/acr/v1/a/_tags/1")
        assert refused(peer, "DELETE", "/acr/v1/a")
        lock(peer, "/_tags/1", **{name: True})
        assert not refused(peer, "DELETE", "/acr/v1/a/_tags/1")

    @pytest.mark.parametrize("name", ["deleteEnabled", "writeEnabled"])
    @pytest.mark.parametrize("referrer", [True, False])
    def test_either_protects_a_manifest(self, peer: Peer, name: str, referrer: bool) -> None:
        digest = peer.artifact("1")
        locked = peer.artifact(None, b"s", subject=descriptor(digest)) if referrer else digest
        lock(peer, f"/_manifests/{locked}", **{name: False})
        assert refused(peer, "DELETE", f"/v2/a/manifests/{digest}")
        assert not refused(peer, "DELETE", "/acr/v1/a/_tags/1")

    @pytest.mark.parametrize("name", ["deleteEnabled", "writeEnabled"])
    def test_either_protects_a_whole_repository(self, peer: Peer, name: str) -> None:
        digest, blob = peer.artifact("1"), sha256(b"text")
        lock(peer, "", **{name: False})
        urls = ["/acr/v1/a", "/acr/v1/a/_tags/1", f"/v2/a/manifests/{digest}", f"/v2/a/blobs/{blob}"]
        assert all(refused(peer, "DELETE", url) for url in urls)

    def test_a_tags_lock_is_not_its_manifests(self, peer: Peer) -> None:
        digest = peer.artifact("1")
        lock(peer, "/_tags/1", writeEnabled=False)
        assert not refused(peer, "DELETE", f"/v2/a/manifests/{digest}")

    def test_write_prevents_moving_a_tag(self, peer: Peer) -> None:
        digest = peer.artifact("1")
        body = peer.get(digest).body
        lock(peer, "/_tags/1", writeEnabled=False)
        other = peer.artifact("2", b"other")
        assert peer.put("1", peer.get(other).body).status == 405
        assert peer.put("1", body).status == 405
        assert peer.put("3", body).status == 201

    def test_write_prevents_pushes_to_a_repository(self, peer: Peer) -> None:
        body = peer.get(peer.artifact("1")).body
        url = peer.start().location
        lock(peer, "", writeEnabled=False)
        assert peer.start().status == peer.put("2", body).status == peer("PATCH", url, b"x").status == 405
        assert peer("PUT", f"{url}&digest={sha256(b'')}").status == 405

    @pytest.mark.parametrize("where", ["", "/_tags/1", "/_manifests/{digest}"])
    def test_read_prevents_pulls(self, peer: Peer, where: str) -> None:
        digest = peer.artifact("1")
        lock(peer, where.format(digest=digest), readEnabled=False)
        assert peer.get("1").code == "REGISTRY_DISALLOWED_OPERATION"
        assert peer.get(digest).status == (200 if "_tags" in where else 405)
        assert peer.v2("GET", f"blobs/{sha256(b'text')}").status == (307 if where else 405)

    def test_list_hides(self, peer: Peer) -> None:
        digest = peer.artifact("1")
        lock(peer, "/_tags/1", listEnabled=False)
        lock(peer, f"/_manifests/{digest}", listEnabled=False)
        assert peer.acr("GET", "/_tags").json["tags"] == peer.acr("GET", "/_manifests").json["manifests"] == []
        assert peer.get("1").status == 200
