"""Cloud Shell's token broker, http://localhost:50342/oauth2/token.

It serves a list of audiences only; Container Registry's is not among them (github.com/Azure/CloudShell issue 484).
"""

from __future__ import annotations

from acr_emulator.entra.audience import CLOUD_SHELL_AUDIENCES, is_known
from acr_emulator.entra.tokens import Issuer
from acr_emulator.jwt import Signer
from acr_emulator.messages import Request, Response, json_response
from acr_emulator.world import World

PORT = 50342


class CloudShell:
    """Issue tokens to the user in `World.cloud_shell`."""

    def __init__(self, world: World, signer: Signer) -> None:
        self._world = world
        self._issuer = Issuer(world, signer)

    def owns(self, host: str, port: int) -> bool:
        """Return whether this is the broker's fixed address."""
        return host == "localhost" and port == PORT

    def handle(self, request: Request) -> Response:
        """Issue a token for the `resource` of a form or a query; the header `Metadata: true` is required."""
        if request.path != "/oauth2/token":
            return json_response(404, {"error": {"code": "NotFound", "message": request.path}})
        if (request.headers.get("Metadata") or "").lower() != "true":
            return _refused("BadRequest", "Required metadata header not specified")
        values = request.form() if request.method == "POST" else request.params
        resource = values.get("resource", [""])[0]
        with self._world.lock:
            principal = self._world.principal(self._world.cloud_shell or "")
        if principal is None:
            return _refused("IdentityNotFound", "No user is signed in to Cloud Shell")
        if not is_known(resource, CLOUD_SHELL_AUDIENCES):
            message = f"Audience {resource} is not a supported MSI token audience."
            return _refused("AudienceNotSupported", message)
        return json_response(200, {**self._issuer.managed_token(principal, resource), "refresh_token": ""})


def _refused(code: str, message: str) -> Response:
    return json_response(400, {"error": {"code": code, "message": message}})
