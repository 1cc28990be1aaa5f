"""The local Azure: one world, its services, and the dispatch of requests by host."""

from __future__ import annotations

import time
from pathlib import Path

from acr_emulator.arm import Arm
from acr_emulator.entra import CloudShell, Entra, ManagedIdentity
from acr_emulator.entra.tokens import Issuer
from acr_emulator.expired_tokens import with_expired_tokens
from acr_emulator.failures import failure
from acr_emulator.front.ca import Authority
from acr_emulator.front.control import PREFIX, Control
from acr_emulator.front.faults import FaultBook
from acr_emulator.front.log import LogEntry, RequestLog, since_ms
from acr_emulator.jwt import Signer
from acr_emulator.messages import BadRequest, Request, Response, Service, json_response
from acr_emulator.registry import RegistryService, StorageHost, Store
from acr_emulator.vault import KeyVaultService
from acr_emulator.world import World

FEDERATION_SECONDS = 600
"""Lifetime of an external token: Azure Pipelines gives its tokens ten minutes."""


class App:
    """Everything behind the listening port. *state* is the folder of keys and registries."""

    def __init__(self, world: World, state: Path) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.world = world
        self.signer = Signer(state / "keys.pem")
        self.authority = Authority(state)
        self.log = RequestLog()
        self.faults = FaultBook()
        self.store = store = Store(state / "registry")
        self._identity = ManagedIdentity(world, self.signer)
        self._issuer = Issuer(world, self.signer)
        self._services: list[Service] = [
            Entra(world, self.signer),
            self._identity,
            CloudShell(world, self.signer),
            Arm(world, self.signer, store, self.dispatch),
            RegistryService(world, self.signer, store),
            StorageHost(world, store),
            KeyVaultService(world, self.signer),
        ]
        self._control = Control(world, self.log, self.faults)
        self._control.route("GET", "federated-token", self._federated_token)

    def owns(self, host: str, port: int) -> bool:
        """Return whether a service serves *host*:*port*."""
        return self._service(host, port) is not None

    def dispatch(self, request: Request) -> Response:
        """Return the response of the service that owns the request's host; 502 without one. Requests of inner clients
        (`request.client` other than `wire`) are logged here, those of the wire by the front."""
        if request.client == "wire":
            return self._dispatch(request)
        start = time.time()
        response = self._dispatch(request)
        entry = LogEntry(time=start, client=request.client, headers=dict(request.headers), status=response.status)
        entry.method, entry.scheme, entry.host = request.method, request.scheme, request.host
        entry.path, entry.query, entry.duration_ms = request.path, request.query, since_ms(start)
        self.log.add(entry)
        return response

    def failure(self, request: Request, status: int) -> Response:
        """Return the response of the service that owns the request's host when it fails with *status*."""
        return failure(request, status)

    def local(self, request: Request) -> Response:
        """Handle an origin-form request on the listening port: control API, App Service's managed identity."""
        if request.path.startswith(PREFIX):
            return self._control.handle(request)
        if request.path == "/msi/token":
            return self._identity.app_service(request)
        message = f"{request.path} does not exist: this is an HTTP proxy; its own pages are under {PREFIX}"
        return json_response(404, {"error": {"message": message}})

    def _dispatch(self, request: Request) -> Response:
        service = self._service(request.host, request.port)
        if service is None:
            message = f"{request.host}:{request.port} does not exist in the local Azure"
            return json_response(502, {"error": {"code": "UnknownHost", "message": message}})
        try:
            if "expire_token" in request.faults:
                request = with_expired_tokens(request, self.signer)
            return service.handle(request)
        except BadRequest as error:
            return json_response(400, {"error": {"code": "BadRequest", "message": str(error)}})

    def _service(self, host: str, port: int) -> Service | None:
        return next((service for service in self._services if service.owns(host, port)), None)

    def _federated_token(self, request: Request) -> Response:
        subject = request.param("subject")
        lifetime = request.param("lifetime") or str(FEDERATION_SECONDS)
        if not subject or not lifetime.lstrip("-").isdigit():
            raise BadRequest("give subject=, and lifetime= in whole seconds")
        audience = request.param("audience") or "api://AzureADTokenExchange"
        return json_response(200, {"token": self._issuer.external_token(subject, audience, int(lifetime))})
