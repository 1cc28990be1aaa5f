"""Blob reads: the redirect, the storage host behind it, ranges, direct responses (ACR swagger; Get Blob)."""

from __future__ import annotations

import calendar
import re
import time
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.emulator.exchange import Received
from tests.emulator.registry.peer import Cloud, Peer, sha256

CONTENT = b"0123456789"
DIGEST = sha256(CONTENT)


def link(peer: Peer) -> str:
    """Upload the blob and return its storage URL."""
    peer.blob(CONTENT)
    response = peer.v2("GET", f"blobs/{DIGEST}")
    assert (response.status, response.headers.get("Docker-Content-Digest")) == (307, DIGEST)
    return response.location


def ranged(cloud: Cloud, url: str, text: str, name: str = "Range") -> Received:
    return cloud.send("GET", url, headers={name: text})


def test_a_blob_is_a_signed_link_to_storage(cloud: Cloud, peer: Peer) -> None:
    url = link(peer)
    assert urlsplit(url).hostname == "myregistrystore.blob.core.windows.net"
    query = dict(parse_qsl(urlsplit(url).query))
    assert list(query) == ["se", "sig", "sp", "spr", "sr", "sv", "regid"]
    assert (query["sp"], query["spr"], query["sr"], query["sv"]) == ("r", "https", "b", "2016-05-31")
    assert urlsplit(url).path.startswith(f"/{query['regid']}-")
    left = calendar.timegm(time.strptime(query["se"], "%Y-%m-%dT%H:%M:%SZ")) - time.time()
    assert 1190 < left <= 1200
    response = cloud.send("GET", url)
    assert (response.status, response.body) == (200, CONTENT)
    assert response.headers.get("Docker-Content-Digest") is None
    assert cloud.send("HEAD", url).status == 200


def test_the_redirect_has_a_body_with_the_link(peer: Peer) -> None:
    peer.blob(CONTENT)
    response = peer.v2("GET", f"blobs/{DIGEST}")
    assert response.headers.get("Content-Type") == "text/html; charset=utf-8"
    link = response.location.replace("&", "&amp;")
    assert response.body == f'<a href="{link}">Temporary Redirect</a>.\n\n'.encode()


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=1-3"}])
def test_the_headers_of_storage(cloud: Cloud, peer: Peer, headers: dict[str, str]) -> None:
    response = cloud.send("GET", link(peer), headers=headers)
    assert [name for name, _ in response.headers if name != "Content-Range"] == [
        "Accept-Ranges", "Content-Type", "ETag", "Last-Modified", "x-ms-blob-committed-block-count", "x-ms-blob-type",
        "x-ms-copy-completion-time", "x-ms-copy-id", "x-ms-copy-progress", "x-ms-copy-source", "x-ms-copy-status",
        "x-ms-lease-state", "x-ms-lease-status", "x-ms-server-encrypted", "Server", "x-ms-request-id", "x-ms-version",
    ]  # fmt: skip
    expected = {
        "Accept-Ranges": "bytes", "x-ms-blob-type": "AppendBlob", "x-ms-copy-progress": "10/10",
        "x-ms-copy-status": "success", "x-ms-lease-state": "available", "x-ms-lease-status": "unlocked",
        "x-ms-version": "2016-05-31",
    }  # fmt: skip
    assert {name: response.headers.get(name) for name in expected} == expected
    assert re.fullmatch('"0x[0-9A-F]{15}"', response.headers.get("ETag") or "")


def test_the_dedicated_data_endpoint(cloud: Cloud, peer: Peer) -> None:
    host = "myregistry.westeurope.data.azurecr.io"
    assert not cloud.storage.owns(host, 443)
    cloud.registry().data_endpoint_enabled = True
    url = link(peer)
    assert urlsplit(url).hostname == host
    assert cloud.send("GET", url).body == CONTENT
    assert cloud.send("GET", url, headers={"Authorization": "Bearer x"}).status == 400


def test_storage_refuses_an_authorization_header(cloud: Cloud, peer: Peer) -> None:
    response = cloud.send("GET", link(peer), headers={"Authorization": f"Bearer {peer.token}"})
    assert (response.status, response.headers.get("x-ms-error-code")) == (400, "InvalidAuthenticationInfo")
    assert b"<Code>InvalidAuthenticationInfo</Code>" in response.body
    assert b"Authentication information is not given in the correct format" in response.body


def test_a_changed_or_expired_link(cloud: Cloud, peer: Peer) -> None:
    url = link(peer)
    other = sha256(b"x").partition(":")[2]
    hexadecimal = DIGEST.partition(":")[2]
    changed = [
        url.partition("?")[0],
        url.replace("&sp=r", "&sp=rw"),
        url.replace("?se=2", "?se=3"),
        re.sub("&sig=.{8}", "&sig=AAAAAAAA", url),
        url.replace(f"{hexadecimal[:2]}/{hexadecimal}", f"{other[:2]}/{other}"),
        url.replace("myregistrystore", "targetregistrystore"),
    ]
    cloud.world.lifetimes.storage_sas = -1
    for bad in [*changed, link(peer)]:
        response = cloud.send("GET", bad)
        assert (response.status, response.headers.get("x-ms-error-code")) == (403, "AuthenticationFailed")
        assert b"<Error><Code>AuthenticationFailed</Code>" in response.body


