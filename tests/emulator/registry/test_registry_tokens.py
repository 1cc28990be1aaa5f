"""`/oauth2/exchange` and `/oauth2/token` (Azure/acr docs/AAD-OAuth.md)."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import pytest

from acr_emulator import jwt
from acr_emulator.world import ACR_AUDIENCE, ARM_AUDIENCE, OTHER_TENANT, TENANT
from tests.emulator.exchange import Received
from tests.emulator.registry.peer import FORM, SERVER, Cloud, Peer, basic


def access(response: Received) -> list[dict[str, Any]]:
    """Return the `access` claim of the token in *response*."""
    assert response.status == 200, response
    found = jwt.peek(response.json["access_token"])["access"]
    assert isinstance(found, list)
    return found


def entry(name: str, *actions: str, kind: str = "repository") -> dict[str, Any]:
    return {"type": kind, "name": name, "actions": list(actions)}


def refreshed(cloud: Cloud, scope: str, who: str = "pusher", host: str = SERVER) -> Received:
    token = cloud.refresh_token(who, host)
    return cloud.post("/oauth2/token", host, grant_type="refresh_token", refresh_token=token, scope=scope)


def test_an_entra_token_becomes_a_refresh_token(cloud: Cloud) -> None:
    response = cloud.exchange(cloud.entra(), tenant=TENANT)
    assert (response.status, list(response.json)) == (200, ["refresh_token"])
    assert response.headers.get("x-ms-ratelimit-remaining-calls-per-second") == "166.65"
    claims, now = jwt.peek(response.json["refresh_token"]), time.time()
    assert claims["iss"] == "Azure Container Registry"
    assert (claims["aud"], claims["grant_type"]) == (SERVER, "refresh_token")
    assert claims["iat"] == pytest.approx(now - 900, abs=5)
    assert claims["exp"] == pytest.approx(now + 10800, abs=5)
    assert "aad_identity" not in claims


def test_the_arm_audience_is_accepted_while_it_is_enabled(cloud: Cloud) -> None:
    assert cloud.exchange(cloud.entra(audience=ARM_AUDIENCE)).status == 200
    cloud.registry().arm_audience_enabled = False
    assert cloud.exchange(cloud.entra(audience=ARM_AUDIENCE)).status == 401
    assert cloud.exchange(cloud.entra(audience=ACR_AUDIENCE)).status == 200


@pytest.mark.parametrize("audience", [f"https://{SERVER}", "https://graph.microsoft.com", ""])
def test_other_audiences_are_refused(cloud: Cloud, audience: str) -> None:
    response = cloud.exchange(cloud.entra(audience=audience))
    assert (response.status, response.code) == (401, "UNAUTHORIZED")


def test_an_expired_forged_or_malformed_token_is_refused(cloud: Cloud) -> None:
    good = cloud.entra()
    for token in (cloud.entra(seconds=-1), good[:-8] + "AAAAAAAA", "x"):
        assert cloud.exchange(token).status == 401


def test_the_tenant_must_be_the_registrys(cloud: Cloud) -> None:
    assert cloud.exchange(cloud.entra("other")).status == 401
    assert cloud.exchange(cloud.entra(), tenant=OTHER_TENANT).status == 401
    assert cloud.exchange(cloud.entra("other"), "otherregistry.azurecr.io").status == 200


def test_a_disabled_principal_is_refused_with_its_old_refresh_token_too(cloud: Cloud) -> None:
    token = cloud.refresh_token()
    principal = cloud.world.principal("pusher")
    assert principal is not None
    principal.enabled = False
    assert cloud.exchange(cloud.entra()).status == 401
    assert cloud.post("/oauth2/token", grant_type="refresh_token", refresh_token=token, scope="").status == 401


@pytest.mark.parametrize(
    "fields",
    [{"grant_type": "password"}, {"grant_type": "access_token"}, {"grant_type": "access_token", "service": "x"}],
)
def test_an_exchange_with_a_field_missing_or_wrong(cloud: Cloud, fields: dict[str, str]) -> None:
    assert cloud.post("/oauth2/exchange", **fields).status == 400
    assert cloud.send("POST", "/oauth2/exchange", urlencode(fields).encode()).status == 400


def test_an_access_token_is_valid_for_an_hour(cloud: Cloud) -> None:
    claims, now = jwt.peek(cloud.token("repository:a:pull")), time.time()
    assert claims["grant_type"] == "access_token"
    assert claims["iat"] == pytest.approx(now - 900, abs=5)
    assert claims["exp"] == pytest.approx(now + 3600, abs=5)


def test_an_access_token_is_no_refresh_token(cloud: Cloud) -> None:
    token = cloud.token("repository:a:pull")
    assert cloud.post("/oauth2/token", grant_type="refresh_token", refresh_token=token).status == 401


@pytest.mark.parametrize(
    ("who", "granted"),
    [
        ("pusher", ("pull", "push", "delete", "metadata_read", "metadata_write")),
        ("identity", ("pull", "push", "metadata_read", "metadata_write")),
        ("reader", ("pull", "metadata_read")),
        ("nobody", ()),
    ],
)
def test_legacy_roles(cloud: Cloud, who: str, granted: tuple[str, ...]) -> None:
    response = refreshed(cloud, "repository:a:pull,push,delete,metadata_read,metadata_write", who)
    assert access(response) == ([entry("a", *granted)] if granted else [])
    listed = access(refreshed(cloud, "registry:catalog:*", who))
    assert listed == ([entry("catalog", "*", kind="registry")] if granted else [])


@pytest.mark.parametrize(
    ("role", "granted"), [("AcrDelete", ["delete"]), ("Reader", ["pull"]), ("AcrImageSigner", None)]
)
def test_further_legacy_roles(cloud: Cloud, role: str, granted: list[str] | None) -> None:
    registry = cloud.registry()
    registry.roles[3].role = role
    entries = access(refreshed(cloud, "repository:a:pull,push,delete", "reader"))
    assert [found["actions"] for found in entries] == ([granted] if granted else [])


def test_wildcards_in_legacy_mode(cloud: Cloud) -> None:
    everything = ["delete", "deleted_read", "deleted_restore", "metadata_read", "metadata_write", "pull", "push"]
    assert access(refreshed(cloud, "repository:*:*")) == [entry("*", *everything)]
    assert access(refreshed(cloud, "repository:*:pull", "reader")) == [entry("*", "pull")]
    peer = Peer(cloud, "any", cloud.token("repository:*:*"))
    assert peer.start().status == 202


def test_several_scopes_joined_or_repeated(cloud: Cloud) -> None:
    wanted = [entry("a", "pull"), entry("b", "pull", "push"), entry("catalog", "*", kind="registry")]
    scopes = ["repository:a:pull", "repository:b:pull,push", "registry:catalog:*"]
    assert access(refreshed(cloud, " ".join(scopes))) == wanted
    fields = [("service", SERVER), *(("scope", scope) for scope in scopes)]
    form = [*fields, ("grant_type", "refresh_token"), ("refresh_token", cloud.refresh_token())]
    assert access(cloud.send("POST", "/oauth2/token", urlencode(form).encode(), FORM)) == wanted
    pusher = cloud.world.principal("pusher")
    assert pusher is not None
    login = basic(pusher.client_id, "pusher-secret")
    assert access(cloud.send("GET", f"/oauth2/token?{urlencode(fields)}", headers=login)) == wanted


@pytest.mark.parametrize("scope", ["", "x", "repository:a", "other:a:pull", "registry:other:*"])
def test_an_unknown_scope_grants_nothing(cloud: Cloud, scope: str) -> None:
    assert access(refreshed(cloud, scope)) == []


def test_a_token_keeps_its_grants_when_roles_change(cloud: Cloud) -> None:
    peer = cloud.peer(actions="pull,push")
    cloud.registry().roles.clear()
    assert peer.start().status == 202
    assert peer.acr("DELETE").status == 401
    assert Peer(cloud, "b", peer.token).start().status == 401


class TestAbac:
    """https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions"""

    HOST = "abacregistry-d7fqc4e3.azurecr.io"

    def test_legacy_roles_give_nothing(self, cloud: Cloud) -> None:
        assert access(refreshed(cloud, "repository:a:pull registry:catalog:*", "user@contoso.example", self.HOST)) == []

    def test_repository_roles_apply_under_their_condition(self, cloud: Cloud) -> None:
        scope = "repository:samples/a:pull,push repository:other:pull"
        assert access(refreshed(cloud, scope, "reader", self.HOST)) == [entry("samples/a", "pull")]
        assert access(refreshed(cloud, "repository:x:pull,push,delete", "pusher", self.HOST)) == [
            entry("x", "pull", "push", "delete")
        ]

    def test_wildcards_are_silently_left_out(self, cloud: Cloud) -> None:
        assert access(refreshed(cloud, "repository:*:* repository:a:pull", host=self.HOST)) == [entry("a", "pull")]

    def test_listing_needs_the_lister(self, cloud: Cloud) -> None:
        assert access(refreshed(cloud, "registry:catalog:*", host=self.HOST)) == []
        cloud.registry("abacregistry").roles[0].role = "Container Registry Repository Catalog Lister"
        entries = access(refreshed(cloud, "registry:catalog:* repository:a:pull", host=self.HOST))
        assert entries == [entry("catalog", "*", kind="registry")]

    def test_a_writer_may_untag_but_not_delete(self, cloud: Cloud) -> None:
        cloud.registry("abacregistry").roles[0].role = "Container Registry Repository Writer"
        peer = cloud.peer(host=self.HOST)
        digest = peer.artifact("1")
        assert peer.acr("DELETE", "/_tags/1").status == 202
        assert peer.v2("DELETE", f"manifests/{digest}").status == 401

    def test_a_change_of_mode_invalidates_refresh_tokens(self, cloud: Cloud) -> None:
        registry, token = cloud.registry(), cloud.refresh_token()
        fields = {"grant_type": "refresh_token", "scope": "repository:a:pull"}
        registry.role_assignment_mode = "AbacRepositoryPermissions"
        assert cloud.post("/oauth2/token", refresh_token=token, **fields).status == 401
        newer = cloud.refresh_token()
        assert "aad_identity" in jwt.peek(newer)
        assert cloud.post("/oauth2/token", refresh_token=newer, **fields).status == 200
        registry.role_assignment_mode = "LegacyRegistryPermissions"
        assert cloud.post("/oauth2/token", refresh_token=newer, **fields).status == 401


def by_password(
    cloud: Cloud, user: str, password: str, scope: str = "repository:samples/a:pull,push,delete"
) -> Received:
    """Request a token by POST and by GET, whose responses must agree, and return the first."""
    post = cloud.post("/oauth2/token", grant_type="password", username=user, password=password, scope=scope)
    query = urlencode({"service": SERVER, "scope": scope})
    get = cloud.send("GET", f"/oauth2/token?{query}", headers=basic(user, password))
    assert post.status == get.status
    if post.status == 200:
        assert access(post) == access(get)
    return post


def test_the_admin_user(cloud: Cloud) -> None:
    assert by_password(cloud, "myregistry", "admin-password-1").status == 401
    cloud.registry().admin_user_enabled = True
    assert access(by_password(cloud, "myregistry", "admin-password-2")) == [
        entry("samples/a", "pull", "push", "delete")
    ]
    assert by_password(cloud, "myregistry", "x").status == 401


def test_a_service_principals_secret(cloud: Cloud) -> None:
    reader, other = cloud.world.principal("reader"), cloud.world.principal("other")
    assert reader is not None
    assert other is not None
    assert access(by_password(cloud, reader.client_id, "reader-secret")) == [entry("samples/a", "pull")]
    assert by_password(cloud, reader.client_id, "pusher-secret").status == 401
    assert by_password(cloud, other.client_id, "other-secret").status == 401
    assert by_password(cloud, "user@contoso.example", "user-password").status == 401


def test_a_scope_map_token(cloud: Cloud) -> None:
    everywhere = "repository:samples/a:pull,push,delete repository:other:pull registry:catalog:* repository:*:pull"
    assert access(by_password(cloud, "ci-token", "ci-token-password", everywhere)) == [
        entry("samples/a", "pull", "push")
    ]
    assert access(by_password(cloud, "read-token", "read-token-password")) == [entry("samples/a", "pull")]
    cloud.registry().tokens[0].enabled = False
    assert by_password(cloud, "ci-token", "ci-token-password").status == 401
    cloud.registry().tokens[1].actions = ["*/content/read", "one/metadata/read"]
    granted = access(by_password(cloud, "read-token", "read-token-password", "repository:*:* repository:one:*"))
    assert granted == [entry("*", "pull"), entry("one", "metadata_read", "pull")]


def test_the_null_user_has_a_refresh_token(cloud: Cloud) -> None:
    null = "00000000-0000-0000-0000-000000000000"
    assert access(by_password(cloud, null, cloud.refresh_token("reader"))) == [entry("samples/a", "pull")]
    assert by_password(cloud, null, cloud.entra()).status == 401


def test_anonymous_pull(cloud: Cloud, peer: Peer) -> None:
    digest = peer.artifact("1")
    query = urlencode({"service": SERVER, "scope": "repository:a:pull,push"})
    assert cloud.post("/oauth2/token", grant_type="password").status == 401
    assert cloud.send("GET", f"/oauth2/token?{query}").status == 401
    cloud.registry().anonymous_pull_enabled = True
    response = cloud.post("/oauth2/token", grant_type="password", scope="repository:a:push")
    assert access(response) == access(cloud.send("GET", f"/oauth2/token?{query}")) == [entry("*", "pull")]
    claims = jwt.peek(response.json["access_token"])
    assert claims["sub"] == "acr_anon_pull"
    assert claims["exp"] - time.time() <= 301
    anonymous = Peer(cloud, "a", response.json["access_token"])
    assert anonymous.get("1").headers.get("Docker-Content-Digest") == digest
    assert anonymous.acr("GET", "/_tags/1").status == 200
    assert anonymous.start().status == anonymous.v2("DELETE", f"manifests/{digest}").status == 401
    assert cloud.send("GET", "/v2/a/tags/list").status == 401


def test_unknown_grant_types(cloud: Cloud) -> None:
    for fields in ({}, {"grant_type": "client_credentials"}, {"grant_type": "password", "service": "x"}):
        assert cloud.post("/oauth2/token", **fields).status == 400
    assert cloud.send("GET", "/oauth2/token").status == 400
