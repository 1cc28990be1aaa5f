"""Lists in pages: links in every spelling, and lists that never end."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact import errors
from azext_acrartifact.auth.distribution import ChallengeAuthorizer
from azext_acrartifact.oci.mediatypes import IMAGE_INDEX
from azext_acrartifact.oci.pages import PageLimits, follow_pages, next_link
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.transport.authorization import Scope
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.messages import Response
from azext_acrartifact.transport.network import Network
from azext_acrartifact.transport.retry import Policy
from tests.support.server import RawResponse, ScriptedServer, respond
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


LISTS: dict[str, tuple[str, Callable[[Registry], object]]] = {
    "tags": ('{"tags":[%s]}', lambda registry: list(registry.manifests.tags("a"))),
    "ACR's tags": ('{"tags":[%s]}', lambda registry: list(registry.metadata.tags("a"))),
    "tags of one": ('{"tags":[%s]}', lambda registry: registry.metadata.tags_of("a", MANIFEST.digest)),
    "repositories": ('{"repositories":[%s]}', lambda registry: list(registry.metadata.repositories())),
    "manifests": ('{"manifests":[%s]}', lambda registry: list(registry.metadata.manifests("a"))),
    "referrers": (
        f'{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[%s]}}',
        lambda registry: list(registry.manifests.referrers("a", MANIFEST.digest) or ()),
    ),
}


def entry(name: str, number: int) -> str:
    """Return one entry of the list *name*."""
    if name in ("tags", "repositories"):
        return f'"n{number}"'
    described = {"name": f"n{number}", "digest": f"sha256:{number:064x}", "mediaType": "a/b", "size": number}
    return json.dumps({**described, "digest": MANIFEST.digest} if name == "tags of one" else described)


def play(serve, registry: Open, name: str, numbers: Callable[[int], range], pages: int = 1 << 30):
    """Serve the list *name*, whose page P has the entries *numbers(P)*; return the server and a reader of it."""
    shape, read = LISTS[name]
    count = itertools.count()

    def page(sent) -> RawResponse:
        number = next(count)
        body = (shape % ",".join(entry(name, one) for one in numbers(number))).encode()
        link = {"Link": f"<{sent.path}?last={number}>; rel=next"} if number + 1 < pages else {}
        return respond(200, body, Content_Type=IMAGE_INDEX, **link)

    server = serve(page, forever=True)
    return server, lambda: read(registry(server))


@pytest.mark.parametrize("numbers", [lambda page: range(0), lambda page: range(3)], ids=["empty", "repeated"])
@pytest.mark.parametrize("name", LISTS)
def test_pages_without_a_new_entry_end_a_list(serve, registry: Open, name: str, numbers) -> None:
    server, read = play(serve, registry, name, numbers)
    with pytest.raises(errors.ProtocolError, match=r"does not end.*50 pages brought no new entry"):
        read()
    assert 50 <= len(server.requests) <= 51


@pytest.mark.parametrize("name", LISTS)
def test_a_few_pages_without_a_new_entry_do_not_end_a_list(serve, registry: Open, name: str) -> None:
    def numbers(page: int) -> range:
        return range(page // 30, page // 30 + 2) if page % 10 == 0 else range(0)

    server, read = play(serve, registry, name, numbers, 120)
    found = read()
    assert len(found) == 24
    assert len(server.requests) == 120


@pytest.mark.parametrize("entries", [0, 1])
@pytest.mark.parametrize("slow", ["headers", "body"])
def test_a_list_that_comes_too_slowly_ends(serve, entries: int, slow: str) -> None:
    """Serve no entries, or one new entry on each slow page, which must not prolong the list for ever."""
    numbers = itertools.count()

    def page(sent) -> RawResponse:
        number = next(numbers)
        body = json.dumps({"tags": [f"n{number}"] * entries}).encode()
        made = respond(200, body, Link=f"</list?last={number}>; rel=next", Connection="close")
        if slow == "headers":
            return replace(made, delay=0.07)
        return RawResponse(lambda: (made.raw[:-2], made.raw[-2:]), "close", pause=0.07)

    http = HttpClient(Network("unit/1", stall_timeout=4.0), policy=Policy(tries=1))
    server = serve(page, forever=True)
    opened = Registry(server.server, server.url, http, ChallengeAuthorizer(server.url, http, None))
    pages = follow_pages(
        opened._api, Scope.of("a", "pull"), f"{server.url}/list", "tags", PageLimits(idle_stalls=0.25, entry_time=0.01)
    )

    def read() -> None:
        for response in pages:
            pages.listed(json.loads(response.content(1000))["tags"])

    began = time.monotonic()
    with pytest.raises(errors.StalledError, match=r"tags comes too slowly.*took 1 s for few new entries") as caught:
        read()
    assert 0.9 < time.monotonic() - began < 5
    assert "stall_timeout" in caught.value.hint
    http.close()


def test_the_usual_limits() -> None:
    assert PageLimits() == PageLimits(
        pages=10_000, sparse_pages=1000, sparse_size=16 << 10, size=32 << 20,
        idle_pages=50, idle_stalls=10, entry_time=0.1,
    )  # fmt: skip
