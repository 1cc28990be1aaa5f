"""Uploads: sessions, their Locations and their progress."""

from __future__ import annotations

import contextlib
import io
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact import errors
from azext_acrartifact.oci.content import Chunk, Memory
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.uploads import Session, bytes_received
from azext_acrartifact.transport.messages import Headers, Request, Response
from tests.support.server import respond
from tests.unit.oci.samples import HELLO, Open

UPLOADS = "/v2/a/b/blobs/uploads/"


def progress(value: str) -> Response:
    request = Request("GET", "https://myregistry.azurecr.io/v2/a/blobs/uploads/x")
    return Response(request, 204, Headers([("Range", value)]), io.BytesIO())


def test_a_mount_of_another_blob_is_refused(serve, registry: Open) -> None:
    mounted = [respond(201, Docker_Content_Digest=digest) for digest in (HELLO.digest, digest_of(b"other"))]
    server = serve(mounted[0], respond(201), mounted[1])
    uploads = registry(server).uploads("a/b")
    assert uploads.mount(HELLO, "a/c") is None
    assert uploads.mount(HELLO, "a/c") is None
    with pytest.raises(errors.DigestMismatchError, match="mounted another blob"):
        uploads.mount(HELLO, "a/c")


def test_the_newest_location_is_used_with_its_query(serve, registry: Open) -> None:
    server = serve(
        respond(202, Location=f"{UPLOADS}1?_nouploadcache=false&_state=s1", Range="0-0"),
        respond(202, Location=f"{UPLOADS}1?_nouploadcache=false&_state=s2", Range="0-4"),
        respond(201),
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


def test_a_resumed_session_must_be_on_the_registry(serve, registry: Open) -> None:
    """Refuse the URL in a session file, as the registry's token would be sent to it."""
    server = serve()
    for url in ("https://evil.example/u", "http://127.0.0.1:9/u", "x", ""):
        with pytest.raises(errors.ProtocolError):
            registry(server).uploads("a").status(Session(url, 1))


def test_a_location_without_a_query_gets_one(serve, registry: Open) -> None:
    server = serve(respond(201))
    registry(server).uploads("a").finish(Session(f"{server.url}/u/1", 0), HELLO, Chunk(Memory(b"hello"), 0, 5)).close()
    assert server.requests[0].target == f"/u/1?digest={quote(HELLO.digest, safe='')}"
    assert server.requests[0].body == b"hello"


@pytest.mark.parametrize(
    "location", ["https://evil.example/u", "http://127.0.0.1:9/u", "//evil.example/u", "http://[::1"]
)
def test_a_location_on_another_host_is_refused(serve, registry: Open, location: str) -> None:
    server = serve(respond(202, Location=location))
    with pytest.raises(errors.ProtocolError):
        registry(server).uploads("a").begin()


def test_a_session_without_a_location_is_refused(serve, registry: Open) -> None:
    with pytest.raises(errors.ProtocolError):
        registry(serve(respond(202))).uploads("a").begin()


@pytest.mark.parametrize(
    ("header", "offset"), [("0-0", 0), ("0-4", 5), ("bytes=0-4", 5), ("0-9999999999", 10_000_000_000)]
)
def test_a_session_reports_its_progress(serve, registry: Open, header: str, offset: int) -> None:
    server = serve(respond(204, Range=header, Location="/u/1?_state=new"))
    found = registry(server).uploads("a").status(Session(f"{server.url}/u/1?_state=old", 3))
    assert found == Session(f"{server.url}/u/1?_state=new", offset)


def test_a_missing_session_is_none_and_a_refused_one_an_error(serve, registry: Open) -> None:
    server = serve(respond(404), respond(403), respond(403))
    uploads = registry(server).uploads("a")
    assert uploads.status(Session(f"{server.url}/u/1", 0)) is None
    with pytest.raises(errors.PermissionDeniedError):
        uploads.status(Session(f"{server.url}/u/1", 0))
    with pytest.raises(errors.PermissionDeniedError):
        uploads.begin()


@given(st.integers(1, 10**19 - 1), st.sampled_from(["", "bytes="]))
def test_the_progress_is_one_more_than_the_last_byte(last: int, unit: str) -> None:
    assert bytes_received(progress(f"{unit}0-{last}")) == last + 1


@pytest.mark.parametrize(
    "value",
    ["", "0", "1-5", "0-", "0--1", "0--5", "-5", "0-x", "0-5/6", "bytes 0-4/*", "0-5, 7-9", "0-" + "9" * 20, "0-5\n1"],
)
def test_an_invalid_progress_is_refused(value: str) -> None:
    with pytest.raises(errors.ProtocolError, match="progress of an upload"):
        bytes_received(progress(value))


@given(st.text(max_size=40))
def test_any_progress_is_parsed_or_refused(value: str) -> None:
    with contextlib.suppress(errors.ProtocolError):
        assert bytes_received(progress(value)) >= 0
