"""The referrers API (OCI distribution specification §Listing Referrers)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.exchange import Received
from tests.emulator.registry.peer import OCI_INDEX, OCI_MANIFEST, Cloud, Peer, descriptor, index, next_link, sha256


def listed(response: Received) -> list[dict[str, Any]]:
    assert (response.status, response.headers.get("Content-Type")) == (200, OCI_INDEX)
    value = response.json
    assert (value["schemaVersion"], value["mediaType"]) == (2, OCI_INDEX)
    found = value["manifests"]
    assert isinstance(found, list)
    return found


def test_descriptors_have_type_and_annotations(peer: Peer) -> None:
    subject = peer.artifact("1")
    digest = peer.artifact(None, b"s", subject=descriptor(subject), annotations={"a": "b"})
    found = listed(peer.v2("GET", f"referrers/{subject}"))
    size = len(peer.get(digest).body)
    expected = {"digest": digest, "size": size, "artifactType": "application/x", "annotations": {"a": "b"}}
    assert found == [{"mediaType": OCI_MANIFEST, **expected}]


def test_the_put_confirms_the_subject(cloud: Cloud, peer: Peer) -> None:
    missing = sha256(b"not there yet")
    digest = peer.artifact("1", subject=descriptor(missing))
    body = peer.get(digest).body
    assert peer.put("1", body).headers.get("OCI-Subject") == missing
    assert [found["digest"] for found in listed(peer.v2("GET", f"referrers/{missing}"))] == [digest]
    cloud.registry().oci_subject = False
    assert peer.put("1", body).headers.get("OCI-Subject") is None
    assert [found["digest"] for found in listed(peer.v2("GET", f"referrers/{missing}"))] == [digest]


@pytest.mark.parametrize("status", [400, 404, 405, 501])
def test_a_registry_without_referrers_api(cloud: Cloud, peer: Peer, status: int) -> None:
    cloud.registry().referrers_api = False
    cloud.registry().no_referrers_status = status
    subject = peer.artifact("1")
    body = peer.get(peer.artifact("2", subject=descriptor(subject))).body
    assert peer.put("2", body).headers.get("OCI-Subject") is None
    response = peer.v2("GET", f"referrers/{subject}")
    entry = {"code": "UNSUPPORTED", "message": "The operation is unsupported."}
    assert response.status == status
    assert response.body == b"404 page not found\n" if status == 404 else response.json == {"errors": [entry]}


def test_the_referrers_of_a_cache_rule(cloud: Cloud, peer: Peer) -> None:
    subject = peer.artifact("1")
    cloud.registry().cached_repositories = ["mirror/*", "a"]
    response = peer.v2("GET", f"referrers/{subject}")
    assert (response.status, response.code) == (424, "UNKNOWN")
    (error,) = response.json["errors"]
    assert error["message"].startswith("request to fetch referrers from source 'a' for cache rule ")
    assert "detail" not in error
    other = cloud.peer("b")
    assert other.v2("GET", f"referrers/{subject}").status == 200
    assert cloud.peer("mirror/b").v2("GET", f"referrers/{subject}").status == 424


def test_the_type_defaults_to_the_configs(peer: Peer) -> None:
    subject = peer.artifact("1")
    peer.artifact(None, b"s", subject=descriptor(subject), artifactType="")
    peer.manifest(None, index(subject=descriptor(subject)))
    types = [found.get("artifactType") for found in listed(peer.v2("GET", f"referrers/{subject}"))]
    assert sorted(types, key=str) == [None, "application/vnd.oci.empty.v1+json"]


def test_the_filter_is_applied_and_says_so(peer: Peer) -> None:
    subject = peer.artifact("1")
    wanted = peer.artifact(None, b"1", subject=descriptor(subject), artifactType="application/a+b")
    peer.artifact(None, b"2", subject=descriptor(subject))
    response = peer.v2("GET", f"referrers/{subject}?artifactType=application%2Fa%2Bb")
    assert [found["digest"] for found in listed(response)] == [wanted]
    assert response.headers.get("OCI-Filters-Applied") == "artifactType"
    assert peer.v2("GET", f"referrers/{subject}").headers.get("OCI-Filters-Applied") is None


def test_pages_keep_the_filter(cloud: Cloud, peer: Peer) -> None:
    cloud.world.limits.referrers_page_size = 2
    subject = peer.artifact("1")
    pushed = {peer.artifact(None, bytes([number]), subject=descriptor(subject)) for number in range(5)}
    peer.artifact(None, b"x", subject=descriptor(subject), artifactType="other")
    url: str | None = f"/v2/a/referrers/{subject}?artifactType=application/x"
    pages = []
    while url and len(pages) < 9:
        response = peer("GET", url)
        assert response.headers.get("OCI-Filters-Applied") == "artifactType"
        pages.append([found["digest"] for found in listed(response)])
        url = next_link(response)
    assert [len(page) for page in pages] == [2, 2, 1]
    assert {digest for page in pages for digest in page} == pushed


def test_without_referrers_the_list_is_empty(peer: Peer) -> None:
    assert listed(peer.v2("GET", f"referrers/{sha256(b'none')}")) == []
    assert peer.v2("GET", "referrers/x").code == "DIGEST_INVALID"
