"""Responses as raw bytes: which are read, and which are refused."""

from __future__ import annotations

import socket

import pytest

from azext_acrartifact.errors import ConnectionFailedError, ProtocolError
from azext_acrartifact.transport.http_response import EXTRA_LIMIT, HEADERS_LIMIT, LINE_LIMIT, LeanResponse
from azext_acrartifact.transport.messages import Request
from tests.support.server import RawResponse, respond
from tests.unit.transport.doubles import drain, get

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX Y: blank\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\xa0X: latin\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 102 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 6 + respond(200).raw,
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 6 + respond(200).raw,
    ],
    ids=[
        "ssh", "no-status", "two", "nine", "big-status", "no-header", "no-name", "blank-in-name", "folded",
        "latin-name", "unequal-lengths", "unequal-codings", "negative", "two-lengths", "huge-length", "coding",
        "long-header", "long-reason", "many-headers", "interim-100", "interim-103",
    ],
)  # fmt: skip
def test_invalid_http_is_refused_without_a_retry(serve, http, raw: bytes) -> None:
    server = serve(RawResponse(raw, "close"), respond(200))
    with pytest.raises(ProtocolError, match="not valid HTTP"):
        http.send(Request("GET", server.url + "/"))
    assert server.left == 1


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1", b"HTTP/1.1 307 Go\r\nLocation: /a\r\nX"],
)
def test_headers_that_end_early_are_a_failed_connection(serve, once, head: bytes) -> None:
    """Half of the last header may be another URL or another length."""
    server = serve(RawResponse(head, "close"))
    with pytest.raises(ConnectionFailedError, match="ended early"):
        get(once, server)


def test_the_longest_header_and_the_most_headers_are_read(serve, http) -> None:
    longest = b"X: " + b"x" * (LINE_LIMIT - 5) + b"\r\n"
    assert len(longest) == LINE_LIMIT
    many = b"".join(b"X%d: y\r\n" % number for number in range(HEADERS_LIMIT - 2))
    server = serve(RawResponse(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n" + longest + many + b"\r\nc"))
    assert get(http, server) == b"c"
    assert (LINE_LIMIT, HEADERS_LIMIT) == (64 * 1024, 100)


def test_the_first_of_two_equal_headers_counts(serve, http) -> None:
    raw = b"HTTP/1.1 200 OK\r\nX: a\r\nx: b\r\nContent-Length: 1\r\nContent-length: 1\r\n\r\nc"
    server = serve(RawResponse(raw))
    with http.send(Request("GET", server.url + "/")) as response:
        assert (response.headers["X"], response.content(5)) == ("a", b"c")


def test_five_interim_responses_are_skipped(serve, http) -> None:
    server = serve(RawResponse(b"HTTP/1.1 100 Continue\r\n\r\n" * 5 + respond(200, b"x").raw))
    assert get(http, server) == b"x"


@pytest.mark.parametrize(
    "raw",
    [
        RawResponse(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "close"),
        RawResponse(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "reset"),
        RawResponse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "close"),
        RawResponse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello", "close"),
        RawResponse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\nhello\r\n", "close"),
    ],
    ids=["short", "reset", "no-last-chunk", "short-chunk", "bad-chunk-size"],
)
def test_an_incomplete_body_is_an_error_however_it_is_read(serve, once, raw: RawResponse) -> None:
    server = serve(raw, raw)
    with pytest.raises(ConnectionFailedError, match="connection"):
        get(once, server)
    response = once.send(Request("GET", server.url + "/?sig=secret"))
    with pytest.raises(ConnectionFailedError) as caught:
        drain(response, 3)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "body",
    [
        b"5\r\nhello\r\n0\r\n\r\n",
        b"005 ;name=value\r\nhello\r\n0;last\r\nTrailer: x\r\n\r\n",
        b"2\nhe\r\n3;x=\xff\r\nllo\r\n0\n\n",
        b"5;" + b"x" * 60_000 + b"\r\nhello\r\n0\r\nX: y\r\n\r\n",
    ],
)
def test_chunks_may_have_extensions_and_trailers(serve, http, body: bytes) -> None:
    server = serve(RawResponse(CHUNKED + body), respond(200, b"next"))
    assert get(http, server) == b"hello"
    assert get(http, server) == b"next"
    assert server.connections == 1


@pytest.mark.parametrize("length", [b"0", b"3", b"99"])
def test_chunks_override_a_length(serve, http, length: bytes) -> None:
    """RFC 9112 §6.3: a length is ignored beside chunks."""
    head = CHUNKED.removesuffix(b"\r\n") + b"Content-Length: " + length + b"\r\n\r\n"
    assert get(http, serve(RawResponse(head + b"5\r\nhello\r\n0\r\n\r\n"))) == b"hello"


@pytest.mark.parametrize("size", [b"-5", b"+5", b"0x5", b"5_0", b" 5", b"", b"five", b"1" * 17, b"5 5"])
def test_a_chunk_without_a_size_is_a_failed_connection(serve, once, size: bytes) -> None:
    server = serve(RawResponse(CHUNKED + size + b"\r\nhello\r\n0\r\n\r\n", "close"))
    with pytest.raises(ConnectionFailedError, match="ended early"):
        get(once, server)


@pytest.mark.parametrize(
    "endless",
    [
        b"0\r\n" + b"X: y\r\n" * 20_000,
        (b"1;" + b"x" * 1000 + b"\r\n.\r\n") * 100,
        b"0\r\n" + b"x" * 70_000,
        b"5;" + b"x" * 70_000,
    ],
    ids=["trailers", "extensions", "trailer", "extension"],
)
def test_extensions_and_trailers_are_limited(serve, once, endless: bytes) -> None:
    """http.client reads any number of trailers, and a body of a megabyte could take 64 gigabytes."""
    server = serve(RawResponse(CHUNKED + endless, "close"))
    with pytest.raises(ProtocolError, match="not valid HTTP"):
        get(once, server)


def test_trailers_may_be_as_long_as_the_limit(serve, http) -> None:
    trailers = (b"X: " + b"x" * (EXTRA_LIMIT // 2 - 5) + b"\r\n") * 2
    assert len(trailers) == EXTRA_LIMIT == 64 * 1024
    assert get(http, serve(RawResponse(CHUNKED + b"5\r\nhello\r\n0\r\n" + trailers + b"\r\n"))) == b"hello"


@pytest.mark.usefixtures("loopback")
def test_a_response_whose_reader_was_closed_is_closed_in_silence() -> None:
    """After an error both are dropped, in any order."""
    one, other = socket.socketpair()
    with one, other:
        response = LeanResponse(one)
        response.fp.close()
        response.close()
    assert response.closed