def test_storage_is_read_only(cloud: Cloud, peer: Peer) -> None:
    url = link(peer)
    for method in ("PUT", "DELETE", "POST"):
        assert cloud.send(method, url).headers.get("x-ms-error-code") == "AuthorizationPermissionMismatch"


def test_a_link_to_a_deleted_blob(cloud: Cloud, peer: Peer) -> None:
    url = link(peer)
    deleted = peer.v2("DELETE", f"blobs/{DIGEST}")
    assert (deleted.status, deleted.headers.get("X-Ms-Ratelimit-Remaining-Calls-Per-Second")) == (202, "8.000000")
    response = cloud.send("GET", url)
    assert (response.status, response.headers.get("x-ms-error-code")) == (404, "BlobNotFound")


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize(
    ("text", "body", "content_range"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
        ("bytes=9-9", b"9", "bytes 9-9/10"),
        ("bytes=-3", CONTENT, None),
        ("bytes=5-3", CONTENT, None),
        ("bytes=0-1,4-5", CONTENT, None),
        ("lines=0-1", CONTENT, None),
    ],
)
def test_ranges(cloud: Cloud, peer: Peer, direct: bool, text: str, body: bytes, content_range: str | None) -> None:
    url = link(peer)
    cloud.registry().blob_redirect = not direct
    response = peer.v2("GET", f"blobs/{DIGEST}", headers={"Range": text}) if direct else ranged(cloud, url, text)
    assert (response.status, response.body) == (206 if content_range else 200, body)
    assert response.headers.get("Content-Range") == content_range


def test_the_storages_own_range_header(cloud: Cloud, peer: Peer) -> None:
    assert ranged(cloud, link(peer), "bytes=1-2", "x-ms-range").body == b"12"


def test_a_range_after_the_end(cloud: Cloud, peer: Peer) -> None:
    response = ranged(cloud, link(peer), "bytes=10-")
    assert (response.status, response.headers.get("Content-Range")) == (416, "bytes */10")
    assert response.headers.get("x-ms-error-code") == "InvalidRange"
    cloud.registry().blob_redirect = False
    direct = peer.v2("GET", f"blobs/{DIGEST}", headers={"Range": "bytes=10-"})
    assert (direct.status, direct.headers.get("Content-Range")) == (416, "bytes */10")


def test_without_a_redirect_the_registry_sends_the_bytes(cloud: Cloud, peer: Peer) -> None:
    cloud.registry().blob_redirect = False
    peer.blob(CONTENT)
    response = peer.v2("GET", f"blobs/{DIGEST}")
    assert (response.status, response.body) == (200, CONTENT)
    assert response.headers.get("Docker-Content-Digest") == DIGEST


def test_head_is_redirected_or_not(cloud: Cloud, peer: Peer) -> None:
    peer.blob(CONTENT)
    direct = peer.v2("HEAD", f"blobs/{DIGEST}")
    assert (direct.status, direct.body, direct.headers.get("Docker-Content-Digest")) == (200, CONTENT, DIGEST)
    cloud.registry().blob_head_redirect = True
    assert peer.v2("HEAD", f"blobs/{DIGEST}").status == 307


def test_blobs_are_visible_only_in_their_repository(cloud: Cloud, peer: Peer) -> None:
    peer.blob(CONTENT)
    for elsewhere in (cloud.peer("b"), cloud.peer("a", host="targetregistry.azurecr.io")):
        for method in ("GET", "HEAD", "DELETE"):
            response = elsewhere.v2(method, f"blobs/{DIGEST}")
            assert (response.status, response.code) == (404, "BLOB_UNKNOWN")


def test_a_malformed_digest(peer: Peer) -> None:
    for digest in ("x", "sha256:00", "md5:00000000000000000000000000000000", f"sha256:{'A' * 64}"):
        assert peer.v2("GET", f"blobs/{digest}").code == "DIGEST_INVALID"


def test_content_is_removed_with_its_last_link(cloud: Cloud, peer: Peer) -> None:
    other = cloud.peer("b")
    for uploader in (peer, peer, other):
        uploader.blob(CONTENT)
    file = cloud.store.blobs.path(DIGEST)
    peer.v2("DELETE", f"blobs/{DIGEST}")
    assert file.exists()
    assert peer.v2("HEAD", f"blobs/{DIGEST}").status == 404
    other.v2("DELETE", f"blobs/{DIGEST}")
    assert not file.exists()
