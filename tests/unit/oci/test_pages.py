"""Lists in pages: links in every spelling, and lists that never end."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact import errors
from azext_acrartifact.oci.pages import PageLimits, follow_pages, next_link
from azext_acrartifact.transport.authorization import Scope
from azext_acrartifact.transport.messages import Response
from tests.support.server import ScriptedServer, respond
from tests.unit.oci.samples import MANIFEST, Open


@pytest.mark.parametrize(
    ("header", "target"),
    [("</a?n=1>; rel=next", "/a?n=1"), ('</a>;rel="next"', "/a"), ('</a>; title="x"; REL = "last Next"', "/a"),
     ('</p>; rel="prev", </a>; rel="next"', "/a"), ("</p>; rel=prev,</a>; rel=next; n=1, </z>; rel=next", "/a"),
     ("<>; rel=next", ""), ("", None), ("</a>", None), ("</a>; rel=prev", None), ('</a>; rel=""', None),
     ("</a>; rel=", None), ("</a>; rel=nextpage", None), ("</a>; norel=next", None), ("</a; rel=next", None),
     ("/a; rel=next", None), ('</a>; rel="next', None)],
)  # fmt: skip
def test_each_spelling(header: str, target: str | None) -> None:
    assert next_link(header) == target


_uri = st.text(st.characters(codec="ascii", exclude_characters="<> ", exclude_categories=["Cc"]), max_size=40)


@given(st.lists(st.tuples(_uri, st.sampled_from(["first", "prev", "last", "nexus"])), max_size=4), _uri)
def test_the_next_of_several_links_is_found(others: list[tuple[str, str]], target: str) -> None:
    links = [f'<{uri}>; rel="{relation}"' for uri, relation in others]
    assert next_link(", ".join(links)) is None
    assert next_link(", ".join([*links, f'<{target}>; rel="next"'])) == target


@given(st.text(st.sampled_from('<>;,="rel next a'), max_size=60))
def test_any_header_is_parsed(header: str) -> None:
    target = next_link(header)
    assert target is None or f"<{target}>" in header


@pytest.mark.parametrize("unit", ["<>;", "<a>;rel", "<", "<>;rel=prev,", '<>;rel="', ";", "<>; ; ", "<a"])
def test_the_longest_header_is_parsed_in_linear_time(unit: str) -> None:
    began = time.monotonic()
    assert next_link(unit * (64 * 1024 // len(unit))) is None
    assert time.monotonic() - began < 5, "it grows with the square of its length"


def tags(server: ScriptedServer, registry: Open) -> list[str]:
    return [tag["name"] for tag in registry(server).metadata.tags_of("a", MANIFEST.digest)]


def test_the_last_page_has_no_link(serve, registry: Open) -> None:
    link = '</acr/v1/a/_tags?last=1>; rel="first", </acr/v1/a/_tags?last=2&n=1>; rel="next"'
    server = serve(respond(200, b'{"tags":[{"name":"1"}]}', Link=link), respond(200, b'{"tags":null}'))
    assert tags(server, registry) == ["1"]
    assert server.requests[1].target == "/acr/v1/a/_tags?last=2&n=1"


@pytest.mark.parametrize(
    "host", ["https://evil.example/x", "http://127.0.0.1:1/x", "//evil.example/x", "http://[::1/x"]
)
def test_a_page_on_another_host_is_refused(serve, registry: Open, host: str) -> None:
    server = serve(respond(200, b"{}", Link=f"<{host}>; rel=next"))
    with pytest.raises(errors.ProtocolError):
        tags(server, registry)


def test_a_repeated_page_is_refused(serve, registry: Open) -> None:
    server = serve(lambda sent: respond(200, b"{}", Link="</acr/v1/a/_tags?last=1>; rel=next"), forever=True)
    with pytest.raises(errors.ProtocolError, match="a page repeats"):
        tags(server, registry)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("limits", "size", "why", "requests"),
    [
        (PageLimits(pages=20), 2, r"does not end.*20 pages", 20),
        (PageLimits(pages=30, sparse_pages=10), 100, "almost empty", 12),
        (PageLimits(pages=30, sparse_pages=10, sparse_size=50), 100, "30 pages", 30),
        (PageLimits(size=1000), 300, "too long", 4),
        (PageLimits(size=1000), 250, "too long", 5),
    ],
)
def test_an_endless_list_is_refused(serve, registry: Open, limits, size: int, why: str, requests: int) -> None:
    body, numbers = b"{}" + b" " * (size - 2), itertools.count()
    server = serve(lambda sent: respond(200, body, Link=f"</list?last={next(numbers)}>; rel=next"), forever=True)
    pages = follow_pages(registry(server)._api, Scope.of("a", "pull"), f"{server.url}/list", "tags", limits)
    with pytest.raises(errors.ProtocolError, match=why):
        list(map(Response.content, pages, itertools.repeat(size)))
    assert len(server.requests) == requests


def test_the_usual_limits() -> None:
    assert PageLimits() == PageLimits(pages=10_000, sparse_pages=1000, sparse_size=16 << 10, size=32 << 20)
