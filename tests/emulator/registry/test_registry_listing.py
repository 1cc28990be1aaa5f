"""Catalog and tags, page by page."""

from __future__ import annotations

import pytest

from tests.emulator.exchange import Received
from tests.emulator.registry.peer import SERVER, Cloud, Peer, descriptor, index, next_link


@pytest.fixture
def lister(cloud: Cloud) -> Peer:
    return Peer(cloud, "", cloud.token("registry:catalog:*"))


def walk(peer: Peer, url: str | None, name: str) -> list[list[str]]:
    """Return all pages of the list at *url*."""
    pages: list[list[str]] = []
    while url and len(pages) < 20:
        response = peer("GET", url)
        assert response.status == 200
        pages.append(response.json[name])
        url = next_link(response)
    return pages


@pytest.mark.parametrize("path", ["/v2/_catalog", "/acr/v1/_catalog"])
def test_the_catalog(cloud: Cloud, lister: Peer, path: str) -> None:
    for name in ("c", "a/x", "b"):
        cloud.peer(name).manifest("1", index())
    cloud.peer("only-a-blob").blob(b"x")
    assert lister("GET", path).json == {"repositories": ["a/x", "b", "c"]}
    first = lister("GET", f"{path}?n=1")
    assert first.headers.get("Link") == f'<{path}?last=a%2Fx&n=1&orderby=>; rel="next"'
    assert walk(lister, f"{path}?n=1", "repositories") == [["a/x"], ["b"], ["c"]]
    assert walk(lister, f"{path}?n=2&last=a/x", "repositories") == [["b", "c"]]
    cloud.peer("b").acr("PATCH", "", b'{"listEnabled":false}')
    assert lister("GET", path).json == {"repositories": ["a/x", "c"]}


def test_the_catalog_is_not_for_scope_map_tokens_and_plain_repository_tokens(cloud: Cloud, peer: Peer) -> None:
    response = peer("GET", "/v2/_catalog")
    assert 'scope="registry:catalog:*",error="insufficient_scope"' in (response.headers.get("WWW-Authenticate") or "")
    cloud.registry().tokens[0].actions = ["*/content/read", "*/metadata/read"]
    token = cloud.post(
        "/oauth2/token", grant_type="password", username="ci-token", password="ci-token-password",
        scope="registry:catalog:*",
    )  # fmt: skip
    assert Peer(cloud, "", token.json["access_token"])("GET", "/v2/_catalog").status == 401


def test_tags(cloud: Cloud, peer: Peer) -> None:
    for tag in ("b", "a", "B", "10", "9"):
        peer.manifest(tag, index())
    assert peer.v2("GET", "tags/list").json == {"name": "a", "tags": ["10", "9", "B", "a", "b"]}
    assert walk(peer, "/v2/a/tags/list?n=2", "tags") == [["10", "9"], ["B", "a"], ["b"]]
    assert walk(peer, "/v2/a/tags/list?n=5", "tags") == [["10", "9", "B", "a", "b"]]
    assert peer.v2("GET", "tags/list?last=Z").json["tags"] == ["a", "b"]
    assert peer.v2("GET", "tags/list?n=0").json["tags"] == []
    assert next_link(peer.v2("GET", "tags/list?n=0")) is None
    peer.acr("PATCH", "/_tags/a", b'{"listEnabled":false}')
    assert "a" not in peer.v2("GET", "tags/list").json["tags"]
    assert peer.get("a", index()["mediaType"]).status == 200


@pytest.mark.parametrize("n", ["x", "-1", "1.5", "²"])
def test_an_invalid_number(peer: Peer, n: str) -> None:
    peer.manifest("1", index())
    response = peer.v2("GET", f"tags/list?n={n}")
    assert (response.status, response.code) == (400, "PAGINATION_NUMBER_INVALID")


def test_a_pull_token_lists_no_tags(cloud: Cloud) -> None:
    cloud.peer().manifest("1", index())
    refused = cloud.peer(actions="pull").v2("GET", "tags/list")
    assert (refused.status, refused.code) == (401, "UNAUTHORIZED")
    expected = f'service="{SERVER}",scope="repository:a:metadata_read",error="insufficient_scope"'
    assert (refused.headers.get("WWW-Authenticate") or "").endswith(expected)
    assert refused.json["errors"][0]["detail"] == [{"Type": "repository", "Name": "a", "Action": "metadata_read"}]
    assert cloud.peer(actions="metadata_read").v2("GET", "tags/list").status == 200


