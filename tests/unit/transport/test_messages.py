"""Requests, responses and headers."""

from __future__ import annotations

import pytest

from azext_acrartifact.errors import ProtocolError
from azext_acrartifact.transport.messages import Headers, Request, origin_of
from tests.unit.transport.doubles import response_to

REQUEST = Request("GET", "https://h.example/p?sig=secret")


def test_the_case_of_a_header_does_not_matter_and_the_first_counts() -> None:
    headers = Headers([("Link", "one"), ("LINK", "two"), ("ETag", "x")])
    assert headers["link"] == headers["LINK"] == "one"
    assert "etag" in headers
    assert headers.get("absent") is None
    assert (len(headers), list(headers)) == (2, ["link", "etag"])


@pytest.mark.parametrize(
    ("method", "repeatable", "may"),
    [
        ("GET", None, True), ("HEAD", None, True), ("PUT", None, True), ("DELETE", None, True),
        ("POST", None, False), ("PATCH", None, False), ("POST", True, True), ("PUT", False, False),
    ],
)  # fmt: skip
def test_only_harmless_requests_are_repeated(method: str, repeatable: bool | None, may: bool) -> None:
    assert Request(method, "https://h.example/", repeatable=repeatable).may_repeat is may


def test_a_request_never_shows_its_secrets() -> None:
    request = Request("GET", "https://h.example/p?sig=secret", authorization="Bearer secret")
    assert request.where == "GET https://h.example/p"
    assert "Bearer" not in repr(request)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://H.Example/x", ("https", "h.example", 443)),
        ("http://127.0.0.1:5000", ("http", "127.0.0.1", 5000)),
        ("https://[::1]:8443/x", ("https", "::1", 8443)),
        ("https://my_store.blob.example", ("https", "my_store.blob.example", 443)),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: tuple[str, str, int]) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "", "/path", "ftp://h.example/", "https://", "https:///path", "https://u@h.example/", "https://u:p@h.example/",
        "https://h.example:99999/", "https://h.example:x/", "https://[::1/", "file:///etc/passwd",
        "https://h.example/sp ace", "https://h.example/\u00e9", "https://h\u00e9.example/", "https://a..b/",
        "https://.h.example/", "https://" + "a" * 64 + ".example/", "https://h.example/\x7f",
    ],
)  # fmt: skip
def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(ProtocolError, match="Not a usable URL"):
        origin_of(url)


def test_a_body_is_read_whole_and_closed() -> None:
    response = response_to(REQUEST, content=b"x" * 200_000)
    assert response.content(200_000) == b"x" * 200_000
    assert response._raw.closed == 1


@pytest.mark.parametrize("limit", [0, 1, 99, 65536])
def test_a_body_over_its_limit_is_refused_and_closed(limit: int) -> None:
    response = response_to(REQUEST, content=b"x" * (limit + 1))
    with pytest.raises(ProtocolError, match="too long") as caught:
        response.content(limit)
    assert response._raw.closed == 1
    assert "secret" not in str(caught.value)


def test_success_is_2xx() -> None:
    assert [response_to(REQUEST, status).ok for status in (199, 200, 299, 300, 404)] == [
        False,
        True,
        True,
        False,
        False,
    ]
