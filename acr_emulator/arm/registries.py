"""Synchronous operations on registries.

https://learn.microsoft.com/rest/api/containerregistry/registries
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from acr_emulator.arm import resource
from acr_emulator.arm.authorization import PREFIX, READ, forbidden, may, sees
from acr_emulator.arm.context import Operation
from acr_emulator.arm.errors import ArmError, invalid_body
from acr_emulator.messages import Response, json_response
from acr_emulator.world import Registry

_NAME = re.compile(r"[a-zA-Z0-9]{5,50}")
_GIB, _TIB = 1024**3, 1024**4
_STORAGE_LIMIT = {"Basic": 40 * _TIB, "Standard": 40 * _TIB, "Premium": 100 * _TIB}


def listing(operation: Operation) -> Response:
    """List the registries of a subscription or resource group, without those that the caller may not read."""
    found = operation.subscription()
    if not sees(operation.world, operation.caller, found):
        raise forbidden(operation.caller, READ, f"/subscriptions/{found.subscription_id}")
    readable = [r for r in operation.registries() if may(operation.world, operation.caller, READ, r)]
    return json_response(200, {"value": [resource.render(r) for r in readable]})


def show(operation: Operation) -> Response:
    """Handle GET of a registry."""
    return json_response(200, resource.render(operation.permitted_registry("read")))


def update(operation: Operation) -> Response:
    """Handle PATCH of a registry; the next request sees the change."""
    registry = operation.permitted_registry("write")
    body = operation.request.json()
    with operation.world.lock:
        resource.update(registry, body)
        return json_response(200, resource.render(registry))


def list_credentials(operation: Operation) -> Response:
    """Handle POST listCredentials: the admin account, if it is enabled."""
    return json_response(200, _credentials(_with_admin(operation, "listCredentials")))


def regenerate_credential(operation: Operation) -> Response:
    """Handle POST regenerateCredential {"name": "password"|"password2"}."""
    registry = _with_admin(operation, "regenerateCredential")
    body = operation.request.json()
    names = ("password", "password2")
    if not isinstance(body, dict) or body.get("name") not in names:
        raise invalid_body("name must be 'password' or 'password2'.")
    with operation.world.lock:
        registry.admin_passwords[names.index(body["name"])] = secrets.token_urlsafe(32)
        return json_response(200, _credentials(registry))


def list_usages(operation: Operation) -> Response:
    """Handle GET listUsages: the quota of the registry's SKU."""
    registry = operation.permitted_registry("listUsages/read")
    rows = [
        ("Size", _STORAGE_LIMIT[registry.sku], "Bytes"),
        ("Webhooks", {"Basic": 2, "Standard": 10}.get(registry.sku, 500), "Count"),
        ("Geo-replications", -1 if registry.sku == "Premium" else 0, "Count"),
        ("IPRules", 200 if registry.sku == "Premium" else 0, "Count"),
        ("ScopeMaps", {"Basic": 100, "Standard": 500}.get(registry.sku, 50000), "Count"),
        ("Tokens", {"Basic": 100, "Standard": 500}.get(registry.sku, 50000), "Count"),
    ]
    used = {"Tokens": len(registry.tokens)}
    value = [{"name": n, "limit": limit, "currentValue": used.get(n, 0), "unit": unit} for n, limit, unit in rows]
    return json_response(200, {"value": value})


def children(operation: Operation) -> Response:
    """List a registry's replications, webhooks or other children; the emulator has none."""
    operation.permitted_registry("read")
    return json_response(200, {"value": []})


def check_name(operation: Operation) -> Response:
    """Handle POST checkNameAvailability."""
    operation.visible_subscription(f"{PREFIX.rpartition('/')[0]}/checkNameAvailability/read")
    body = operation.request.json()
    if not isinstance(body, dict) or not isinstance(body.get("name"), str):
        raise invalid_body("name is required.")
    if body.get("type") != resource.TYPE:
        raise invalid_body(f"type must be '{resource.TYPE}'.")
    return json_response(200, _availability(operation, body["name"]))


def _availability(operation: Operation, name: str) -> dict[str, Any]:
    if not _NAME.fullmatch(name):
        message = f"The specified registry name '{name}' is not valid: 5 to 50 alphanumeric characters are required."
        return {"nameAvailable": False, "reason": "Invalid", "message": message}
    if operation.world.registry(name):
        message = f"The registry {name}.azurecr.io is already in use."
        return {"nameAvailable": False, "reason": "AlreadyExists", "message": message}
    return {"nameAvailable": True, "availableLoginServerName": f"{name.lower()}.azurecr.io"}


def _with_admin(operation: Operation, action: str) -> Registry:
    registry = operation.permitted_registry(f"{action}/action")
    if not registry.admin_user_enabled:
        raise ArmError(
            400,
            "UnAuthorizedForCredentialOperations",
            "Cannot perform credential operations for "
            f"{registry.resource_id} as admin user is disabled. Kindly enable admin user as per docs: "
            "https://docs.microsoft.com/en-us/azure/container-registry/container-registry-authentication#admin-account",
        )
    return registry


def _credentials(registry: Registry) -> dict[str, Any]:
    names = ("password", "password2")
    values = zip(names, registry.admin_passwords, strict=False)
    return {"username": registry.name, "passwords": [{"name": name, "value": value} for name, value in values]}
