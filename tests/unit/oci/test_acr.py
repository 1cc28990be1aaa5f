"""ACR's metadata API."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.digest import digest_of
from tests.support.server import respond
from tests.unit.oci.samples import MANIFEST, Open


def test_a_tag_and_a_manifest_have_properties(serve, registry: Open) -> None:
    server = serve(respond(200, b'{"tag":{"name":"1"}}'), respond(200, b'{"manifest":{"tags":["1"]}}'))
    metadata = registry(server).metadata
    assert metadata.tag("a/b", "1") == {"name": "1"}
    assert metadata.manifest("a/b", MANIFEST.digest) == {"tags": ["1"]}
    assert server.lines() == ["GET /acr/v1/a/b/_tags/1", f"GET /acr/v1/a/b/_manifests/{MANIFEST.digest}"]


def test_tags_of_another_manifest_are_left_out(serve, registry: Open) -> None:
    tags = [{"name": "1", "digest": MANIFEST.digest}, {"name": "2", "digest": digest_of(b"")}]
    server = serve(respond(200, json.dumps({"tags": tags}).encode()))
    assert registry(server).metadata.tags_of("a", MANIFEST.digest) == tags[:1]
    assert f"digest={quote(MANIFEST.digest, safe='')}" in server.requests[0].query


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"<html>", b"[" * 100_000, b'{"tag":null}', b'{"tag":[]}', b'{"tags":5}', b'{"tags":["x"]}',
     b'{"tags":[null]}', b'{"tags":{"a":1}}', b'{"tags":[{}]}', b'{"tags":[{"name":5}]}'],
)  # fmt: skip
def test_a_malformed_response_is_refused(serve, registry: Open, body: bytes) -> None:
    server = serve(respond(200, body), respond(200, body))
    metadata = registry(server).metadata
    with pytest.raises(errors.ProtocolError):
        metadata.tag("a", "1")
    if body not in (b'{"tag":null}', b'{"tag":[]}'):
        with pytest.raises(errors.ProtocolError):
            metadata.tags_of("a", MANIFEST.digest)


def test_a_missing_tag_or_manifest_is_not_found(serve, registry: Open) -> None:
    server = serve(*[respond(404, b'{"errors": [{"code": "TAG_UNKNOWN"}]}')] * 3)
    metadata = registry(server).metadata
    for ask in (
        lambda: metadata.tag("a", "1"),
        lambda: metadata.manifest("a", MANIFEST.digest),
        lambda: metadata.tags_of("a", MANIFEST.digest),
    ):
        with pytest.raises(errors.NotFoundError, match="does not exist"):
            ask()


def test_a_registry_without_this_api_is_not_an_acr(serve, registry: Open) -> None:
    with pytest.raises(errors.ProtocolError, match="not an Azure Container Registry"):
        registry(serve(respond(404, b"404 page not found\n"))).metadata.tag("a", "1")


NO_TAGS = ["", "..", "a/b", "x" * 129, "::error::x", "##vso[a]b", "a\n", "a b", "\u00e9"]
NO_TYPES = ["a\nb", "\x1b[2J", " a/b", "a/b ", "a/" + "b" * 254, "a/\u00e9"]


@pytest.mark.parametrize(
    ("name", "page"),
    [
        *(("tags", {"tags": [{"name": "1", "digest": MANIFEST.digest}, {"name": tag}]}) for tag in NO_TAGS),
        *(("manifests", {"manifests": [{"digest": MANIFEST.digest, "tags": ["1", tag]}]}) for tag in NO_TAGS),
        *(
            ("manifests", {"manifests": [{"digest": MANIFEST.digest, key: kind}]})
            for kind in NO_TYPES
            for key in ("mediaType", "configMediaType")
        ),
        *(("repositories", {"repositories": ["a/b", name]}) for name in ["", "A", "..", "a//b", "::x", "a" * 256, 5]),
        *(("tag", {"tag": {"name": tag}}) for tag in NO_TAGS),
        *(("manifest", {"manifest": {"tags": [tag]}}) for tag in NO_TAGS),
    ],
)
def test_a_name_that_is_none_is_refused_where_it_is_read(serve, registry: Open, name: str, page: object) -> None:
    metadata = registry(serve(respond(200, json.dumps(page).encode()))).metadata
    calls = {
        "repositories": metadata.repositories,
        "tag": lambda: metadata.tag("a", "1"),
        "manifest": lambda: metadata.manifest("a", MANIFEST.digest),
    }
    with pytest.raises(errors.ProtocolError) as caught:
        list(calls.get(name, lambda: getattr(metadata, name)("a"))())
    assert "/acr/v1/" in caught.value.where


def listed(**more: object) -> dict[str, object]:
    """Return the properties of a listed manifest."""
    return {"digest": MANIFEST.digest, "tags": ["1"], "changeableAttributes": {"writeEnabled": True}, **more}


def test_a_listed_manifest_has_only_what_is_used(serve, registry: Open) -> None:
    page = json.dumps({"manifests": [listed(note="x", createdTime="now"), listed(changeableAttributes={"a": [1]})]})
    found = list(registry(serve(respond(200, page.encode()))).metadata.manifests("a"))
    assert found == [listed(createdTime="now"), listed(changeableAttributes={})]


@pytest.mark.parametrize(
    ("more", "most"),
    [
        ({}, 10), ({"tags": [str(number) for number in range(43)]}, 1), ({"createdTime": "x" * 3500}, 1),
        ({"changeableAttributes": {str(number): True for number in range(43)}}, 1),
    ],
)  # fmt: skip
def test_the_length_of_a_list_is_limited(serve, registry: Open, more: dict[str, object], most: int) -> None:
    page = json.dumps({"manifests": [listed(**more)] * (most + 1)}).encode()
    server = serve(respond(200, page), respond(200, page))
    with pytest.raises(errors.ProtocolError, match=r"too long.*more than 10"):
        list(registry(server).metadata.manifests("a", most=10))
    assert len(list(registry(server).metadata.manifests("a"))) == most + 1


def test_the_number_of_repositories_is_limited(serve, registry: Open) -> None:
    page = json.dumps({"repositories": ["a"] * 100_001}).encode()
    with pytest.raises(errors.ProtocolError, match="more than 100,000"):
        list(registry(serve(respond(200, page))).metadata.repositories())
