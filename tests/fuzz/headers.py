"""Headers that decide where a client goes next, through everything that reads them."""

from __future__ import annotations

import contextlib
import math

from azext_acrartifact.auth.challenge import parse_challenge
from azext_acrartifact.errors import ArtifactError
from azext_acrartifact.oci.blobs import BlobStream
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.uploads import Session
from azext_acrartifact.transport.error_responses import error_from
from azext_acrartifact.transport.messages import Request, origin_of
from azext_acrartifact.transport.redaction import public_url
from azext_acrartifact.transport.retry import retry_after
from tests.fuzz.canned import TOKEN, URL, Canned, parse_response, registry
from tests.fuzz.shown import is_harmless

BLOB = Descriptor("application/octet-stream", digest_of(b"hello"), 5)
OFFSET = 3


def check(data: bytes) -> None:
    """Let the first line choose the request; the rest are responses, as `canned.Canned` reads them."""
    choice, _, responses = data.partition(b"\n")
    canned = Canned(responses)
    requests = (_blob, _range, _upload, _status, _referrers, _repositories, _put)
    try:
        requests[choice[0] % len(requests) if choice else 0](canned)
    except ArtifactError as error:
        assert is_harmless(error.message)
        assert TOKEN not in error.message
    for part in responses.split(b"\n%%\n")[:4]:
        _fields(part)


def _fields(data: bytes) -> None:
    """Read single headers on their own."""
    response = parse_response(data, Request("GET", f"{URL}/v2/"))
    wait = retry_after(response)
    assert wait is None or (wait >= 0 and math.isfinite(wait)), wait
    challenge = parse_challenge(response.headers.get("WWW-Authenticate", ""))
    assert challenge.scheme == challenge.scheme.lower()
    assert all(name == name.lower() for name in challenge.parameters)
    shown = public_url(response.headers.get("Location", ""))
    assert "?" not in shown
    assert "#" not in shown
    if response.status != 200:
        error = error_from(response, "It failed")
        assert is_harmless(error.message)


def _blob(canned: Canned) -> None:
    _read(registry(canned).blobs("a").fetch(BLOB), {0})


def _range(canned: Canned) -> None:
    stream = registry(canned).blobs("a").fetch(BLOB, OFFSET, 2)
    _read(stream, {0, OFFSET})


def _read(stream: BlobStream, offsets: set[int]) -> None:
    assert stream.offset in offsets
    with contextlib.closing(stream):
        stream.readinto(memoryview(bytearray(10)))


def _upload(canned: Canned) -> None:
    session = registry(canned).uploads("a").begin()
    _at_home(session)
    assert session.offset == 0


def _status(canned: Canned) -> None:
    session = registry(canned).uploads("a").status(Session(f"{URL}/v2/a/blobs/uploads/x?_state=1", 2))
    if session is not None:
        _at_home(session)
        assert session.offset >= 0


def _at_home(session: Session) -> None:
    assert origin_of(session.url) == origin_of(URL)
    assert "_state" not in repr(session)


def _referrers(canned: Canned) -> None:
    for child in registry(canned).referrers.of("a", BLOB.digest):
        assert child.digest.startswith("sha")
    assert all(request.origin == origin_of(URL) for request in canned.asked)
    assert len(canned.given) == len(set(canned.given)), "a page twice"


def _repositories(canned: Canned) -> None:
    names = list(registry(canned).metadata.repositories())
    assert all(isinstance(name, str) for name in names)
    assert all(request.origin == origin_of(URL) for request in canned.asked)


def _put(canned: Canned) -> None:
    opened = registry(canned)
    opened.uploads("a").finish(Session(f"{URL}/v2/a/blobs/uploads/x", 0), BLOB, None).close()
    assert len(canned.asked) <= 2, "once more with a fresh token, not oftener"
    assert len({request.url for request in canned.asked}) == 1, "a write was redirected"
