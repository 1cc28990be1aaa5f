"""URLs and log records are shown without their secrets."""

from __future__ import annotations

import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.known_secrets import SHORTEST_SECRET
from azext_acrartifact.transport.redaction import (
    QueryFilter,
    protect_logs,
    public_url,
    without_queries,
    without_secrets,
)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://s.blob.core.windows.net/c/b?sv=1&sig=secret", "https://s.blob.core.windows.net/c/b"),
        ("https://h.example/v2/a/blobs/uploads/1?_state=secret#secret", "https://h.example/v2/a/blobs/uploads/1"),
        ("https://user:secret@h.example:8443/x", "https://h.example:8443/x"),
        ("//h.example/x?secret", "h.example/x"),
        ("/v2/x?secret", "/v2/x"),
        ("https://[::1/secret", "an invalid URL"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert public_url(url) == shown
    assert "secret" not in public_url(url) or "invalid" in public_url(url)


def test_every_query_in_a_text_is_removed() -> None:
    text = "got https://h.example/a?sig=secret and \"GET /b?_state=secret HTTP/1.1\" and '/c?secret'"
    assert "secret" not in without_queries(text)
    assert without_queries("is it so? yes") == "is it so? yes"
    assert without_queries("https://h.example/?") == "https://h.example/?"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a?b/c?secret", "a?b/c?…"),
        ("/a?secret'&sig=secret", "/a?…"),
        ("'/a?'", "'/a?'"),
        ("path=/a?secret)", "path=/a?…"),
        ("https://h.example?secret", "https://h.example?…"),
        ("/a?b=secret /c?secret", "/a?… /c?…"),
    ],
)
def test_a_query_is_removed_to_its_end(text: str, shown: str) -> None:
    assert without_queries(text) == shown


@given(st.text(max_size=30), st.from_regex(r"https://[a-z]{1,9}/[a-z/]{0,9}|/[a-z/]{1,9}", fullmatch=True), st.text())
def test_no_secret_survives_in_any_text(before: str, address: str, after: str) -> None:
    secret = "Zm9vYmFyc2VjcmV0"
    assert secret not in without_queries(f"{before}{address}?sig={secret}&{after}")
    assert secret not in public_url(f"{address}?{secret}#{secret}")
    assert secret not in public_url(f"https://{secret}:{secret}@h.example{address.removeprefix('https:/')}")


def test_secrets_that_were_sent_are_removed() -> None:
    text = "It was pass+word, or pass%2Bword, at /a?b; 12345 and 123456."
    assert without_secrets(text, ["pass+word"]) == "It was …, or …, at /a?… 12345 and 123456."
    assert without_secrets("12345 and 123456", ["12345"]) == "12345 and 123456", (
        "too short to be distinguished from other text"
    )
    assert without_secrets("12345 and 123456", ["123456"]) == "12345 and …"
    assert len("123456") == SHORTEST_SECRET


def test_a_long_text_is_redacted_in_no_time() -> None:
    began = time.monotonic()
    for repeated in ("/", "?", "/?", "a"):
        without_queries(repeated * 100_000)
    assert time.monotonic() - began < 5, "it grows with the square of its length"


def test_what_urllib3_logs_holds_no_query(serve, caplog: pytest.LogCaptureFixture) -> None:
    """With urllib3's own records: a request, a redirect, a retry."""
    import urllib3

    from tests.support.server import respond

    protect_logs()
    protect_logs()
    server = serve(respond(307, Location="/next?sig=secret2"), respond(200, b"x"))
    caplog.set_level(logging.DEBUG)
    with urllib3.PoolManager() as pool:
        pool.request("GET", f"{server.url}/blob?sig=secret1").read()
    shown = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("urllib3"))
    assert "/blob?…" in shown
    assert "secret" not in shown
    assert server.requests[0].query == "sig=secret1"
    filters = logging.getLogger("urllib3.connectionpool").filters
    assert len([one for one in filters if isinstance(one, QueryFilter)]) == 1
