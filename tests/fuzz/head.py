"""Bytes from the network: status lines, headers, interim responses, chunked bodies."""

from __future__ import annotations

import http.client
import io

from azext_acrartifact.errors import ArtifactError
from azext_acrartifact.transport.connection_errors import FAILURES, failure
from azext_acrartifact.transport.error_responses import error_from
from azext_acrartifact.transport.http_response import HEADERS_LIMIT, LeanResponse
from azext_acrartifact.transport.messages import Headers, Request, Response
from tests.fuzz.shown import is_harmless

MOST = 1 << 16


class _Wire:
    """A socket that receives *data* and then ends."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return its bytes as a file."""
        return io.BufferedReader(io.BytesIO(self._data))  # type: ignore[arg-type]


def check(data: bytes) -> None:
    """Let the first byte choose the method."""
    method = "HEAD" if data[:1] == b"H" else "GET"
    request = Request(method, "https://myregistry.azurecr.io/v2/")
    try:
        parsed = _parse(data[1:], request)
        body = _body(parsed, method)
    except FAILURES as error:
        assert is_harmless(failure(error, request, None).message)
        return
    response = Response(request, parsed.status, Headers(parsed.headers.items()), io.BytesIO(body))
    try:
        error = error_from(response, "It failed")
    except ArtifactError as caught:
        error = caught
    assert is_harmless(error.message)


def _parse(data: bytes, request: Request) -> http.client.HTTPResponse:
    parsed = LeanResponse(_Wire(data), method=request.method)  # type: ignore[arg-type]
    parsed.begin()
    assert 200 <= parsed.status <= 999
    assert len(parsed.headers.items()) <= HEADERS_LIMIT
    assert data.count(b"HTTP/") >= 1
    assert all(name == name.lower().strip() and name for name, _ in parsed.headers.items())
    assert parsed.length is None or parsed.length >= 0
    assert not (parsed.chunked and parsed.length), "two ways to end"
    return parsed


def _body(parsed: http.client.HTTPResponse, method: str) -> bytes:
    """Read the body as `pool` does: never more than was announced."""
    announced, body, buffer = parsed.length, bytearray(), bytearray(777)
    while parsed.length != 0 and (count := parsed.readinto(buffer)):
        assert 0 < count <= len(buffer)
        body += buffer[:count]
        assert len(body) <= MOST
    assert announced is None or len(body) <= announced
    assert method != "HEAD" or not body
    return bytes(body)
