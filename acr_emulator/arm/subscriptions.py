"""Tenants, subscriptions, resource groups and the generic resource list.

https://learn.microsoft.com/rest/api/resources/tenants/list, …/subscriptions/list, …/resources/list
"""

from __future__ import annotations

import re
from typing import Any

from acr_emulator.arm.authorization import READ, may, sees
from acr_emulator.arm.context import Operation
from acr_emulator.arm.errors import ArmError
from acr_emulator.arm.resource import TYPE, summary
from acr_emulator.messages import Response, json_response
from acr_emulator.world import Registry, Subscription

_CONDITION = re.compile(r"\s*(resourceType|name)\s+eq\s+'([^']*)'\s*", re.IGNORECASE)


def tenants(operation: Operation) -> Response:
    """Handle GET /tenants: the caller's own."""
    own = [t for t in operation.world.tenants if t.tenant_id == operation.caller.tenant_id]
    value = [
        {
            "id": f"/tenants/{tenant.tenant_id}",
            "tenantId": tenant.tenant_id,
            "displayName": tenant.domain.partition(".")[0].capitalize(),
            "defaultDomain": tenant.domain,
            "domains": [tenant.domain],
            "tenantCategory": "Home",
        }
        for tenant in own
    ]
    return json_response(200, {"value": value})


def subscriptions(operation: Operation) -> Response:
    """Handle GET /subscriptions: those in which the caller has any assignment."""
    world = operation.world
    value = [_subscription(s) for s in world.subscriptions if sees(world, operation.caller, s)]
    return json_response(200, {"value": value, "count": {"type": "Total", "value": len(value)}})


def subscription(operation: Operation) -> Response:
    """Handle GET /subscriptions/{id}."""
    return json_response(200, _subscription(operation.visible_subscription("Microsoft.Resources/subscriptions/read")))


def locations(operation: Operation) -> Response:
    """Handle GET /subscriptions/{id}/locations."""
    found = operation.visible_subscription("Microsoft.Resources/subscriptions/locations/read")
    prefix = f"/subscriptions/{found.subscription_id}/locations"
    value = [{"id": f"{prefix}/westeurope", "name": "westeurope", "displayName": "West Europe"}]
    return json_response(200, {"value": value})


def resource_groups(operation: Operation) -> Response:
    """Handle GET /subscriptions/{id}/resourcegroups: groups with a registry that the caller may read."""
    found = operation.visible_subscription("Microsoft.Resources/subscriptions/resourceGroups/read")
    groups = {r.resource_group: r for r in _readable(operation)}
    prefix = f"/subscriptions/{found.subscription_id}/resourceGroups"
    value = [
        {
            "id": f"{prefix}/{name}",
            "name": name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": registry.location,
            "properties": {"provisioningState": "Succeeded"},
        }
        for name, registry in sorted(groups.items())
    ]
    return json_response(200, {"value": value})


def resources(operation: Operation) -> Response:
    """Handle GET /subscriptions/{id}/resources[?$filter]: resources that the caller may not read are left out."""
    wanted = _filter(operation.request.param("$filter"))
    value = [
        summary(registry)
        for registry in _readable(operation)
        if wanted.get("resourcetype", TYPE).lower() == TYPE.lower()
        and wanted.get("name", registry.name).lower() == registry.name
    ]
    return json_response(200, {"value": value})


def _readable(operation: Operation) -> list[Registry]:
    return [r for r in operation.registries() if may(operation.world, operation.caller, READ, r)]


def _filter(text: str | None) -> dict[str, str]:
    conditions: dict[str, str] = {}
    for part in re.split(r"\band\b", text) if text else []:
        match = _CONDITION.fullmatch(part)
        if match is None:
            message = f"Invalid $filter '{text}' specified in the query string."
            raise ArmError(400, "InvalidFilterInQueryString", message)
        conditions[match[1].lower()] = match[2]
    return conditions


def _subscription(found: Subscription) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{found.subscription_id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": found.subscription_id,
        "tenantId": found.tenant_id,
        "displayName": found.name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }
