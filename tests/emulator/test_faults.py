"""Faults, as a client sees them."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Iterator

import pytest

from acr_emulator.messages import BadRequest, Request, Response

BODY = bytes(range(256)) * 400


@pytest.fixture
def tunnel(front) -> Iterator:
    front.service = lambda request: Response(200, [("ETag", "e")], BODY) if request.read() is not None else None
    with contextlib.closing(front.tunnel()) as connection:
        yield connection


def counts(front) -> tuple[int, int]:
    (rule,) = front.faults.list()
    return rule["matched"], rule["applied"]


def test_a_status_with_retry_after_is_sent_once(front, tunnel, fetch):
    response = {"status": 429, "headers": {"Retry-After": "7"}, "body": "no"}
    rule = front.faults.add({"action": "status", "times": 1, **response})
    status, body, headers = fetch(tunnel, "PUT", "/x", b"some body")
    assert (status, body, headers["Retry-After"]) == (429, b"no", "7")
    assert fetch(tunnel)[:2] == (200, BODY)
    assert [entry.fault for entry in front.entries()] == [rule, None]
    assert counts(front) == (2, 1)


def test_a_status_without_a_body_has_the_services_body(front, tunnel, fetch):
    front.faults.add({"action": "status", "headers": {"Retry-After": "1"}})
    status, body, headers = fetch(tunnel)
    assert (status, body, headers["X-Failure"], headers["Retry-After"]) == (503, b"failed", "a.test", "1")


@pytest.mark.parametrize(
    ("rule", "hit"),
    [
        ({"method": "GET"}, True),
        ({"method": "PUT|PATCH"}, False),
        ({"host": "*.test"}, True),
        ({"host": "b.*"}, False),
        ({"path": r"/blobs/sha256:\w+$"}, True),
        ({"path": "/manifests/"}, False),
        ({"query": "n=3"}, True),
        ({"query": "n=4"}, False),
        ({"path": "blobs", "query": "n=4"}, False),
    ],
)
def test_a_rule_applies_to_matching_requests(front, tunnel, fetch, rule, hit):
    front.faults.add({"action": "status", **rule})
    assert (fetch(tunnel, path="/v2/a/blobs/sha256:ab?n=3")[0] == 503) is hit


def test_the_nth_match_only(front, tunnel, fetch):
    front.faults.add({"action": "status", "nth": 2})
    assert [fetch(tunnel)[0] for _ in range(4)] == [200, 503, 200, 200]


def test_times_counts_from_the_nth(front, tunnel, fetch):
    front.faults.add({"action": "status", "nth": 2, "times": 2})
    assert [fetch(tunnel)[0] for _ in range(4)] == [200, 503, 503, 200]


def test_probability_repeats_with_its_seed(front, tunnel, fetch):
    def run() -> list[int]:
        front.faults.remove()
        front.faults.add({"action": "status", "probability": 0.5, "seed": 3})
        return [fetch(tunnel)[0] for _ in range(20)]

    first = run()
    assert run() == first
    assert 3 < first.count(503) < 17


def exchange(connection: http.client.HTTPConnection, body: bytes) -> None:
    connection.request("PUT", "/", body)
    connection.getresponse()


@pytest.mark.parametrize("action", ["reset", "cut"])
@pytest.mark.parametrize("where", ["before", "handled"])
def test_no_response_at_all(front, tunnel, action, where):
    served = []
    inner = front.service
    front.service = lambda request: served.append(request.method) or inner(request)
    front.faults.add({"action": action, "where": where})
    with pytest.raises(OSError):
        exchange(tunnel, b"done")
    assert served == (["PUT"] if where == "handled" else [])
    assert front.entries()[0].status == 0


@pytest.mark.parametrize("action", ["reset", "cut"])
def test_the_response_breaks_off(front, tunnel, action):
    front.faults.add({"action": action, "where": "response", "after": 70_001})
    tunnel.request("GET", "/")
    with pytest.raises((http.client.IncompleteRead, OSError)):
        tunnel.getresponse().read()
    assert front.entries()[0].response_bytes == 70_001


@pytest.mark.parametrize(("action", "error"), [("reset", ConnectionResetError), ("cut", http.client.IncompleteRead)])
def test_a_reset_differs_from_a_cut(front, action, error):
    # Without TLS, which can hide the difference.
    front.faults.add({"action": action, "where": "response", "after": 4})
    with contextlib.closing(front.plain()) as connection:
        connection.request("GET", "http://a.test/")
        with pytest.raises(error):
            connection.getresponse().read()


@pytest.mark.parametrize("action", ["reset", "cut"])
def test_the_request_breaks_off(front, tunnel, action):
    seen = []

    def service(request: Request) -> Response:
        seen.append(request.body.read(1_000_000))
        return Response(201, [], request.body.read(1))

    front.service = service
    front.faults.add({"action": action, "where": "request", "after": 300_000})
    with pytest.raises(OSError):
        exchange(tunnel, b"y" * 5_000_000)
    # `entries` waits for the end: the connection breaks before the service has read the bytes that arrived.
    assert front.entries()[0].request_bytes == 300_000
    assert [len(part) for part in seen] == [300_000]


def test_one_byte_is_corrupt(front, tunnel, fetch):
    front.faults.add({"action": "corrupt", "offset": 65_537, "times": 1})
    body = fetch(tunnel)[1]
    assert [index for index in range(len(BODY)) if body[index] != BODY[index]] == [65_537]
    assert fetch(tunnel)[1] == BODY


def test_delay_and_stall_wait(front, tunnel, fetch):
    front.faults.add({"action": "delay", "seconds": 0.3, "path": "/delay"})
    front.faults.add({"action": "stall", "seconds": 0.3, "where": "response", "after": 10, "path": "/down"})
    front.faults.add({"action": "stall", "seconds": 0.3, "where": "request", "after": 3, "path": "/up"})
    for path in ("/delay", "/down", "/up", "/none"):
        fetch(tunnel, "PUT", path, b"12345")
    *slow, quick = front.entries()
    assert all(entry.fault and entry.duration_ms > 290 for entry in slow)
    assert not quick.fault


def test_the_bytes_before_a_stall_pass(front, tunnel):
    front.faults.add({"action": "stall", "seconds": 1.5, "where": "response", "after": 1000})
    tunnel.request("GET", "/")
    response = tunnel.getresponse()
    assert response.read(1000) == BODY[:1000]
    start = time.monotonic()
    assert response.read() == BODY[1000:]
    assert time.monotonic() - start > 0.25


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_bandwidth_is_limited_in_both_directions(front, tunnel, fetch, method):
    front.service = lambda request: Response(200, [], BODY if method == "GET" else str(len(request.read())).encode())
    front.faults.add({"action": "bandwidth", "rate": 250_000})
    start = time.monotonic()
    fetch(tunnel, method, "/", BODY if method == "PUT" else None)
    assert 0.35 < time.monotonic() - start < 30


def test_named_faults_reach_the_service(front, tunnel, fetch):
    seen = []
    front.service = lambda request: seen.append((request.faults, request.headers.get("Range"))) or Response(200)
    front.faults.add({"action": "drop_session", "times": 1})
    front.faults.add({"action": "ignore_range", "times": 1})
    fetch(tunnel, Range="bytes=1-2")
    fetch(tunnel, Range="bytes=1-2")
    assert seen == [({"drop_session", "ignore_range"}, None), (frozenset(), "bytes=1-2")]


def test_a_content_range_is_shifted(front, tunnel, fetch):
    front.service = lambda _: Response(206, [("Content-Range", "bytes 10-19/100")], b"0123456789")
    front.faults.add({"action": "wrong_content_range"})
    assert fetch(tunnel)[2]["Content-Range"] == "bytes 11-20/100"


def test_headers_are_set_and_dropped(front, tunnel, fetch):
    front.faults.add({"action": "set_headers", "headers": {"Docker-Content-Digest": "sha256:0"}})
    front.faults.add({"action": "drop_headers", "headers": {"etag": ""}})
    headers = fetch(tunnel)[2]
    assert (headers["Docker-Content-Digest"], headers["ETag"]) == ("sha256:0", None)


def test_raw_bytes_instead_of_a_response(front, tunnel):
    front.faults.add({"action": "raw", "raw": "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nfew"})
    tunnel.request("GET", "/")
    with pytest.raises(http.client.IncompleteRead):
        tunnel.getresponse().read()


def test_rules_are_removed_by_id_or_all(front, tunnel, fetch):
    first = front.faults.add({"action": "status", "path": "/1"})
    front.faults.add({"action": "status", "path": "/2"})
    assert front.faults.remove(first)
    assert not front.faults.remove(first)
    assert [fetch(tunnel, path=path)[0] for path in ("/1", "/2")] == [200, 503]
    front.faults.remove()
    assert fetch(tunnel, path="/2")[0] == 200


@pytest.mark.parametrize(
    "rule",
    [
        [], {}, {"action": "explode"}, {"action": "status", "sttus": 3}, {"action": "status", "status": "503"},
        {"action": "status", "times": True}, {"action": "status", "path": "("}, {"action": "cut", "where": "there"},
        {"action": "status", "id": "mine"},
    ],
)  # fmt: skip
def test_an_invalid_rule_is_refused(front, rule):
    with pytest.raises(BadRequest):
        front.faults.add(rule)
    assert front.faults.list() == []
