"""Challenges, error bodies, headers, the firewall (docs of distribution's token authentication; ACR as recorded)."""

from __future__ import annotations

import uuid

import pytest

from tests.emulator.registry.peer import SERVER, Cloud, Peer, basic

REALM = f'Bearer realm="https://{SERVER}/oauth2/token",service="{SERVER}"'
A = ("repository", "a")


@pytest.mark.parametrize(
    ("method", "path", "scope", "details"),
    [
        ("GET", "/v2/", None, None),
        ("GET", "/v2/_catalog", "registry:catalog:*", [("registry", "catalog", "*")]),
        ("GET", "/acr/v1/_catalog", "registry:catalog:*", [("registry", "catalog", "*")]),
        ("GET", "/v2/a/b/manifests/1", "repository:a/b:pull", [("repository", "a/b", "pull")]),
        ("POST", "/v2/a/blobs/uploads/", "repository:a:push,pull", [(*A, "pull"), (*A, "push")]),
        ("DELETE", "/v2/a/manifests/1", "repository:a:delete", [("repository", "a", "delete")]),
        ("DELETE", "/acr/v1/a/_tags/1", "repository:a:delete", [("repository", "a", "delete")]),
        ("GET", "/acr/v1/a%2Fb/_tags", "repository:a/b:metadata_read", [("repository", "a/b", "metadata_read")]),
    ],
)  # fmt: skip
def test_the_challenge_names_the_required_actions(
    cloud: Cloud, method: str, path: str, scope: str | None, details: list[tuple[str, str, str]] | None
) -> None:
    response = cloud.send(method, path)
    assert response.status == 401
    assert response.headers.get("WWW-Authenticate") == REALM + (f',scope="{scope}"' if scope else "")
    named = [dict(zip(("Type", "Name", "Action"), detail, strict=True)) for detail in details] if details else None
    message = "authentication required, visit https://aka.ms/acr/authorization for more information."
    assert response.json == {"errors": [{"code": "UNAUTHORIZED", "message": message, "detail": named}]}


def test_a_token_without_the_action_gets_insufficient_scope(cloud: Cloud) -> None:
    reader = cloud.peer(who="reader")
    response = reader.v2("POST", "blobs/uploads/")
    expected = REALM + ',scope="repository:a:push,pull",error="insufficient_scope"'
    assert (response.status, response.headers.get("WWW-Authenticate")) == (401, expected)


def test_an_expired_token_is_challenged_without_an_error(cloud: Cloud, peer: Peer) -> None:
    cloud.world.lifetimes.acr_access = -1
    expired = cloud.peer().v2("GET", "tags/list")
    faulted = peer.v2("GET", "tags/list", faults=frozenset({"expire_token"}))
    assert expired.status == faulted.status == 401
    for response in (expired, faulted):
        assert response.headers.get("WWW-Authenticate") == REALM + ',scope="repository:a:metadata_read"'


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer x", "Bearer a.b.c", "Basic !", "Basic eA==", "Digest x"])
def test_malformed_credentials_are_challenged(cloud: Cloud, authorization: str) -> None:
    assert cloud.send("GET", "/v2/", headers={"Authorization": authorization}).status == 401


def test_a_token_is_valid_at_its_own_registry_only(cloud: Cloud, peer: Peer) -> None:
    other = Peer(cloud, "a", peer.token, "targetregistry.azurecr.io")
    assert other.v2("GET", "tags/list").status == 401


def test_a_refresh_token_is_no_access_token(cloud: Cloud) -> None:
    assert Peer(cloud, "a", cloud.refresh_token())("GET", "/v2/").status == 401


def test_basic_credentials_work_on_the_data_plane(cloud: Cloud) -> None:
    pusher = cloud.world.principal("pusher")
    assert pusher is not None
    good, bad = basic(pusher.client_id, "pusher-secret"), basic(pusher.client_id, "x")
    assert cloud.send("GET", "/v2/", headers=good).status == 200
    assert cloud.send("GET", "/v2/_catalog", headers=good).json == {"repositories": []}
    assert cloud.send("GET", "/v2/", headers=bad).status == 401
    reader = basic("read-token", "read-token-password")
    assert cloud.send("GET", "/v2/samples/a/manifests/1", headers=reader).status == 404
    refused = cloud.send("POST", "/v2/samples/a/blobs/uploads/", headers=reader)
    assert "insufficient_scope" in (refused.headers.get("WWW-Authenticate") or "")


def test_every_response_has_the_services_headers(cloud: Cloud) -> None:
    security = "max-age=31536000; includeSubDomains"
    for response in (cloud.send("GET", "/v2/"), cloud.send("GET", "/nowhere"), cloud.post("/oauth2/token")):
        token_server = response.status == 400
        uuid.UUID(response.headers.get("X-Ms-Correlation-Request-Id") or "")
        assert response.headers.get("Server") == "openresty"
        assert response.headers.get_all("Docker-Distribution-Api-Version") == ["registry/2.0"] * (not token_server)
        assert response.headers.get_all("Strict-Transport-Security") == [security] * (1 if token_server else 2)
        exposed = ["Docker-Content-Digest", "WWW-Authenticate", "Link", "X-Ms-Correlation-Request-Id"]
        assert response.headers.get_all("Access-Control-Expose-Headers") == ([] if token_server else exposed)


@pytest.mark.parametrize("path", ["/v2/", "/oauth2/token", "/v2/a/manifests/1", "/acr/v1/_catalog", "/nowhere"])
@pytest.mark.parametrize("blocked", ["203.0.113.9", None])
def test_the_firewall_is_checked_first(cloud: Cloud, path: str, blocked: str | None) -> None:
    registry = cloud.registry()
    registry.blocked_client_ip, registry.public_network_access = blocked, blocked is not None
    response = cloud.send("GET", path)
    ip = blocked or "127.0.0.1"
    message = f"client with IP '{ip}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."
    assert (response.status, response.json) == (403, {"errors": [{"code": "DENIED", "message": message}]})


@pytest.mark.parametrize("path", ["/nowhere", "/v1/", "/v2/a", "/v2/a/tags", "/acr/v1/", "/oauth2/other"])
def test_an_unknown_path_is_not_found(cloud: Cloud, path: str) -> None:
    assert cloud.send("GET", path).status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/v2/"), ("POST", "/v2/a/manifests/1"), ("PATCH", "/v2/a/manifests/1"), ("GET", "/oauth2/exchange")],
)
def test_an_unsupported_method(cloud: Cloud, method: str, path: str) -> None:
    response = cloud.send(method, path)
    assert (response.status, response.code) == (405, "UNSUPPORTED")


@pytest.mark.parametrize("name", ["A", "a/B", "a//b", "a/", "-a", "a-", "a..b", "a___b", "ü", "a" * 256])
def test_an_invalid_name(cloud: Cloud, name: str) -> None:
    response = cloud.send("GET", f"/v2/{name}/tags/list")
    assert (response.status, response.code) == (400, "NAME_INVALID")


@pytest.mark.parametrize("name", ["a", "a/b/c", "a.b", "a_b", "a__b", "a---b", "0", "a" * 255])
def test_a_valid_name(cloud: Cloud, name: str) -> None:
    assert cloud.send("GET", f"/v2/{name}/tags/list").status == 401


def test_login_servers_are_served_on_443_only(cloud: Cloud) -> None:
    assert cloud.service.owns(SERVER, 443)
    assert not cloud.service.owns(SERVER, 8443)
    assert not cloud.service.owns("myregistry", 443)
