"""Blob uploads by ACR's rules (OCI distribution specification §Pushing blobs; sources in upload_routes.py)."""

from __future__ import annotations

import base64
import io
import json
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from acr_emulator.registry.upload_state import upload_url
from acr_emulator.registry.uploads import Session
from tests.emulator.exchange import Received
from tests.emulator.registry.peer import Cloud, Peer, sha256, sha512

HELLO = b"hello, blob"


class Cut(io.BytesIO):
    """A body whose client disconnects at its end."""

    def read(self, size: int | None = -1) -> bytes:
        block = super().read(size)
        if not block:
            raise EOFError
        return block


class SmallBlocks(io.BytesIO):
    """A body that arrives in blocks of four bytes."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(4)


def patch(peer: Peer, url: str, content: bytes | SmallBlocks, start: int | None = None, **options: object) -> Received:
    headers = (
        {}
        if start is None or isinstance(content, SmallBlocks)
        else {"Content-Range": f"{start}-{start + len(content) - 1}"}
    )
    return peer("PATCH", url, content, headers=headers, **options)


def put(peer: Peer, url: str, digest: str, content: bytes = b"", **options: object) -> Received:
    return peer("PUT", f"{url}&digest={digest.replace(':', '%3A')}", content, **options)


def state(url: str) -> dict[str, object]:
    """Return the content of the `_state` of an upload URL."""
    raw = base64.urlsafe_b64decode(parse_qs(urlsplit(url).query)["_state"][0])
    value = json.loads(raw[32:])
    assert isinstance(value, dict)
    return value


def test_the_recorded_upload(peer: Peer) -> None:
    started = peer.start()
    url, key = started.location, started.headers.get("Docker-Upload-Uuid")
    assert (started.status, started.headers.get("Range"), started.body) == (202, "0-0", b"")
    assert url.startswith(f"/v2/a/blobs/uploads/{key}?_nouploadcache=false&_state=")
    assert {**state(url), "StartedAt": ""} == {"Name": "a", "UUID": key, "Offset": 0, "StartedAt": ""}
    patched = patch(peer, url, HELLO)
    assert (patched.status, patched.headers.get("Range")) == (202, f"0-{len(HELLO) - 1}")
    assert patched.headers.get("Docker-Upload-Uuid") == key
    assert state(patched.location)["Offset"] == len(HELLO)
    done = put(peer, patched.location, sha256(HELLO))
    assert (done.status, done.headers.get("Docker-Content-Digest")) == (201, sha256(HELLO))
    assert done.location == f"/v2/a/blobs/{sha256(HELLO)}"
    assert peer("GET", patched.location).code == "BLOB_UPLOAD_UNKNOWN"


def test_chunks_with_content_range_and_the_last_one_in_the_put(peer: Peer) -> None:
    url = peer.start().location
    url = patch(peer, url, HELLO[:3], 0).location
    url = patch(peer, url, HELLO[3:7], 3).location
    done = put(peer, url, sha256(HELLO), HELLO[7:], headers={"Content-Range": f"7-{len(HELLO) - 1}"})
    assert done.status == 201
    assert peer.v2("HEAD", f"blobs/{sha256(HELLO)}").body == HELLO


def test_a_put_with_the_whole_blob(peer: Peer) -> None:
    assert put(peer, peer.start().location, sha256(HELLO), HELLO).status == 201
    assert put(peer, peer.start().location, sha256(b"")).status == 201


def test_one_post_with_the_whole_blob(peer: Peer) -> None:
    done = peer.v2("POST", f"blobs/uploads/?digest={sha256(HELLO)}", HELLO)
    assert (done.status, done.location) == (201, f"/v2/a/blobs/{sha256(HELLO)}")
    assert peer.v2("POST", f"blobs/uploads/?digest={sha256(HELLO)}", b"other").code == "DIGEST_INVALID"
    assert peer.v2("POST", "blobs/uploads/?digest=x", HELLO).code == "DIGEST_INVALID"


def test_sha512_at_once_and_after_chunks(peer: Peer) -> None:
    assert peer.v2("POST", f"blobs/uploads/?digest={sha512(HELLO)}", HELLO).status == 201
    url = patch(peer, peer.start().location, HELLO).location
    assert put(peer, url, sha512(HELLO)).status == 201
    assert put(peer, peer.start().location, sha512(b"x"), b"x").status == 201
    assert put(peer, peer.start().location, sha512(b"x"), b"y").code == "DIGEST_INVALID"
    assert peer.v2("HEAD", f"blobs/{sha512(HELLO)}").status == 200


def test_transfer_encoding_chunked_is_accepted_only_without_content_range(peer: Peer) -> None:
    url = peer.start().location
    refused = patch(peer, url, HELLO, 0, chunked=True)
    assert (refused.status, refused.code) == (400, "CONTENT_LENGTH_INVALID")
    assert put(peer, patch(peer, url, HELLO, chunked=True).location, sha256(HELLO)).status == 201
    assert put(peer, peer.start().location, sha256(HELLO), HELLO, chunked=True).status == 201


@pytest.mark.parametrize("text", ["bytes 0-10/*", "bytes 0-10/11", "bytes=0-10", "0-10/11", "0-", "-10", "0", ""])
def test_another_form_of_content_range(peer: Peer, text: str) -> None:
    response = peer("PATCH", peer.start().location, HELLO, headers={"Content-Range": text})
    assert response.status == 400
    assert response.json == {"Range": text, "Reason": "the Content-Range header format is invalid"}


def test_a_content_range_that_does_not_match_the_length(peer: Peer) -> None:
    response = peer("PATCH", peer.start().location, HELLO, headers={"Content-Range": "0-3"})
    assert (response.status, response.code) == (400, "CONTENT_LENGTH_INVALID")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_content_range_out_of_order_leaves_the_session_unchanged(peer: Peer, method: str) -> None:
    url = patch(peer, peer.start().location, HELLO[:4], 0).location
    for start in (0, 5):
        headers = {"Content-Range": f"{start}-{start + 3}"}
        response = peer(method, f"{url}&digest={sha256(HELLO)}", HELLO[:4], headers=headers)
        assert response.status == 416
        assert response.json == {"errors": [{"code": "RANGE_INVALID", "message": "invalid content range"}]}
        assert "Location" not in response.headers
    status = peer("GET", url)
    assert (status.status, status.headers.get("Range"), status.body) == (204, "0-3", b"")
    assert put(peer, status.location, sha256(HELLO), HELLO[4:]).status == 201


@pytest.mark.parametrize("content_range", ["0-3", "4-7", None])
@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_an_outdated_url_cancels_the_session_whatever_the_method(
    cloud: Cloud, peer: Peer, method: str, content_range: str | None
) -> None:
    old = peer.start().location
    new = patch(peer, old, HELLO[:4], 0).location
    headers = {"Content-Range": content_range} if content_range else {}
    body = HELLO[4:8] if method in ("PATCH", "PUT") else b""
    response = peer(method, f"{old}&digest={sha256(HELLO)}", body, headers=headers)
    assert response.status == 404
    assert response.body == b'{"errors":[{"code":"BLOB_UPLOAD_INVALID","message":"blob upload invalid"}]}'
    assert response.headers.get("Content-Type") == "application/json; charset=utf-8"
    assert [peer(name, new).code for name in ("GET", "PATCH", "PUT", "DELETE")] == ["BLOB_UPLOAD_UNKNOWN"] * 4
    assert list((cloud.folder / "registry" / "uploads").iterdir()) == []


def test_a_url_that_is_ahead_of_the_stored_bytes_cancels_too(cloud: Cloud, peer: Peer) -> None:
    url = peer.start().location
    key = urlsplit(url).path.rpartition("/")[2]
    ahead = upload_url(cloud.store.sas_key, Session("myregistry", "a", cloud.folder, id=key, offset=4))
    assert peer("GET", ahead).code == "BLOB_UPLOAD_INVALID"
    assert peer("GET", url).code == "BLOB_UPLOAD_UNKNOWN"


def test_a_url_without_state_or_with_a_wrong_one(peer: Peer) -> None:
    mine, other = peer.start().location, peer.start().location
    bare, _, query = mine.partition("?")
    forged = query[:-8] + "AAAAAAAA"
    for url in (bare, f"{bare}?{forged}", f"{bare}?_state=%21", f"{bare}?{other.partition('?')[2]}"):
        assert peer("PATCH", url, HELLO).code == "BLOB_UPLOAD_INVALID"
    assert patch(peer, mine, HELLO).status == 202


def test_a_session_belongs_to_its_repository_and_registry(cloud: Cloud, peer: Peer) -> None:
    url = peer.start().location
    elsewhere = cloud.peer("b")
    assert elsewhere("PATCH", url.replace("/v2/a/", "/v2/b/"), HELLO).code == "BLOB_UPLOAD_INVALID"
    away = cloud.peer(host="targetregistry.azurecr.io")
    assert away("PATCH", url, HELLO).code == "BLOB_UPLOAD_UNKNOWN"
    assert cloud.peer(who="reader")("PATCH", url, HELLO).status == 401


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_above_the_limit(cloud: Cloud, peer: Peer, method: str, chunked: bool) -> None:
    cloud.world.limits.upload_body = 10
    url = f"{peer.start().location}&digest={sha256(HELLO)}"
    response = peer(method, url, HELLO, chunked=chunked)
    assert (response.status, response.body) == (413, b"413 Request Entity Too Large - AzureContainerRegistry")
    assert peer("GET", url).headers.get("Range") == "0-0"
    assert patch(peer, url, SmallBlocks(HELLO), chunked=True).status == 413
    half = patch(peer, url, HELLO[:10])
    assert put(peer, half.location, sha256(HELLO), HELLO[10:]).status == 201


def test_half_a_chunk_that_is_dropped_leaves_the_session_unchanged(cloud: Cloud, peer: Peer) -> None:
    cloud.registry().half_chunk = "dropped"
    url = patch(peer, peer.start().location, HELLO[:4], 0).location
    with pytest.raises(EOFError):
        peer("PATCH", url, Cut(b"other bytes that are longer than the blob"))
    assert peer("GET", url).headers.get("Range") == "0-3"
    again = patch(peer, url, HELLO[4:], 4)
    assert put(peer, again.location, sha256(HELLO)).status == 201
    assert peer.v2("HEAD", f"blobs/{sha256(HELLO)}").body == HELLO


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_after_half_a_chunk_that_is_stored_the_same_url_is_outdated(peer: Peer, method: str) -> None:
    url = patch(peer, peer.start().location, HELLO[:4], 0).location
    with pytest.raises(EOFError):
        peer("PATCH", url, Cut(HELLO[4:6]))
    assert peer(method, url).code == "BLOB_UPLOAD_INVALID"
    assert peer("GET", url).code == "BLOB_UPLOAD_UNKNOWN"


def test_a_break_before_the_first_byte_of_a_chunk_leaves_the_session_unchanged(peer: Peer) -> None:
    url = patch(peer, peer.start().location, HELLO[:4], 0).location
    with pytest.raises(EOFError):
        peer("PATCH", url, Cut(b""))
    assert put(peer, url, sha256(HELLO), HELLO[4:]).status == 201


def test_a_newer_request_takes_over_the_session(peer: Peer) -> None:
    url, reached, proceed = peer.start().location, threading.Event(), threading.Event()

    class Hanging(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            reached.set()
            assert proceed.wait(10)
            return super().read(size)

    late: list[Received] = []
    thread = threading.Thread(target=lambda: late.append(peer("PATCH", url, Hanging(b"late"))))
    thread.start()
    assert reached.wait(10)
    newer = patch(peer, url, HELLO, 0)
    proceed.set()
    thread.join(10)
    assert [response.code for response in late] == ["BLOB_UPLOAD_INVALID"]
    assert put(peer, newer.location, sha256(HELLO)).status == 201
    assert peer.v2("HEAD", f"blobs/{sha256(HELLO)}").body == HELLO


@pytest.mark.parametrize("end", ["PUT", "DELETE"])
def test_a_session_that_ends_during_a_request(peer: Peer, end: str) -> None:
    url = f"{patch(peer, peer.start().location, HELLO).location}&digest={sha256(HELLO)}"

    class Late(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if not ended:
                ended.append(peer(end, url).status)
            return super().read(size)

    ended: list[int] = []
    response = peer("PUT", url, Late(), chunked=True)
    assert (response.status, ended) == (404, [201 if end == "PUT" else 204])


def test_a_wrong_digest_ends_the_session(cloud: Cloud, peer: Peer) -> None:
    url = patch(peer, peer.start().location, HELLO).location
    response = put(peer, url, sha256(b"other"))
    assert (response.status, response.code) == (400, "DIGEST_INVALID")
    assert peer("GET", url).code == "BLOB_UPLOAD_UNKNOWN"
    assert peer.v2("HEAD", f"blobs/{sha256(HELLO)}").status == 404
    assert list((cloud.folder / "registry" / "uploads").iterdir()) == []


@pytest.mark.parametrize("query", ["", "&digest=", "&digest=sha256:0", "&digest=md5:00", f"&digest={'0' * 64}"])
def test_a_put_without_a_valid_digest_changes_nothing(peer: Peer, query: str) -> None:
    url = peer.start().location
    assert peer("PUT", url + query, HELLO).code == "DIGEST_INVALID"
    assert put(peer, url, sha256(HELLO), HELLO).status == 201


def test_a_cancelled_dropped_or_expired_session_is_unknown(cloud: Cloud, peer: Peer) -> None:
    url = peer.start().location
    assert peer("DELETE", url).status == 204
    dropped = peer.start().location
    assert patch(peer, dropped, HELLO, faults=frozenset({"drop_session"})).code == "BLOB_UPLOAD_UNKNOWN"
    old = peer.start().location
    cloud.world.lifetimes.upload_session = -1
    for gone in (url, dropped, old):
        response = patch(peer, gone, HELLO)
        assert (response.status, response.code) == (404, "BLOB_UPLOAD_UNKNOWN")
    cloud.world.lifetimes.upload_session = 60
    cloud.restart()
    assert list((cloud.folder / "registry" / "uploads").iterdir()) == []


class TestMount:
    def mount(self, peer: Peer, digest: str, source: str | None = "a") -> Received:
        return peer.start(f"?mount={digest}" + (f"&from={source}" if source else ""))

    def target(self, cloud: Cloud, scopes: str) -> Peer:
        return Peer(cloud, "b", cloud.token(f"repository:b:pull,push {scopes}"))

    def test_a_blob_of_a_repository_that_the_token_may_pull(self, cloud: Cloud, peer: Peer) -> None:
        digest, target = peer.blob(HELLO), self.target(cloud, "repository:a:pull")
        assert target.v2("HEAD", f"blobs/{digest}").status == 404
        response = self.mount(target, digest)
        assert (response.status, response.location) == (201, f"/v2/b/blobs/{digest}")
        assert response.headers.get("Docker-Content-Digest") == digest
        assert peer.v2("DELETE", f"blobs/{digest}").status == 202
        assert target.v2("HEAD", f"blobs/{digest}").body == HELLO

    @pytest.mark.parametrize(("scope", "source"), [("", "a"), ("repository:a:pull", None), ("repository:a:pull", "c")])
    def test_otherwise_an_upload_starts(self, cloud: Cloud, peer: Peer, scope: str, source: str | None) -> None:
        digest, target = peer.blob(HELLO), self.target(cloud, scope)
        response = self.mount(target, digest, source)
        assert response.status == 202
        assert put(target, response.location, digest, HELLO).status == 201

    def test_a_missing_blob_cannot_be_mounted(self, cloud: Cloud) -> None:
        assert self.mount(self.target(cloud, "repository:a:pull"), sha256(b"none")).status == 202


def test_two_thousand_blobs_survive_a_restart(cloud: Cloud, peer: Peer) -> None:
    with cloud.store.registry("myregistry").lock:
        for number in range(2000):
            file = cloud.store.temporary()
            file.write_bytes(str(number).encode())
            cloud.store.registry("myregistry").add_blob("a", sha256(str(number).encode()), file)
    cloud.restart()
    assert peer.v2("HEAD", f"blobs/{sha256(b'1999')}").body == b"1999"
