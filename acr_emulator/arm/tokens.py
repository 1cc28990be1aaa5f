"""Repository-scoped tokens and their scope maps, read-only; the world defines them.

https://learn.microsoft.com/rest/api/containerregistry/tokens/list, …/scope-maps/list
"""

from __future__ import annotations

from typing import Any

from acr_emulator.arm.context import Operation
from acr_emulator.arm.errors import ArmError
from acr_emulator.arm.resource import CREATED
from acr_emulator.messages import Response, json_response
from acr_emulator.world import Registry, ScopeMapToken


def tokens(operation: Operation) -> Response:
    """Handle GET tokens."""
    registry = operation.permitted_registry("tokens/read")
    return json_response(200, {"value": [_token(registry, token) for token in registry.tokens]})


def token(operation: Operation) -> Response:
    """Handle GET of a token."""
    registry = operation.permitted_registry("tokens/read")
    return json_response(200, _token(registry, _named(registry, operation.names["name"])))


def scope_maps(operation: Operation) -> Response:
    """Handle GET scopeMaps: one for each token."""
    registry = operation.permitted_registry("scopeMaps/read")
    return json_response(200, {"value": [_scope_map(registry, token) for token in registry.tokens]})


def scope_map(operation: Operation) -> Response:
    """Handle GET of a scope map."""
    registry = operation.permitted_registry("scopeMaps/read")
    name = operation.names["name"].removesuffix("-scope-map")
    return json_response(200, _scope_map(registry, _named(registry, name)))


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
