"""Resource Manager: authentication, visibility, changes, importImage."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from acr_emulator.world import ACR_AUDIENCE, OTHER_SUBSCRIPTION, SUBSCRIPTION, TENANT, RoleAssignment
from tests.emulator.local_azure import GROUP, VERSION, Layer, LocalAzure

REGISTRY = f"{GROUP}/myregistry"
TARGET = f"{GROUP}/targetregistry"


@pytest.fixture
def azure(tmp_path: Path) -> LocalAzure:
    return LocalAzure(tmp_path)


# Authentication


def test_a_request_without_a_token_is_challenged(azure: LocalAzure) -> None:
    response = azure.send("GET", "https://management.azure.com/tenants?api-version=2022-12-01")
    assert (response.status, response.code) == (401, "AuthenticationFailed")
    assert "authorization_uri=" in (response.headers.get("WWW-Authenticate") or "")


@pytest.mark.parametrize(
    ("audience", "claims", "code"),
    [
        (ACR_AUDIENCE, {}, "InvalidAuthenticationTokenAudience"),
        ("https://management.azure.com", {"exp": 1}, "ExpiredAuthenticationToken"),
        ("https://management.azure.com", {"nbf": int(time.time()) + 9999}, "InvalidAuthenticationToken"),
    ],
)
def test_a_bad_token_is_refused(azure: LocalAzure, audience: str, claims: dict[str, Any], code: str) -> None:
    response = azure.arm("GET", "/tenants", token=azure.token("pusher", audience, **claims))
    assert (response.status, response.code) == (401, code)


def test_a_forged_token_is_refused(azure: LocalAzure) -> None:
    head, claims, signature = azure.token("pusher").split(".")
    other = azure.token("user@contoso.example").split(".")[1]
    assert azure.arm("GET", "/tenants", token=f"{head}.{claims}.{signature}").status == 200
    assert azure.arm("GET", "/tenants", token=f"{head}.{other}.{signature}").code == "InvalidAuthenticationToken"


def test_the_core_windows_net_audience_is_accepted(azure: LocalAzure) -> None:
    token = azure.token("pusher", "https://management.core.windows.net/")
    assert azure.arm("GET", "/subscriptions", token=token).status == 200


def test_the_api_version_is_required(azure: LocalAzure) -> None:
    headers = {"Authorization": f"Bearer {azure.token('pusher')}"}
    response = azure.send("GET", "https://management.azure.com/tenants", headers=headers)
    assert (response.status, response.code) == (400, "MissingApiVersionParameter")


# Visibility


def test_the_callers_tenant_and_subscription_are_listed(azure: LocalAzure) -> None:
    tenants = azure.arm("GET", "/tenants").json["value"]
    subscriptions = azure.arm("GET", "/subscriptions").json["value"]
    assert [tenant["tenantId"] for tenant in tenants] == [TENANT]
    assert [(s["subscriptionId"], s["state"]) for s in subscriptions] == [(SUBSCRIPTION, "Enabled")]


def test_without_any_assignment_the_subscription_is_hidden(azure: LocalAzure) -> None:
    azure.world.subscriptions[0].readers.clear()
    assert azure.arm("GET", "/subscriptions", who="nobody").json["value"] == []
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerRegistry/registries"
    response = azure.arm("GET", path, who="nobody")
    assert (response.status, response.code) == (403, "AuthorizationFailed")


def test_a_data_plane_role_shows_the_subscription_but_no_registry(azure: LocalAzure) -> None:
    azure.world.subscriptions[0].readers.clear()
    assert len(azure.arm("GET", "/subscriptions", who="reader").json["value"]) == 1
    assert azure.arm("GET", f"/subscriptions/{SUBSCRIPTION}/resources", who="reader").json["value"] == []
    assert azure.arm("GET", REGISTRY, who="reader").code == "AuthorizationFailed"


def test_unknown_and_foreign_subscriptions(azure: LocalAzure) -> None:
    assert azure.arm("GET", f"/subscriptions/{TENANT}/resources").code == "SubscriptionNotFound"
    foreign = azure.arm("GET", f"/subscriptions/{OTHER_SUBSCRIPTION}/resources")
    assert (foreign.status, foreign.code) == (401, "InvalidAuthenticationTokenTenant")


def test_resources_are_filtered_by_type(azure: LocalAzure) -> None:
    path = f"/subscriptions/{SUBSCRIPTION}/resources?$filter=resourceType%20eq%20%27{{}}%27"
    found = azure.arm("GET", path.format("Microsoft.ContainerRegistry/registries")).json["value"]
    assert [item["name"] for item in found] == ["myregistry", "targetregistry", "abacregistry"]
    assert azure.arm("GET", path.format("Microsoft.Compute/virtualMachines")).json["value"] == []
    bad = azure.arm("GET", f"/subscriptions/{SUBSCRIPTION}/resources?$filter=tagName%20eq%20%27x%27")
    assert bad.code == "InvalidFilterInQueryString"


def test_a_registry_is_shown_and_its_path_ignores_case(azure: LocalAzure) -> None:
    shown = azure.arm("GET", REGISTRY.replace("resourceGroups", "RESOURCEGROUPS").replace("local", "LOCAL")).json
    properties = shown["properties"]
    assert shown["sku"] == {"name": "Premium", "tier": "Premium"}
    assert properties["loginServer"] == "myregistry.azurecr.io"
    assert properties["policies"]["azureADAuthenticationAsArmPolicy"] == {"status": "enabled"}
    assert properties["autoGeneratedDomainNameLabelScope"] == "Unsecure"
    hashed = azure.arm("GET", f"{GROUP}/abacregistry").json["properties"]
    assert hashed["autoGeneratedDomainNameLabelScope"] == "TenantReuse"
    assert hashed["roleAssignmentMode"] == "AbacRepositoryPermissions"


def test_missing_resources_are_not_found(azure: LocalAzure) -> None:
    assert azure.arm("GET", f"{GROUP}/nosuchregistry").code == "ResourceNotFound"
    assert azure.arm("GET", REGISTRY.replace("/local/", "/nogroup/")).code == "ResourceGroupNotFound"
    assert azure.arm("GET", f"{REGISTRY}/nothing").status == 404
    assert azure.arm("DELETE", REGISTRY).status == 405


@pytest.mark.parametrize(
    ("name", "available"), [("freshregistry", True), ("myregistry", False), ("bad", False), ("a-b-c-d-e", False)]
)
def test_name_availability(azure: LocalAzure, name: str, available: bool) -> None:
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerRegistry/checkNameAvailability"
    body = {"name": name, "type": "Microsoft.ContainerRegistry/registries"}
    assert azure.arm("POST", path, body).json["nameAvailable"] is available


# Changes


def test_patch_changes_the_registry_immediately(azure: LocalAzure) -> None:
    policies = {"azureADAuthenticationAsArmPolicy": {"status": "disabled"}, "exportPolicy": {"status": "disabled"}}
    properties = {
        "adminUserEnabled": True, "anonymousPullEnabled": True, "publicNetworkAccess": "Disabled",
        "dataEndpointEnabled": True, "policies": policies,
    }  # fmt: skip
    shown = azure.arm("PATCH", REGISTRY, {"properties": properties}).json["properties"]
    assert shown["dataEndpointHostNames"] == ["myregistry.westeurope.data.azurecr.io"]
    assert shown["networkRuleSet"]["defaultAction"] == "Deny"
    registry = azure.registry()
    assert (registry.admin_user_enabled, registry.anonymous_pull_enabled) == (True, True)
    assert (registry.public_network_access, registry.arm_audience_enabled, registry.export_enabled) == (False,) * 3


def test_patch_refuses_an_unsupported_change_but_not_a_repetition(azure: LocalAzure) -> None:
    same = {"properties": {"policies": {"retentionPolicy": {"days": 7, "status": "disabled"}}}}
    other = {"properties": {"policies": {"retentionPolicy": {"days": 8, "status": "enabled"}}}}
    assert azure.arm("PATCH", REGISTRY, same).status == 200
    assert azure.arm("PATCH", REGISTRY, other).status == 400
    assert azure.arm("PATCH", REGISTRY, {"properties": {"adminUserEnabled": "yes"}}).status == 400
    assert azure.arm("PATCH", REGISTRY, {"properties": {"adminUserEnabled": True}}, who="reader").status == 403


def test_admin_credentials_are_shown_only_when_enabled(azure: LocalAzure) -> None:
    refused = azure.arm("POST", f"{REGISTRY}/listCredentials")
    assert (refused.status, refused.code) == (400, "UnAuthorizedForCredentialOperations")
    azure.registry().admin_user_enabled = True
    shown = azure.arm("POST", f"{REGISTRY}/listCredentials").json
    assert (shown["username"], shown["passwords"][0]["value"]) == ("myregistry", "admin-password-1")
    renewed = azure.arm("POST", f"{REGISTRY}/regenerateCredential", {"name": "password2"}).json
    assert renewed["passwords"][0]["value"] == "admin-password-1"
    assert renewed["passwords"][1]["value"] == azure.registry().admin_passwords[1] != "admin-password-2"


def test_repository_tokens_and_their_scope_maps_are_shown(azure: LocalAzure) -> None:
    found = azure.arm("GET", f"{REGISTRY}/tokens").json["value"]
    assert [token["name"] for token in found] == ["ci-token", "read-token"]
    assert "read-token-password" not in str(found)
    scope_map = azure.arm("GET", found[1]["properties"]["scopeMapId"]).json
    assert scope_map["properties"]["actions"] == ["repositories/samples/*/content/read"]
    assert azure.arm("GET", f"{REGISTRY}/tokens/none").code == "ResourceNotFound"


# importImage


def _import(azure: LocalAzure, source: dict[str, Any], who: str = "pusher", **body: Any) -> Any:
    wanted = {"source": source, "targetTags": ["copied:v1"], **body}
    return azure.arm("POST", f"{TARGET}/importImage", wanted, who)


def test_import_copies_the_image_but_not_its_referrers(azure: LocalAzure) -> None:
    subject = azure.push("samples/a", "1", [Layer("a.txt", b"hello")])
    link = {"subject": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": subject, "size": 1}}
    azure.push("samples/a", "signature", [Layer("s", b"sig")], **link)
    azure.world.operation_retry_after = 7
    started = _import(azure, {"resourceId": azure.registry().resource_id, "sourceImage": "samples/a:1"})
    assert (started.status, started.headers.get("Retry-After")) == (202, "7")
    done = azure.poll(started)
    assert (done.status, done.json) == (200, {"status": "Succeeded"})
    _, manifest = azure.client("targetregistry").manifest("copied", "v1")
    assert b"a.txt" in manifest
    client = azure.client("targetregistry")
    referrers = client.send("GET", f"/v2/copied/referrers/{subject}", "repository:copied:pull")
    assert b'"manifests":[]' in bytes(referrers.body).replace(b" ", b"")  # type: ignore[arg-type]


def test_the_location_of_an_import_is_long(azure: LocalAzure) -> None:
    azure.push("samples/a", "1", [Layer("a.txt", b"one")])
    source = {"resourceId": azure.registry().resource_id, "sourceImage": "samples/a:1"}
    started = _import(azure, source)
    assert list(dict(parse_qsl(urlsplit(started.location).query))) == ["api-version", "t", "c", "s", "h"]
    assert 4500 < len(started.location) < 5500
    azure.registry("targetregistry").import_response = "null-body"
    started = _import(azure, source, mode="Force")
    assert (started.status, started.body, started.headers.get("Retry-After")) == (202, b"null", None)
    assert parse_qsl(urlsplit(started.location).query) == [("api-version", VERSION)]
    assert azure.poll(started).status == 200


def test_an_import_may_be_done_at_once(azure: LocalAzure) -> None:
    azure.registry("targetregistry").import_response = "done"
    source = {"resourceId": azure.registry().resource_id, "sourceImage": "samples/a:1"}
    assert _import(azure, source).code == "ManifestUnknown"
    digest = azure.push("samples/a", "1", [Layer("a.txt", b"one")])
    response = _import(azure, source)
    assert (response.status, response.location) == (200, "")
    assert azure.client("targetregistry").manifest("copied", digest)


def test_import_does_not_overwrite_a_tag_unless_forced(azure: LocalAzure) -> None:
    azure.push("samples/a", "1", [Layer("a.txt", b"one")])
    azure.push("copied", "v1", [Layer("b.txt", b"two")], registry="targetregistry")
    source = {"resourceId": azure.registry().resource_id, "sourceImage": "samples/a:1"}
    refused = azure.poll(_import(azure, source))
    assert refused.status == 409
    assert "Operation registries-" in refused.json["error"]["message"]
    assert azure.poll(_import(azure, source, mode="Force")).status == 200


def test_import_of_a_missing_image_fails_when_polled(azure: LocalAzure) -> None:
    source = {"resourceId": azure.registry().resource_id, "sourceImage": "samples/none:1"}
    response = azure.poll(_import(azure, source))
    assert 400 <= response.status < 500
    assert "samples/none" in response.json["error"]["message"]


def test_import_needs_rights_on_both_registries(azure: LocalAzure) -> None:
    azure.push("samples/a", "1", [Layer("a.txt", b"hello")])
    source = {"resourceId": azure.registry().resource_id, "sourceImage": "samples/a:1"}
    assert _import(azure, source, "reader").code == "AuthorizationFailed"
    importer = azure.world.principal("nobody")
    assert importer is not None
    role = RoleAssignment(importer.object_id, "Container Registry Data Importer and Data Reader")
    azure.registry("targetregistry").roles.append(role)
    assert _import(azure, source, "nobody").code == "LinkedAuthorizationFailed"
    azure.registry().roles.append(role)
    assert azure.poll(_import(azure, source, "nobody"), "nobody").status == 200


def test_the_importer_role_reads_an_abac_source(azure: LocalAzure) -> None:
    azure.push("samples/a", "1", [Layer("a.txt", b"hello")], registry="abacregistry")
    source = {"resourceId": azure.registry("abacregistry").resource_id, "sourceImage": "samples/a:1"}
    user = azure.world.principal("user@contoso.example")  # Owner of both, but without data-plane rights in ABAC mode
    assert user is not None
    assert _import(azure, source, user.name).code == "LinkedAuthorizationFailed"
    role = RoleAssignment(user.object_id, "Container Registry Data Importer and Data Reader")
    azure.registry("abacregistry").roles.append(role)
    assert azure.poll(_import(azure, source, user.name), user.name).status == 200


@pytest.mark.parametrize(
    ("credentials", "status"),
    [
        ({"username": "read-token", "password": "read-token-password"}, 200),
        ({"username": "read-token", "password": "wrong"}, 400),
        ({"password": "not-a-token"}, 400),
        ({}, 400),
    ],
)
def test_import_by_uri_uses_the_given_credentials(azure: LocalAzure, credentials: dict[str, str], status: int) -> None:
    azure.push("samples/a", "1", [Layer("a.txt", b"hello")])
    source = {"registryUri": "myregistry.azurecr.io", "sourceImage": "samples/a:1", "credentials": credentials}
    assert azure.poll(_import(azure, source)).status == status


def test_import_accepts_an_entra_token_as_password(azure: LocalAzure) -> None:
    azure.push("samples/a", "1", [Layer("a.txt", b"hello")])
    source = {"registryUri": "myregistry.azurecr.io", "sourceImage": "samples/a:1"}
    good, bad = azure.token("reader", ACR_AUDIENCE), azure.token("nobody", ACR_AUDIENCE)
    assert azure.poll(_import(azure, {**source, "credentials": {"password": bad}})).status == 400
    assert azure.poll(_import(azure, {**source, "credentials": {"password": good}})).status == 200


def test_import_is_blocked_by_the_sources_export_policy(azure: LocalAzure) -> None:
    azure.push("samples/a", "1", [Layer("a.txt", b"hello")])
    azure.registry().export_enabled = False
    source = {"resourceId": azure.registry().resource_id, "sourceImage": "samples/a:1"}
    assert "xport" in azure.poll(_import(azure, source)).json["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"source": {"sourceImage": "a:1"}, "targetTags": ["a:1"]},
        {"source": {"resourceId": REGISTRY, "sourceImage": "a:1"}},
        {"source": {"resourceId": REGISTRY, "sourceImage": "a:1"}, "targetTags": "a:1"},
        {"source": {"resourceId": REGISTRY, "sourceImage": "a:1"}, "targetTags": ["a:1"], "mode": "Maybe"},
        {"source": {"resourceId": REGISTRY, "sourceImage": "a:1"}, "targetTags": ["a:1"], "surprise": 1},
        {"source": {"resourceId": REGISTRY, "sourceImage": 1}, "targetTags": ["a:1"]},
    ],
)
def test_an_invalid_import_body_is_refused(azure: LocalAzure, body: dict[str, Any]) -> None:
    response = azure.arm("POST", f"{TARGET}/importImage", body)
    assert (response.status, response.code) == (400, "InvalidRequestContent")