def test_who_may_list_tags(cloud: Cloud) -> None:
    cloud.peer("samples/a").manifest("1", index())
    assert cloud.peer("samples/a", "reader").v2("GET", "tags/list").status == 200
    login = {"grant_type": "password", "username": "read-token", "password": "read-token-password"}
    token = cloud.post("/oauth2/token", **login, scope="repository:samples/a:pull,metadata_read").json["access_token"]
    assert Peer(cloud, "samples/a", token).v2("GET", "tags/list").status == 401
    cloud.registry().anonymous_pull_enabled = True
    anonymous = cloud.post("/oauth2/token", grant_type="password", scope="repository:samples/a:pull")
    assert Peer(cloud, "samples/a", anonymous.json["access_token"]).v2("GET", "tags/list").status == 200


def items(response: Received, kind: str, key: str) -> list[str]:
    return [item[key] for item in response.json[kind]]


def test_metadata_pages_and_orders(cloud: Cloud) -> None:
    peer = cloud.peer("library/busybox")
    digests = {tag: peer.manifest(tag, index(annotations={"n": tag})) for tag in ("c", "a", "b")}
    peer.manifest("a", index(annotations={"n": "a"}))
    assert items(peer.acr("GET", "/_tags"), "tags", "name") == ["a", "b", "c"]
    assert items(peer.acr("GET", "/_tags?orderby=timeasc"), "tags", "name") == ["c", "b", "a"]
    assert items(peer.acr("GET", "/_tags?orderby=timedesc"), "tags", "name") == ["a", "b", "c"]
    assert items(peer.acr("GET", "/_manifests"), "manifests", "digest") == sorted(digests.values())
    assert items(peer.acr("GET", "/_manifests?orderby=timedesc"), "manifests", "digest") == [
        digests["a"], digests["b"], digests["c"],
    ]  # fmt: skip
    assert peer.acr("GET", "/_tags?orderby=size").status == 400
    first = sorted(digests.values())[0].replace(":", "%3A")
    link = f'</acr/v1/library%2Fbusybox/_manifests?last={first}&n=1&orderby=>; rel="next"'
    assert peer.acr("GET", "/_manifests?n=1&api-version=2021-07-01").headers.get("Link") == link
    for url, kind in (("/_manifests?n=2&orderby=timeasc", "manifests"), ("/_tags?n=1&orderby=timedesc", "tags")):
        pages = walk(peer, f"/acr/v1/library%2Fbusybox{url}", kind)
        assert sum(map(len, pages)) == 3


def test_the_tags_of_one_manifest(peer: Peer) -> None:
    digest = peer.manifest("1", index())
    peer.manifest("2", index())
    peer.artifact("3", subject=descriptor(digest))
    response = peer.acr("GET", f"/_tags?digest={digest}")
    assert items(response, "tags", "name") == ["1", "2"]
    assert walk(peer, f"/acr/v1/a/_tags?n=1&digest={digest}", "tags")[1][0]["name"] == "2"  # type: ignore[index]


def test_empty_lists_are_null_by_a_setting(cloud: Cloud, peer: Peer, lister: Peer) -> None:
    digest = peer.manifest(None, index())
    peer.acr("PATCH", "", b'{"listEnabled":false}')
    peer.acr("PATCH", f"/_manifests/{digest}", b'{"listEnabled":false}')
    for setting, empty in (("array", []), ("null", None)):
        cloud.registry().empty_lists = setting  # type: ignore[assignment]
        assert peer.v2("GET", "tags/list").json == {"name": "a", "tags": empty}
        assert peer.v2("GET", f"referrers/{digest}").json["manifests"] == empty
        assert lister("GET", "/v2/_catalog").json == {"repositories": empty}
        assert peer.acr("GET", "/_tags").json["tags"] == empty
        assert peer.acr("GET", "/_manifests").json["manifests"] == empty
