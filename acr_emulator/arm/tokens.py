"""Repository-scoped tokens and their scope maps, to read; the world defines them.

https://learn.microsoft.com/rest/api/containerregistry/tokens/list, …/scope-maps/list
"""

from __future__ import annotations

from typing import Any

from acr_emulator.arm.authorization import PREFIX, require
from acr_emulator.arm.context import Operation
from acr_emulator.arm.errors import ArmError
from acr_emulator.arm.resource import CREATED
from acr_emulator.messages import Response, json_response
from acr_emulator.world import Registry, ScopeMapToken


def tokens(operation: Operation) -> Response:
    """GET tokens."""
    registry = _readable(operation, "tokens")
    return json_response(200, {"value": [_token(registry, token) for token in registry.tokens]})


def token(operation: Operation) -> Response:
    """GET one token."""
    registry = _readable(operation, "tokens")
    return json_response(200, _token(registry, _named(registry, operation.names["name"])))


def scope_maps(operation: Operation) -> Response:
    """GET scopeMaps: one for each token."""
    registry = _readable(operation, "scopeMaps")
    return json_response(200, {"value": [_scope_map(registry, token) for token in registry.tokens]})


def scope_map(operation: Operation) -> Response:
    """GET one scope map."""
    registry = _readable(operation, "scopeMaps")
    name = operation.names["name"].removesuffix("-scope-map")
    return json_response(200, _scope_map(registry, _named(registry, name)))


def _readable(operation: Operation, kind: str) -> Registry:
    registry = operation.registry()
    require(operation.world, operation.caller, f"{PREFIX}/{kind}/read", registry)
    return registry


def _named(registry: Registry, name: str) -> ScopeMapToken:
    found = next((token for token in registry.tokens if token.name == name), None)
    if found is None:
        raise ArmError(404, "ResourceNotFound", f"The Resource '{name}' was not found in registry '{registry.name}'.")
    return found


def _token(registry: Registry, token: ScopeMapToken) -> dict[str, Any]:
    names = zip(("password1", "password2"), token.passwords, strict=False)
    return {
        **_resource(registry, "tokens", token.name),
        "properties": {
            "creationDate": CREATED,
            "provisioningState": "Succeeded",
            "scopeMapId": _scope_map(registry, token)["id"],
            "credentials": {"passwords": [{"creationTime": CREATED, "name": name} for name, _ in names]},
            "status": "enabled" if token.enabled else "disabled",
        },
    }


def _scope_map(registry: Registry, token: ScopeMapToken) -> dict[str, Any]:
    return {
        **_resource(registry, "scopeMaps", f"{token.name}-scope-map"),
        "properties": {
            "type": "UserDefined",
            "creationDate": CREATED,
            "provisioningState": "Succeeded",
            "actions": [f"repositories/{action}" for action in token.actions],
        },
    }


def _resource(registry: Registry, kind: str, name: str) -> dict[str, Any]:
    return {
        "type": f"Microsoft.ContainerRegistry/registries/{kind}",
        "id": f"{registry.resource_id}/{kind}/{name}",
        "name": name,
    }
