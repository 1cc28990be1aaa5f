"""The address of one range serves the next ones, as long as it is good."""

from __future__ import annotations

import pytest

from azext_acrartifact.errors import ConnectionFailedError
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.oci.storage_links import MOST_LINKS, StorageLinks
from azext_acrartifact.transport.authorization import Scope
from azext_acrartifact.transport.messages import Headers, Request, Response
from tests.support.server import RawResponse, ScriptedServer, Sent, reset, respond
from tests.unit.oci.samples import HELLO, Open
from tests.unit.oci.test_blobs import read


def part(text: bytes, first: int) -> RawResponse:
    return respond(206, text, Content_Range=f"bytes {first}-{first + len(text) - 1}/5")


def signing(storage: ScriptedServer):
    """Return a registry that signs a new address for each request."""

    def redirect(sent: Sent) -> RawResponse:
        redirect.count += 1
        return respond(307, b"moved", Location=f"{storage.url}/blob?sig={redirect.count}")

    redirect.count = 0
    return redirect


def test_the_registry_is_asked_once_for_all_ranges(serve, registry: Open) -> None:
    storage = serve(part(b"he", 0), part(b"l", 2), part(b"lo", 3))
    server = serve(signing(storage), forever=True)
    blobs = registry(server).blobs("a")
    assert [read(blobs.fetch(HELLO, *wanted)) for wanted in ((0, 2), (2, 1), (3, 2))] == [b"he", b"l", b"lo"]
    assert server.lines() == [f"GET /v2/a/blobs/{HELLO.digest}"]
    assert storage.lines() == ["GET /blob?sig=1"] * 3
    assert [sent.headers["range"] for sent in storage.requests] == ["bytes=0-1", "bytes=2-2", "bytes=3-4"]
    assert not any("authorization" in sent.headers for sent in storage.requests)


@pytest.mark.parametrize(
    "bad",
    [respond(403), respond(404), respond(503), respond(307, Location="/elsewhere"), respond(200, b"hello"), reset(),
     part(b"he", 0), respond(403, b"xx", Content_Range="bytes 2-3/5")],
    ids=["expired", "gone", "busy", "moved", "whole", "reset", "another range", "refused with a range"],
)  # fmt: skip
def test_an_address_that_fails_is_replaced(serve, registry: Open, bad: RawResponse) -> None:
    storage = serve(part(b"he", 0), bad, part(b"ll", 2), part(b"o", 4))
    server = serve(signing(storage), forever=True)
    blobs = registry(server).blobs("a")
    assert [read(blobs.fetch(HELLO, *wanted)) for wanted in ((0, 2), (2, 2), (4, 1))] == [b"he", b"ll", b"o"]
    assert storage.lines() == ["GET /blob?sig=1"] * 2 + ["GET /blob?sig=2"] * 2


def test_an_address_is_replaced_when_its_content_breaks_off(serve, registry: Open) -> None:
    cut = RawResponse(b"HTTP/1.1 206 R\r\nContent-Length: 2\r\nContent-Range: bytes 2-3/5\r\n\r\nl", "close")
    storage = serve(part(b"he", 0), cut, part(b"l", 3))
    blobs = registry(serve(signing(storage), forever=True)).blobs("a")
    assert read(blobs.fetch(HELLO, 0, 2)) == b"he"
    with pytest.raises(ConnectionFailedError):
        read(blobs.fetch(HELLO, 2, 2))
    assert read(blobs.fetch(HELLO, 3, 1)) == b"l"
    assert storage.lines() == ["GET /blob?sig=1"] * 2 + ["GET /blob?sig=2"]


class Signed:
    """An authorization that needs no request."""

    def authorization(self, scope: Scope) -> str:
        return "Bearer secret"


def test_without_a_redirect_the_registry_serves_every_range(serve, http) -> None:
    server = serve(part(b"he", 0), part(b"ll", 2))
    blobs = Registry(server.server, server.url, http, Signed()).blobs("a")
    assert [read(blobs.fetch(HELLO, 0, 2)), read(blobs.fetch(HELLO, 2, 2))] == [b"he", b"ll"]
    assert [sent.headers["authorization"] for sent in server.requests] == ["Bearer secret"] * 2


def test_an_address_that_failed_is_not_used_again(serve, registry: Open) -> None:
    storage = serve(part(b"he", 0), respond(403))
    server = serve(respond(307, Location=f"{storage.url}/blob"), part(b"l", 2), part(b"lo", 3))
    blobs = registry(server).blobs("a")
    assert [read(blobs.fetch(HELLO, *wanted)) for wanted in ((0, 2), (2, 1), (3, 2))] == [b"he", b"l", b"lo"]
    assert (len(storage.requests), len(server.requests)) == (2, 3)


def test_a_whole_blob_and_a_resumed_one_get_a_new_address(serve, registry: Open) -> None:
    storage = serve(part(b"he", 0), respond(200, b"hello"), part(b"lo", 3))
    blobs = registry(serve(signing(storage), forever=True)).blobs("a")
    assert [read(blobs.fetch(HELLO, *wanted)) for wanted in ((0, 2), (), (3,))] == [b"he", b"hello", b"lo"]
    assert storage.lines() == [f"GET /blob?sig={number}" for number in (1, 2, 3)]


def test_each_blob_has_its_own_address_and_old_ones_are_dropped(http) -> None:
    links = StorageLinks(http)
    blobs = [Descriptor("a/b", digest_of(str(number).encode()), 1) for number in range(MOST_LINKS + 1)]
    for blob in blobs:
        request = Request("GET", f"https://store.example/{blob.digest}")
        links.keep(blob.digest, Response(request, 206, Headers(), None))
    assert list(links._links) == [blob.digest for blob in blobs[1:]]
    assert links.get(blobs[0].digest, {}) is None
