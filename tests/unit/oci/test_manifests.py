"""Requests about manifests, and how their responses are checked."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.manifest import parse_manifest
from azext_acrartifact.oci.manifests import LARGE_MANIFEST, _checked
from azext_acrartifact.oci.mediatypes import IMAGE_INDEX, IMAGE_MANIFEST
from tests.support.server import RawResponse, respond
from tests.unit.oci.samples import HELLO, MANIFEST, Open, stored

LONG = digest_of(MANIFEST.raw, "sha512")


def test_every_supported_type_is_accepted(serve, registry: Open) -> None:
    server = serve(stored(Docker_Content_Digest=MANIFEST.digest), stored())
    manifests = registry(server).manifests
    assert manifests.get("a/b", "1.0") == MANIFEST
    assert manifests.get("a/b", MANIFEST.digest) == MANIFEST
    first, second = server.requests
    assert first.target == "/v2/a/b/manifests/1.0"
    assert second.target == f"/v2/a/b/manifests/{MANIFEST.digest}"
    assert IMAGE_MANIFEST in first.headers["accept"]
    assert IMAGE_INDEX in first.headers["accept"]


@pytest.mark.parametrize("header", [MANIFEST.digest, LONG, None])
def test_a_manifest_has_the_digest_that_was_requested(serve, registry: Open, header: str | None) -> None:
    same = stored(**({"Docker_Content_Digest": header} if header else {}))
    manifests = registry(serve(same, same)).manifests
    assert manifests.get("a", LONG).digest == LONG
    assert manifests.get("a", "1.0").digest == (header or MANIFEST.digest)


def test_a_registry_may_confirm_with_either_algorithm(serve, registry: Open) -> None:
    confirmed = [respond(201, Docker_Content_Digest=digest) for digest in (LONG, digest_of(b""))]
    manifests = registry(serve(*confirmed)).manifests
    manifests.put("a", MANIFEST, "1.0")
    with pytest.raises(errors.DigestMismatchError, match="stored another manifest"):
        manifests.put("a", MANIFEST, "1.0")


@pytest.mark.parametrize(
    ("version", "header"),
    [(digest_of(b"other"), None), ("1.0", digest_of(b"other")), (MANIFEST.digest, digest_of(b""))],
)
def test_bytes_of_another_digest_are_refused(serve, registry: Open, version: str, header: str | None) -> None:
    server = serve(stored(**({"Docker_Content_Digest": header} if header else {})))
    with pytest.raises(errors.DigestMismatchError, match="does not match its digest"):
        registry(server).manifests.get("a", version)


def test_an_invalid_digest_is_refused(serve, registry: Open) -> None:
    server = serve(stored(Docker_Content_Digest="sha256:../x"))
    with pytest.raises(errors.ProtocolError, match="Not a digest"):
        registry(server).manifests.get("a", "1")


def test_more_than_four_mebibytes_are_refused(serve, registry: Open) -> None:
    server = serve(RawResponse(respond(200, b" " * (4 * 1024 * 1024 + 1), Content_Type=IMAGE_MANIFEST).raw, "close"))
    with pytest.raises(errors.ProtocolError, match="too long"):
        registry(server).manifests.get("a", "1")


@pytest.mark.parametrize(
    "raw", [b"", b"\xff", b"null", b'{"layers":[5]}', b'{"manifests":[],"layers":[]}', MANIFEST.raw]
)
def test_a_stored_manifest_may_say_anything(serve, registry: Open, raw: bytes) -> None:
    """Only its bytes must have the digest."""
    digest = digest_of(raw)
    kind = IMAGE_MANIFEST if raw == MANIFEST.raw else "Application/x; charset=utf-8"
    good, bad = stored(raw, kind, Docker_Content_Digest=digest), stored(raw + b" ", kind)
    manifests = registry(serve(good, good, bad)).manifests
    found = manifests.stored("a", "1.0")
    assert (found.raw, found.digest, found.descriptor.size) == (raw, digest, len(raw))
    assert found.media_type == kind.partition(";")[0]
    if raw == MANIFEST.raw:
        assert found == manifests.get("a", "1.0")
    else:
        with pytest.raises(errors.InvalidManifestError):
            manifests.get("a", "1.0")
    with pytest.raises(errors.DigestMismatchError):
        manifests.stored("a", digest)


@pytest.mark.parametrize(
    ("body", "tags"),
    [(b'{"tags":null}', []), (b'{"name":"a"}', []), (b'{"tags":[]}', []), (b'{"tags":["1"]}', ["1"])],
)
def test_null_tags_are_none(serve, registry: Open, body: bytes, tags: list[str]) -> None:
    assert list(registry(serve(respond(200, body))).manifests.tags("a")) == tags


@pytest.mark.parametrize(
    "body", [b'{"tags":{}}', b'{"tags":""}', b'{"tags":[null]}', b"[]", b"null", b"x", b'{"tags":["/"]}']
)
def test_malformed_tags_are_refused(serve, registry: Open, body: bytes) -> None:
    with pytest.raises(errors.ProtocolError, match="the list is malformed"):
        list(registry(serve(respond(200, body))).manifests.tags("a"))


@pytest.mark.parametrize("listed", ["null", "[]"])
def test_null_referrers_are_none(serve, registry: Open, listed: str) -> None:
    raw = f'{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":{listed}}}'.encode()
    found = registry(serve(respond(200, raw, Content_Type=IMAGE_INDEX))).manifests.referrers("a", MANIFEST.digest)
    assert found is not None
    assert list(found) == []


def test_find_returns_none_for_a_missing_or_unsupported_manifest(serve, registry: Open) -> None:
    server = serve(respond(404), stored(b"{}"), stored(), respond(403))
    manifests = registry(server).manifests
    assert manifests.find("a", "1") is None
    assert manifests.find("a", "1") is None
    assert manifests.find("a", "1") == MANIFEST
    with pytest.raises(errors.PermissionDeniedError):
        manifests.find("a", "1")


def test_resolve_sends_head_requests(serve, registry: Open) -> None:
    head = RawResponse(
        f"HTTP/1.1 200 OK\r\nContent-Length: 77\r\nContent-Type: {IMAGE_MANIFEST}; x=y\r\n"
        f"Docker-Content-Digest: {MANIFEST.digest}\r\n\r\n".encode()
    )
    server = serve(head, respond(404), respond(405))
    manifests = registry(server).manifests
    assert manifests.resolve("a", "1") == Descriptor(IMAGE_MANIFEST, MANIFEST.digest, 77)
    assert manifests.resolve("a", "1") is None
    with pytest.raises(errors.LockedError):
        manifests.resolve("a", "1")
    assert {sent.method for sent in server.requests} == {"HEAD"}


def test_resolve_gets_the_manifest_if_head_returns_no_digest(serve, registry: Open) -> None:
    server = serve(respond(200), stored())
    assert registry(server).manifests.resolve("a", "1") == MANIFEST.descriptor


def test_put_requires_201_and_the_same_digest(serve, registry: Open) -> None:
    server = serve(
        respond(201, Docker_Content_Digest=MANIFEST.digest),
        respond(201, Docker_Content_Digest=digest_of(b"")),
        respond(200),
        respond(307, Location="/elsewhere"),
    )
    manifests = registry(server).manifests
    manifests.put("a", MANIFEST, "1")
    assert (server.requests[0].body, server.requests[0].headers["content-type"]) == (MANIFEST.raw, IMAGE_MANIFEST)
    with pytest.raises(errors.DigestMismatchError, match="another manifest"):
        manifests.put("a", MANIFEST, "1")
    for _ in range(2):
        with pytest.raises(errors.ProtocolError):
            manifests.put("a", MANIFEST, "1")


def test_delete_returns_whether_the_manifest_existed(serve, registry: Open) -> None:
    server = serve(respond(202), respond(404), respond(405))
    manifests = registry(server).manifests
    assert [manifests.delete("a", MANIFEST.digest) for _ in range(2)] == [True, False]
    with pytest.raises(errors.LockedError):
        manifests.delete("a", MANIFEST.digest)


def test_referrers_are_listed_page_by_page(serve, registry: Open) -> None:
    def page(*blobs: Descriptor, **headers: str) -> RawResponse:
        raw = json.dumps({"schemaVersion": 2, "manifests": [blob.to_json() for blob in blobs]}).encode()
        return respond(200, raw, Content_Type=IMAGE_INDEX, **headers)

    other = Descriptor("a/b", digest_of(b"2"), 1)
    server = serve(page(HELLO, Link='</v2/a/referrers/x?n=1>; rel="next"'), page(other), respond(404), respond(500))
    manifests = registry(server).manifests
    assert list(manifests.referrers("a", MANIFEST.digest) or []) == [HELLO, other]
    assert manifests.referrers("a", MANIFEST.digest) is None


def test_a_list_of_referrers_must_be_an_index(serve, registry: Open) -> None:
    server = serve(stored(), respond(403))
    manifests = registry(server).manifests
    with pytest.raises(errors.ProtocolError, match="not an index"):
        list(manifests.referrers("a", MANIFEST.digest) or [])
    with pytest.raises(errors.PermissionDeniedError):
        list(manifests.referrers("a", MANIFEST.digest) or [])


class Parsing:
    """The response with a manifest of *size* bytes, as it says; counts how many are read at once."""

    status, most, running = 200, 0, 0

    def __init__(self, size: str) -> None:
        self.headers = {"Content-Type": IMAGE_MANIFEST, "Content-Length": size}

    def content(self, _limit: int) -> bytes:
        Parsing.running += 1
        Parsing.most = max(Parsing.most, Parsing.running)
        time.sleep(0.05)
        Parsing.running -= 1
        return MANIFEST.raw


@pytest.mark.parametrize(("size", "most"), [("5000000", 1), ("", 1), (str(LARGE_MANIFEST), 4)])
def test_large_manifests_are_parsed_one_after_another(size: str, most: int) -> None:
    Parsing.most = 0
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: _checked(Parsing(size), "r", "1", parse_manifest), range(4)))
    assert Parsing.most == most
