"""Blob downloads: a range is used only if it begins where it should."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact import errors
from azext_acrartifact.auth.distribution import ChallengeAuthorizer
from azext_acrartifact.oci.blobs import _begins_at
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.messages import Headers, Request, Response
from azext_acrartifact.transport.network import Network
from tests.support.server import RawResponse, respond
from tests.unit.oci.samples import HELLO, Open


def read(stream) -> bytes:
    buffer, content = memoryview(bytearray(3)), bytearray()
    while count := stream.readinto(buffer):
        content += buffer[:count]
    return bytes(content)


def partial(content_range: str) -> Response:
    request = Request("GET", "https://myregistry.azurecr.io/v2/a/blobs/x")
    return Response(request, 206, Headers([("Content-Range", content_range)]), io.BytesIO())


@pytest.mark.parametrize(("status", "exists"), [(200, True), (307, True), (404, False)])
def test_a_blob_exists_or_not(serve, registry: Open, status: int, exists: bool) -> None:
    server = serve(respond(status, Location="https://store.example/"))
    assert registry(server).blobs("a").exists(HELLO) is exists
    assert server.lines() == [f"HEAD /v2/a/blobs/{HELLO.digest}"]


def test_a_refused_check_is_an_error(serve, registry: Open) -> None:
    with pytest.raises(errors.PermissionDeniedError):
        registry(serve(respond(403))).blobs("a").exists(HELLO)


def test_a_blob_is_downloaded_from_any_offset(serve, registry: Open) -> None:
    server = serve(respond(200, b"hello"), respond(206, b"llo", Content_Range="bytes 2-4/5"))
    blobs = registry(server).blobs("a")
    whole, rest = blobs.fetch(HELLO), blobs.fetch(HELLO, 2)
    assert (whole.offset, read(whole), rest.offset, read(rest)) == (0, b"hello", 2, b"llo")
    assert [sent.headers.get("range") for sent in server.requests] == [None, "bytes=2-"]


@pytest.mark.parametrize(
    "ignored", [[respond(200, b"hello")], [respond(416), respond(200, b"hello")]], ids=["200", "416"]
)
def test_an_unsupported_range_gives_the_whole_blob(serve, registry: Open, ignored) -> None:
    stream = registry(serve(*ignored)).blobs("a").fetch(HELLO, 2)
    assert (stream.offset, read(stream)) == (0, b"hello")


@pytest.mark.parametrize("header", ["", "bytes 0-2/5", "bytes 3-4/5"])
def test_a_different_range_is_not_used(serve, registry: Open, header: str) -> None:
    server = serve(respond(206, b"llo", Content_Range=header), respond(200, b"hello"))
    stream = registry(server).blobs("a").fetch(HELLO, 2)
    assert (stream.offset, read(stream)) == (0, b"hello")
    assert [sent.headers.get("range") for sent in server.requests] == ["bytes=2-", None]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, errors.NotFoundError), (403, errors.PermissionDeniedError), (204, errors.ProtocolError)],
)
def test_a_refused_blob_is_named_without_control_characters(serve, registry: Open, status: int, kind: type) -> None:
    with pytest.raises(kind) as caught:
        registry(serve(respond(status))).blobs("a").fetch(HELLO)
    assert "\x1b" not in caught.value.message
    if status == 404:
        assert "a\\x1b.txt" in caught.value.message


@pytest.mark.parametrize("redirected", [False, True])
def test_a_blob_may_take_any_time_as_long_as_it_makes_progress(serve, redirected: bool) -> None:
    """Read for three timeouts. Only an exchange of metadata has to end within two."""
    whole = respond(200, b"x" * 14_000).raw
    slow = RawResponse(lambda: (whole[at : at + 1000] for at in range(0, len(whole), 1000)), pause=0.1)
    storage = serve(slow)
    server = serve(respond(307, Location=f"{storage.url}/x") if redirected else slow)
    http = HttpClient(Network("unit/1", stall_timeout=0.5))
    opened = Registry(server.server, server.url, http, ChallengeAuthorizer(server.url, http, None))
    assert read(opened.blobs("a").fetch(HELLO)) == b"x" * 14_000
    http.close()


def test_a_stream_can_be_closed_early(serve, registry: Open) -> None:
    server = serve(respond(200, b"hello"), respond(200, b"hello"))
    blobs = registry(server).blobs("a")
    blobs.fetch(HELLO).close()
    assert read(blobs.fetch(HELLO)) == b"hello"


@given(st.integers(0, 10**19 - 1), st.integers(0, 10**19 - 1), st.none() | st.integers(0, 10**19 - 1))
def test_a_content_range_says_where_it_begins(first: int, last: int, size: int | None) -> None:
    response = partial(f"bytes {first}-{last}/{'*' if size is None else size}")
    assert _begins_at(first, response)
    assert not _begins_at(first + 1, response)


@pytest.mark.parametrize(
    "value",
    ["", "bytes", "bytes 3", "bytes 3-", "bytes 3-4", "3-4/5", "items 3-4/5", "bytes=3-4/5", "bytes 3-4/5, 0-1/5",
     "bytes -3-4/5", "bytes 3.0-4/5", "bytes 3-4/5\n0", "bytes */5", "bytes 3-4/5/6", "bytes " + "0" * 19 + "3-4/5"],
)  # fmt: skip
def test_an_invalid_content_range_is_ignored(value: str) -> None:
    assert not _begins_at(3, partial(value))


@given(st.text(max_size=40))
def test_any_content_range_is_parsed(value: str) -> None:
    assert _begins_at(3, partial(value)) in (True, False)
