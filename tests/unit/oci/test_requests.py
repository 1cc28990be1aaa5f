"""A registry's requests, one by one, and what of the answers is believed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci import pages
from azext_acrartifact.oci.content import Chunk, Memory
from azext_acrartifact.oci.descriptor import Descriptor, empty_descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.manifest import build_manifest
from azext_acrartifact.oci.mediatypes import IMAGE_INDEX, IMAGE_MANIFEST
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.oci.uploads import Session
from azext_acrartifact.transport.authorization import Scope
from tests.support.server import Answer, ScriptedServer, answer

Open = Callable[[ScriptedServer], Registry]
HELLO = Descriptor("text/plain", digest_of(b"hello"), 5, {"org.opencontainers.image.title": "a\x1b.txt"})
MANIFEST = build_manifest(empty_descriptor(), [HELLO])
LONG = digest_of(MANIFEST.raw, "sha512")
UPLOADS = "/v2/a/b/blobs/uploads/"


def stored(raw: bytes = MANIFEST.raw, kind: str = IMAGE_MANIFEST, **headers: str) -> Answer:
    return answer(200, raw, Content_Type=kind, **headers)


def read(stream) -> bytes:
    buffer, parts = memoryview(bytearray(3)), bytearray()
    while count := stream.readinto(buffer):
        parts += buffer[:count]
    return bytes(parts)


class TestManifests:
    def test_a_manifest_is_asked_for_in_every_form_we_read(self, serve, registry: Open) -> None:
        server = serve(stored(Docker_Content_Digest=MANIFEST.digest), stored())
        manifests = registry(server).manifests
        assert manifests.get("a/b", "1.0") == MANIFEST
        assert manifests.get("a/b", MANIFEST.digest) == MANIFEST
        first, second = server.requests
        assert first.target == "/v2/a/b/manifests/1.0"
        assert second.target == f"/v2/a/b/manifests/{MANIFEST.digest}"
        assert IMAGE_MANIFEST in first.headers["accept"]
        assert IMAGE_INDEX in first.headers["accept"]

    @pytest.mark.parametrize("told", [MANIFEST.digest, LONG, None])
    def test_a_manifest_is_called_what_it_was_asked_for_by(self, serve, registry: Open, told: str | None) -> None:
        answers = [stored(**({"Docker_Content_Digest": told} if told else {})) for _ in range(2)]
        manifests = registry(serve(*answers)).manifests
        assert manifests.get("a", LONG).digest == LONG
        assert manifests.get("a", "1.0").digest == (told or MANIFEST.digest)

    def test_a_manifest_stored_may_be_called_by_either_algorithm(self, serve, registry: Open) -> None:
        answers = [answer(201, Docker_Content_Digest=told) for told in (LONG, digest_of(b""))]
        manifests = registry(serve(*answers)).manifests
        manifests.put("a", MANIFEST, "1.0")
        with pytest.raises(errors.DigestMismatchError, match="stored another manifest"):
            manifests.put("a", MANIFEST, "1.0")

    @pytest.mark.parametrize(
        ("version", "told"),
        [(digest_of(b"other"), None), ("1.0", digest_of(b"other")), (MANIFEST.digest, digest_of(b""))],
    )
    def test_bytes_of_another_digest_are_refused(self, serve, registry: Open, version: str, told: str | None) -> None:
        server = serve(stored(**({"Docker_Content_Digest": told} if told else {})))
        with pytest.raises(errors.DigestMismatchError, match="not the right one"):
            registry(server).manifests.get("a", version)

    def test_a_digest_that_is_none_is_refused(self, serve, registry: Open) -> None:
        server = serve(stored(Docker_Content_Digest="sha256:../x"))
        with pytest.raises(errors.ProtocolError, match="Not a digest"):
            registry(server).manifests.get("a", "1")

    def test_more_than_four_mebibytes_are_not_read(self, serve, registry: Open) -> None:
        server = serve(Answer(answer(200, b" " * (4 * 1024 * 1024 + 1), Content_Type=IMAGE_MANIFEST).raw, "close"))
        with pytest.raises(errors.ProtocolError, match="too long"):
            registry(server).manifests.get("a", "1")

    def test_find_gives_none_for_what_is_not_there_or_not_ours(self, serve, registry: Open) -> None:
        server = serve(answer(404), stored(b"{}"), stored(), answer(403))
        manifests = registry(server).manifests
        assert manifests.find("a", "1") is None
        assert manifests.find("a", "1") is None
        assert manifests.find("a", "1") == MANIFEST
        with pytest.raises(errors.PermissionDeniedError):
            manifests.find("a", "1")

    def test_resolve_asks_for_the_head_alone(self, serve, registry: Open) -> None:
        head = Answer(
            f"HTTP/1.1 200 OK\r\nContent-Length: 77\r\nContent-Type: {IMAGE_MANIFEST}; x=y\r\n"
            f"Docker-Content-Digest: {MANIFEST.digest}\r\n\r\n".encode()
        )
        server = serve(head, answer(404), answer(405))
        manifests = registry(server).manifests
        assert manifests.resolve("a", "1") == Descriptor(IMAGE_MANIFEST, MANIFEST.digest, 77)
        assert manifests.resolve("a", "1") is None
        with pytest.raises(errors.LockedError):
            manifests.resolve("a", "1")
        assert {sent.method for sent in server.requests} == {"HEAD"}

    def test_resolve_reads_the_manifest_where_the_head_has_no_digest(self, serve, registry: Open) -> None:
        server = serve(answer(200), stored())
        assert registry(server).manifests.resolve("a", "1") == MANIFEST.descriptor

    def test_put_wants_201_and_the_same_digest(self, serve, registry: Open) -> None:
        server = serve(
            answer(201, Docker_Content_Digest=MANIFEST.digest),
            answer(201, Docker_Content_Digest=digest_of(b"")),
            answer(200),
            answer(307, Location="/elsewhere"),
        )
        manifests = registry(server).manifests
        manifests.put("a", MANIFEST, "1")
        assert (server.requests[0].body, server.requests[0].headers["content-type"]) == (MANIFEST.raw, IMAGE_MANIFEST)
        with pytest.raises(errors.DigestMismatchError, match="another manifest"):
            manifests.put("a", MANIFEST, "1")
        for _ in range(2):
            with pytest.raises(errors.ProtocolError):
                manifests.put("a", MANIFEST, "1")

    def test_delete_says_whether_it_was_there(self, serve, registry: Open) -> None:
        server = serve(answer(202), answer(404), answer(405))
        manifests = registry(server).manifests
        assert [manifests.delete("a", MANIFEST.digest) for _ in range(2)] == [True, False]
        with pytest.raises(errors.LockedError):
            manifests.delete("a", MANIFEST.digest)

    def test_referrers_come_page_by_page(self, serve, registry: Open) -> None:
        def page(*blobs: Descriptor, **headers: str) -> Answer:
            raw = json.dumps({"schemaVersion": 2, "manifests": [blob.to_json() for blob in blobs]}).encode()
            return answer(200, raw, Content_Type=IMAGE_INDEX, **headers)

        other = Descriptor("a/b", digest_of(b"2"), 1)
        server = serve(page(HELLO, Link='</v2/a/referrers/x?n=1>; rel="next"'), page(other), answer(404), answer(500))
        manifests = registry(server).manifests
        assert list(manifests.referrers("a", MANIFEST.digest) or []) == [HELLO, other]
        assert manifests.referrers("a", MANIFEST.digest) is None

    def test_referrers_that_are_no_index_are_refused(self, serve, registry: Open) -> None:
        server = serve(stored(), answer(403))
        manifests = registry(server).manifests
        with pytest.raises(errors.ProtocolError, match="no index"):
            list(manifests.referrers("a", MANIFEST.digest) or [])
        with pytest.raises(errors.PermissionDeniedError):
            list(manifests.referrers("a", MANIFEST.digest) or [])


class TestPages:
    @staticmethod
    def tags(server: ScriptedServer, registry: Open) -> list[str]:
        return [tag["name"] for tag in registry(server).metadata.tags_of("a", MANIFEST.digest)]

    def test_the_last_page_has_no_link(self, serve, registry: Open) -> None:
        link = '</acr/v1/a/_tags?last=1>; rel="first", </acr/v1/a/_tags?last=2&n=1>; rel="next"'
        server = serve(answer(200, b'{"tags":[{"name":"1"}]}', Link=link), answer(200, b'{"tags":null}'))
        assert self.tags(server, registry) == ["1"]
        assert server.requests[1].target == "/acr/v1/a/_tags?last=2&n=1"

    @pytest.mark.parametrize(
        "host", ["https://evil.example/x", "http://127.0.0.1:1/x", "//evil.example/x", "http://[::1/x"]
    )
    def test_a_page_of_another_host_is_refused(self, serve, registry: Open, host: str) -> None:
        server = serve(answer(200, b"{}", Link=f"<{host}>; rel=next"))
        with pytest.raises(errors.ProtocolError):
            self.tags(server, registry)

    def test_a_list_that_repeats_ends(self, serve, registry: Open) -> None:
        server = serve(lambda sent: answer(200, b"{}", Link="</acr/v1/a/_tags?last=1>; rel=next"), forever=True)
        with pytest.raises(errors.ProtocolError, match="a page repeats"):
            self.tags(server, registry)
        assert len(server.requests) == 2

    def test_a_list_that_always_goes_on_ends(self, serve, registry: Open, monkeypatch: pytest.MonkeyPatch) -> None:
        server = serve(
            lambda sent: answer(200, b"{}", Link=f"</acr/v1/a/_tags?last={sent.query[-30:]}0>; rel=next"), forever=True
        )
        assert pages.MOST_PAGES == 10_000
        monkeypatch.setattr(pages, "MOST_PAGES", 20)
        with pytest.raises(errors.ProtocolError, match=r"does not end.*20 pages"):
            self.tags(server, registry)
        assert len(server.requests) == 20

    @pytest.mark.parametrize(
        ("limits", "size", "why", "asked"),
        [
            ({"MOST_SPARSE": 10}, 100, "next to nothing", 12),
            ({"MOST_SPARSE": 10, "SPARSE": 50}, 100, "does not end", 30),
            ({"LIST_LIMIT": 1000}, 300, "too long", 4),
            ({"LIST_LIMIT": 1000}, 250, "too long", 5),
        ],
    )
    def test_a_list_ends_that_brings_nothing_or_too_much(
        self, serve, registry: Open, monkeypatch: pytest.MonkeyPatch, limits, size: int, why: str, asked: int
    ) -> None:
        assert (pages.MOST_SPARSE, pages.SPARSE, pages.LIST_LIMIT) == (1000, 16 << 10, 32 << 20)
        for name, value in {"MOST_PAGES": 30, **limits}.items():
            monkeypatch.setattr(pages, name, value)
        server = self.on_and_on(serve, size)
        with pytest.raises(errors.ProtocolError, match=why):
            self.tags(server, registry)
        assert len(server.requests) == asked

    @staticmethod
    def on_and_on(serve, size: int = 2) -> ScriptedServer:
        """Pages without end, each of *size* bytes."""
        body, numbers = b"{}" + b" " * (size - 2), itertools.count()
        return serve(
            lambda sent: answer(200, body, Link=f"</acr/v1/a/_tags?last={next(numbers)}>; rel=next"), forever=True
        )

    def test_no_request_leaves_the_registry(self, serve, registry: Open) -> None:
        server, other = serve(answer(204)), serve(answer(204))
        with pytest.raises(errors.ProtocolError, match="leave the registry"):
            registry(server).manifests._api.send(Scope.of("a", "pull"), "GET", f"{other.url}/v2/a/manifests/1")
        assert other.requests == server.requests == []


class TestMetadata:
    def test_a_tag_and_a_manifest_have_properties(self, serve, registry: Open) -> None:
        server = serve(answer(200, b'{"tag":{"name":"1"}}'), answer(200, b'{"manifest":{"tags":["1"]}}'))
        metadata = registry(server).metadata
        assert metadata.tag("a/b", "1") == {"name": "1"}
        assert metadata.manifest("a/b", MANIFEST.digest) == {"tags": ["1"]}
        assert server.lines() == ["GET /acr/v1/a/b/_tags/1", f"GET /acr/v1/a/b/_manifests/{MANIFEST.digest}"]

    def test_tags_of_another_manifest_are_left_out(self, serve, registry: Open) -> None:
        tags = [{"name": "1", "digest": MANIFEST.digest}, {"name": "2", "digest": digest_of(b"")}]
        server = serve(answer(200, json.dumps({"tags": tags}).encode()))
        assert registry(server).metadata.tags_of("a", MANIFEST.digest) == tags[:1]
        assert f"digest={quote(MANIFEST.digest, safe='')}" in server.requests[0].query

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"null",
            b"<html>",
            b"[" * 100_000,
            b'{"tag":null}',
            b'{"tag":[]}',
            b'{"tags":5}',
            b'{"tags":["x"]}',
            b'{"tags":[null]}',
            b'{"tags":{"a":1}}',
            b'{"tags":[{}]}',
            b'{"tags":[{"name":5}]}',
        ],
    )
    def test_another_answer_than_the_described_one_is_refused(self, serve, registry: Open, body: bytes) -> None:
        server = serve(answer(200, body), answer(200, body))
        metadata = registry(server).metadata
        with pytest.raises(errors.ProtocolError):
            metadata.tag("a", "1")
        if body not in (b'{"tag":null}', b'{"tag":[]}'):
            with pytest.raises(errors.ProtocolError):
                metadata.tags_of("a", MANIFEST.digest)

    def test_what_is_not_there_is_not_found(self, serve, registry: Open) -> None:
        server = serve(*[answer(404, b'{"errors": [{"code": "TAG_UNKNOWN"}]}')] * 3)
        metadata = registry(server).metadata
        for ask in (
            lambda: metadata.tag("a", "1"),
            lambda: metadata.manifest("a", MANIFEST.digest),
            lambda: metadata.tags_of("a", MANIFEST.digest),
        ):
            with pytest.raises(errors.NotFoundError, match="does not exist"):
                ask()

    def test_a_registry_without_this_api_is_not_acr(self, serve, registry: Open) -> None:
        with pytest.raises(errors.ProtocolError, match="no Azure Container Registry"):
            registry(serve(answer(404, b"404 page not found\n"))).metadata.tag("a", "1")


class TestBlobs:
    @pytest.mark.parametrize(("status", "there"), [(200, True), (307, True), (404, False)])
    def test_a_blob_is_there_or_not(self, serve, registry: Open, status: int, there: bool) -> None:
        server = serve(answer(status, Location="https://store.example/"))
        assert registry(server).blobs("a").exists(HELLO) is there
        assert server.lines() == [f"HEAD /v2/a/blobs/{HELLO.digest}"]

    def test_a_refusal_is_no_answer_to_that(self, serve, registry: Open) -> None:
        with pytest.raises(errors.PermissionDeniedError):
            registry(serve(answer(403))).blobs("a").exists(HELLO)

    def test_a_blob_is_read_from_its_first_byte_or_a_later_one(self, serve, registry: Open) -> None:
        server = serve(answer(200, b"hello"), answer(206, b"llo", Content_Range="bytes 2-4/5"))
        blobs = registry(server).blobs("a")
        whole, rest = blobs.fetch(HELLO), blobs.fetch(HELLO, 2)
        assert (whole.offset, read(whole), rest.offset, read(rest)) == (0, b"hello", 2, b"llo")
        assert [sent.headers.get("range") for sent in server.requests] == [None, "bytes=2-"]

    @pytest.mark.parametrize(
        "ignored", [[answer(200, b"hello")], [answer(416), answer(200, b"hello")]], ids=["200", "416"]
    )
    def test_a_range_that_is_not_served_gives_the_whole(self, serve, registry: Open, ignored) -> None:
        stream = registry(serve(*ignored)).blobs("a").fetch(HELLO, 2)
        assert (stream.offset, read(stream)) == (0, b"hello")

    @pytest.mark.parametrize(
        "told", ["", "bytes 0-2/5", "bytes 3-4/5", "bytes */5", "2-4/5", "bytes 2-4/5, bytes 0-1/5"]
    )
    def test_another_range_than_asked_for_is_not_used(self, serve, registry: Open, told: str) -> None:
        server = serve(answer(206, b"llo", Content_Range=told), answer(200, b"hello"))
        stream = registry(server).blobs("a").fetch(HELLO, 2)
        assert (stream.offset, read(stream)) == (0, b"hello")
        assert [sent.headers.get("range") for sent in server.requests] == ["bytes=2-", None]

    @pytest.mark.parametrize(
        ("status", "kind"),
        [(404, errors.NotFoundError), (403, errors.PermissionDeniedError), (204, errors.ProtocolError)],
    )
    def test_a_blob_that_is_refused_is_named_safely(self, serve, registry: Open, status: int, kind: type) -> None:
        with pytest.raises(kind) as caught:
            registry(serve(answer(status))).blobs("a").fetch(HELLO)
        assert "\x1b" not in caught.value.message
        if status == 404:
            assert "a\\x1b.txt" in caught.value.message

    def test_a_stream_can_be_given_up(self, serve, registry: Open) -> None:
        server = serve(answer(200, b"hello"), answer(200, b"hello"))
        blobs = registry(server).blobs("a")
        blobs.fetch(HELLO).close()
        assert read(blobs.fetch(HELLO)) == b"hello"


class TestUploads:
    def test_a_mount_of_something_else_is_refused(self, serve, registry: Open) -> None:
        told = {"Docker_Content_Digest": HELLO.digest}
        server = serve(answer(201, **told), answer(201), answer(201, Docker_Content_Digest=digest_of(b"other")))
        uploads = registry(server).uploads("a/b")
        assert uploads.mount(HELLO, "a/c") is None
        assert uploads.mount(HELLO, "a/c") is None
        with pytest.raises(errors.DigestMismatchError, match="mounted other bytes"):
            uploads.mount(HELLO, "a/c")

    def test_the_newest_location_is_used_with_its_query(self, serve, registry: Open) -> None:
        server = serve(
            answer(202, Location=f"{UPLOADS}1?_nouploadcache=false&_state=s1", Range="0-0"),
            answer(202, Location=f"{UPLOADS}1?_nouploadcache=false&_state=s2", Range="0-4"),
            answer(201),
        )
        uploads = registry(server).uploads("a/b")
        session = uploads.begin()
        assert session.offset == 0
        sent = uploads.append(session, Chunk(Memory(b"hello"), 0, 5))
        session = uploads.appended(session, sent, 5)
        assert session.offset == 5
        uploads.finish(session, HELLO, None).close()
        begin, append, finish = server.requests
        assert (begin.method, begin.target, begin.headers["content-length"]) == ("POST", UPLOADS, "0")
        assert append.target.endswith("_state=s1")
        assert append.headers["content-range"] == "0-4"
        assert finish.target.endswith(f"_state=s2&digest={quote(HELLO.digest, safe='')}")
        assert "s2" not in repr(session)

    def test_a_kept_session_of_another_host_is_not_asked_for(self, serve, registry: Open) -> None:
        """The journal is a file: what it says goes where the token may go, or nowhere."""
        server = serve()
        for url in ("https://evil.example/u", "http://127.0.0.1:9/u", "x", ""):
            with pytest.raises(errors.ProtocolError):
                registry(server).uploads("a").status(Session(url, 1))

    def test_a_location_without_a_query_gets_one(self, serve, registry: Open) -> None:
        server = serve(answer(201))
        registry(server).uploads("a").finish(
            Session(f"{server.url}/u/1", 0), HELLO, Chunk(Memory(b"hello"), 0, 5)
        ).close()
        assert server.requests[0].target == f"/u/1?digest={quote(HELLO.digest, safe='')}"
        assert server.requests[0].body == b"hello"

    @pytest.mark.parametrize(
        "location", ["https://evil.example/u", "http://127.0.0.1:9/u", "//evil.example/u", "http://[::1"]
    )
    def test_bytes_go_to_the_registry_alone(self, serve, registry: Open, location: str) -> None:
        server = serve(answer(202, Location=location))
        with pytest.raises(errors.ProtocolError):
            registry(server).uploads("a").begin()

    def test_a_session_without_a_location_is_none(self, serve, registry: Open) -> None:
        with pytest.raises(errors.ProtocolError):
            registry(serve(answer(202))).uploads("a").begin()

    @pytest.mark.parametrize(
        ("told", "offset"), [("0-0", 0), ("0-4", 5), ("bytes=0-4", 5), ("0-9999999999", 10_000_000_000)]
    )
    def test_a_session_says_how_far_it_is(self, serve, registry: Open, told: str, offset: int) -> None:
        server = serve(answer(204, Range=told, Location="/u/1?_state=new"))
        found = registry(server).uploads("a").status(Session(f"{server.url}/u/1?_state=old", 3))
        assert found == Session(f"{server.url}/u/1?_state=new", offset)

    @pytest.mark.parametrize("told", ["", "5-9", "0-", "0--1", "0-x", "bytes 0-4/*", "0-" + "9" * 30])
    def test_a_session_that_does_not_say_it_is_refused(self, serve, registry: Open, told: str) -> None:
        server = serve(answer(204, Range=told))
        with pytest.raises(errors.ProtocolError, match="how far"):
            registry(server).uploads("a").status(Session(f"{server.url}/u/1", 0))

    def test_a_lost_session_is_none_and_a_refused_one_an_error(self, serve, registry: Open) -> None:
        server = serve(answer(404), answer(403), answer(403))
        uploads = registry(server).uploads("a")
        assert uploads.status(Session(f"{server.url}/u/1", 0)) is None
        with pytest.raises(errors.PermissionDeniedError):
            uploads.status(Session(f"{server.url}/u/1", 0))
        with pytest.raises(errors.PermissionDeniedError):
            uploads.begin()


def test_a_401_is_answered_once_with_a_fresh_token_and_the_same_body(serve, registry: Open) -> None:
    challenge = 'Bearer realm="{}/token",service="s",scope="x"'
    server = serve(
        answer(401),
        answer(200, b'{"token":"t1"}'),
        answer(201),
        answer(401),
        answer(200, b'{"token":"t2"}'),
        answer(401),
    )
    server._left[0] = answer(401, WWW_Authenticate=challenge.format(server.url))
    server._left[3] = server._left[5] = server._left[0]
    opened = registry(server)
    opened.manifests.put("a", MANIFEST, "1")
    with pytest.raises(errors.SignInError):
        opened.manifests.put("a", MANIFEST, "1")
    puts = [sent for sent in server.requests if sent.method == "PUT"]
    assert [sent.headers.get("authorization") for sent in puts] == [None, "Bearer t1", "Bearer t1", "Bearer t2"]
    assert {sent.body for sent in puts} == {MANIFEST.raw}


def test_a_401_of_the_storage_host_is_not_answered(serve, registry: Open) -> None:
    storage = serve(answer(401, WWW_Authenticate="Basic"))
    server = serve(answer(307, Location=f"{storage.url}/x"))
    with pytest.raises(errors.SignInError):
        registry(server).blobs("a").fetch(HELLO)
    assert (len(storage.requests), len(server.requests)) == (1, 1)
