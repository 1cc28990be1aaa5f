"""Managed identity: a virtual machine's metadata service, and App Service's local endpoint.

learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token and
learn.microsoft.com/azure/app-service/overview-managed-identity.
"""

from __future__ import annotations

from typing import Any

from acr_emulator.entra.audience import is_known
from acr_emulator.entra.tokens import Issuer
from acr_emulator.jwt import Signer
from acr_emulator.messages import Request, Response, json_response
from acr_emulator.world import Principal, World

IDENTITY_HEADER = "acr-emulator"
"""The required value of `IDENTITY_HEADER` (or `MSI_SECRET`) in a client's environment."""

IMDS_HOST = "169.254.169.254"
_TOKEN_PATH = "/metadata/identity/oauth2/token"
_SELECTORS = ("client_id", "clientid", "object_id", "principal_id", "msi_res_id", "mi_res_id")


class ManagedIdentity:
    """Issue tokens to the identity in `World.managed_identity`."""

    def __init__(self, world: World, signer: Signer) -> None:
        self._world = world
        self._issuer = Issuer(world, signer)

    def owns(self, host: str, port: int) -> bool:
        """Return whether this is the instance metadata service."""
        return host == IMDS_HOST and port == 80

    def handle(self, request: Request) -> Response:
        """Handle a request to the instance metadata service."""
        if request.path.rstrip("/") != _TOKEN_PATH:
            return json_response(404, {"error": "Not found"})
        if (request.headers.get("Metadata") or "").lower() != "true":
            return _imds_error("Required metadata header not specified")
        resource = request.param("resource")
        if not resource:
            return _imds_error("Required query variable 'resource' is missing")
        principal = self._assigned(request)
        if principal is None:
            return _imds_error("Identity not found")
        if not is_known(resource):
            message = f"AADSTS500011: The resource principal named {resource} was not found in the tenant."
            return json_response(400, {"error": "invalid_resource", "error_description": message})
        return json_response(200, self._token(principal, resource))

    def app_service(self, request: Request) -> Response:
        """Handle a request to App Service's endpoint (`IDENTITY_ENDPOINT`, formerly `MSI_ENDPOINT`)."""
        given = request.headers.get("X-IDENTITY-HEADER") or request.headers.get("secret")
        if given != IDENTITY_HEADER:
            return json_response(401, {"statusCode": 401, "message": "The identity header is missing or wrong."})
        principal = self._assigned(request)
        resource = request.param("resource") or ""
        if principal is None:
            message = "No managed identity was found for the specified ClientId/ResourceId/PrincipalId."
            return json_response(400, {"statusCode": 400, "message": message})
        if not is_known(resource):
            return json_response(500, {"statusCode": 500, "message": f"The resource {resource} was not found."})
        return json_response(200, self._token(principal, resource))

    def _assigned(self, request: Request) -> Principal | None:
        with self._world.lock:
            principal = self._world.principal(self._world.managed_identity or "")
        wanted = [request.param(name) for name in _SELECTORS if request.param(name)]
        if principal is None or not principal.enabled:
            return None
        fits = all(name in (principal.client_id, principal.object_id) for name in wanted)
        return principal if fits else None

    def _token(self, principal: Principal, resource: str) -> dict[str, Any]:
        token = self._issuer.managed_token(principal, resource)
        return {**token, "client_id": principal.client_id, "ext_expires_in": token["expires_in"]}


def _imds_error(description: str) -> Response:
    return json_response(400, {"error": "invalid_request", "error_description": description})
