"""Requests that are sent again, and redirects that are followed."""

from __future__ import annotations

import threading

import pytest

from azext_acrartifact.errors import CancelledError, ConnectionFailedError, ProtocolError
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.messages import Request
from azext_acrartifact.transport.network import Network
from azext_acrartifact.transport.retry import Waiter
from tests.support.server import RawResponse, reset, respond


@pytest.mark.parametrize("failure", [respond(503), respond(429, Retry_After="0"), reset(), RawResponse(b"", "close")])
def test_a_safe_request_is_sent_again(serve, http, notices: list[str], failure: RawResponse) -> None:
    server = serve(failure, failure, respond(200, b"x"))
    assert http.send(Request("GET", server.url + "/")).content(10) == b"x"
    assert len(server.requests) == 3
    assert len(notices) == 2


def test_a_body_is_sent_again_from_its_first_byte(serve, http) -> None:
    server = serve(respond(500), reset(), respond(201))
    http.send(Request("PUT", server.url + "/", body=b"whole")).close()
    assert [sent.body for sent in server.requests] == [b"whole"] * 3


@pytest.mark.parametrize("failure", [respond(503, b"busy"), reset()])
def test_an_unsafe_request_is_sent_once(serve, http, failure: RawResponse) -> None:
    server = serve(failure, respond(201))
    request = Request("PATCH", server.url + "/", body=b"x")
    if failure.after == "reset":
        with pytest.raises(ConnectionFailedError):
            http.send(request)
    else:
        assert http.send(request).content(10) == b"busy"
    assert len(server.requests) == 1


def test_the_response_to_the_sixth_try_is_final(serve, http) -> None:
    server = serve(*[respond(503, b"busy")] * 7)
    response = http.send(Request("GET", server.url + "/"))
    assert (response.status, response.content(10)) == (503, b"busy")
    assert len(server.requests) == 6


def test_the_error_of_the_sixth_try_is_final(serve, http) -> None:
    server = serve(*[reset()] * 7)
    with pytest.raises(ConnectionFailedError):
        http.send(Request("GET", server.url + "/"))
    assert len(server.requests) == 6


def test_a_response_that_asks_for_a_long_wait_is_final(serve, http, notices: list[str]) -> None:
    server = serve(respond(429, Retry_After="3600"), respond(200))
    assert http.send(Request("GET", server.url + "/")).status == 429
    assert (server.left, notices) == (1, [])


def test_cancelling_ends_a_request_that_waits_for_its_next_try(serve) -> None:
    server = serve(respond(429, Retry_After="100"))
    http = HttpClient(Network("unit/1"), Waiter())
    threading.Timer(0.1, http.waiter.cancelled.set).start()
    with pytest.raises(CancelledError):
        http.send(Request("GET", server.url + "/"))
    http.close()


def test_a_redirect_to_another_origin_is_followed_without_the_token(serve, http) -> None:
    storage = serve(respond(206, b"llo", Content_Range="bytes 2-4/5"))
    server = serve(
        respond(302, Location="/second?a=b"), respond(308, b"moved", Location=f"{storage.url}/blob?sig=secret")
    )
    request = Request("GET", server.url + "/first", {"Range": "bytes=2-", "X-Own": "1"}, authorization="Bearer t")
    assert http.send(request).content(10) == b"llo"
    assert server.lines() == ["GET /first", "GET /second?a=b"]
    assert [sent.headers["authorization"] for sent in server.requests] == ["Bearer t"] * 2
    (last,) = storage.requests
    assert last.headers["range"] == "bytes=2-"
    assert not {"authorization", "x-own"} & last.headers.keys()


@pytest.mark.parametrize(
    ("status", "followed"),
    [(301, True), (302, True), (303, True), (307, True), (308, True), (300, False), (304, False), (305, False)],
)
def test_each_status_that_redirects(serve, http, status: int, followed: bool) -> None:
    server = serve(respond(status, Location="/b"), respond(200, b"b"))
    with http.send(Request("GET", server.url + "/a")) as response:
        assert response.status == (200 if followed else status)
    assert len(server.requests) == 1 + followed


def test_a_token_is_not_sent_again_once_it_was_removed(serve, http) -> None:
    server = serve(respond(307, Location=""), respond(200))
    storage = serve(respond(307, Location=f"{server.url}/back"))
    server._left[0] = respond(307, Location=f"{storage.url}/away")
    http.send(Request("GET", server.url + "/", authorization="Bearer t")).close()
    assert [sent.headers.get("authorization") for sent in server.requests] == ["Bearer t", None]


def test_five_hops_are_followed_and_no_more(serve, http) -> None:
    server = serve(*[respond(307, Location="/next")] * 5, respond(200, b"x"))
    assert http.send(Request("GET", server.url + "/")).content(5) == b"x"
    server = serve(*[respond(307, Location="/next")] * 7)
    with pytest.raises(ProtocolError, match="Too many redirects"):
        http.send(Request("GET", server.url + "/"))
    assert len(server.requests) == 6


def test_a_redirect_can_be_returned(serve, http) -> None:
    server = serve(respond(307, Location="https://elsewhere.example/"))
    assert http.send(Request("GET", server.url + "/"), follow=False).status == 307


def test_a_retry_after_a_redirect_begins_at_the_registry(serve, http) -> None:
    """Signed URLs are valid for minutes, so that a retry begins at the registry."""
    server = serve(
        respond(307, Location="/signed1"), respond(503), respond(307, Location="/signed2"), respond(200, b"x")
    )
    assert http.send(Request("GET", server.url + "/blob")).content(5) == b"x"
    assert server.lines() == ["GET /blob", "GET /signed1", "GET /blob", "GET /signed2"]
