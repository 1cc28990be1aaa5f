"""What comes over the wire: status lines, fields, interim answers, chunks."""

from __future__ import annotations

import http.client
import io

from azext_acrartifact.errors import ArtifactError
from azext_acrartifact.transport.connection_errors import FAILURES, failure
from azext_acrartifact.transport.error_responses import error_from
from azext_acrartifact.transport.http_response import FIELDS_LIMIT, LeanResponse
from azext_acrartifact.transport.messages import Headers, Request, Response
from tests.fuzz.shown import is_harmless

MOST = 1 << 16


class _Wire:
    """A socket that has brought *data* and ends."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Its bytes."""
        return io.BufferedReader(io.BytesIO(self._data))  # type: ignore[arg-type]


def check(data: bytes) -> None:
    """The first byte chooses the method."""
    method = "HEAD" if data[:1] == b"H" else "GET"
    request = Request(method, "https://myregistry.azurecr.io/v2/")
    try:
        answer = _answer(data[1:], request)
        body = _body(answer, method)
    except FAILURES as error:
        assert is_harmless(failure(error, request, None).message)
        return
    response = Response(request, answer.status, Headers(answer.headers.items()), io.BytesIO(body))
    try:
        error = error_from(response, "It failed")
    except ArtifactError as caught:
        error = caught
    assert is_harmless(error.message)


def _answer(data: bytes, request: Request) -> http.client.HTTPResponse:
    answer = LeanResponse(_Wire(data), method=request.method)  # type: ignore[arg-type]
    answer.begin()
    assert 200 <= answer.status <= 999
    assert len(answer.headers.items()) <= FIELDS_LIMIT
    assert data.count(b"HTTP/") >= 1
    assert all(name == name.lower().strip() and name for name, _ in answer.headers.items())
    assert answer.length is None or answer.length >= 0
    assert not (answer.chunked and answer.length), "two ways to end"
    return answer


def _body(answer: http.client.HTTPResponse, method: str) -> bytes:
    """All of it, as `pool` reads it: never more than was announced."""
    announced, body, buffer = answer.length, bytearray(), bytearray(777)
    while answer.length != 0 and (count := answer.readinto(buffer)):
        assert 0 < count <= len(buffer)
        body += buffer[:count]
        assert len(body) <= MOST
    assert announced is None or len(body) <= announced
    assert method != "HEAD" or not body
    return bytes(body)
