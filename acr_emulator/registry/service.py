"""The login servers of all registries."""

from __future__ import annotations

import uuid

from acr_emulator.jwt import Signer
from acr_emulator.messages import Request, Response
from acr_emulator.registry.authorization import authorize, check_firewall
from acr_emulator.registry.call import Call
from acr_emulator.registry.errors import PlainError, RegistryError
from acr_emulator.registry.router import resolve
from acr_emulator.registry.store import Store
from acr_emulator.registry.tokens import TokenIssuer
from acr_emulator.registry.uploads import Uploads
from acr_emulator.world import Registry, World

# As recorded (Azure/azure-sdk-for-net, SessionRecords of January 2023): the proxy in front adds its HSTS to every
# response, so that the API's own one is the second.
_HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
_EXPOSED = ("Docker-Content-Digest", "WWW-Authenticate", "Link", "X-Ms-Correlation-Request-Id")
_PROXY = [("Server", "openresty"), ("Connection", "keep-alive")]
_API = [
    *(("Access-Control-Expose-Headers", name) for name in _EXPOSED),
    ("Docker-Distribution-Api-Version", "registry/2.0"),
    _HSTS,
    ("X-Content-Type-Options", "nosniff"),
]
_TOKEN_SERVER: list[tuple[str, str]] = []


class RegistryService:
    """Serve the login servers of all registries in *world*."""

    def __init__(self, world: World, signer: Signer, store: Store) -> None:
        self._world = world
        self._store = store
        self._issuer = TokenIssuer(world, signer)
        self._uploads = Uploads()

    def owns(self, host: str, port: int) -> bool:
        """Return whether *host* is a login server. As with the service, a port in a reference is not supported."""
        return port == 443 and self._registry(host) is not None

    def handle(self, request: Request) -> Response:
        """Handle one request; raise EOFError or BadRequest from its body."""
        registry = self._registry(request.host)
        if registry is None:
            raise ValueError(f"{request.host} is not a login server")
        try:
            response = self._route(request, registry)
        except (RegistryError, PlainError) as error:
            response = error.response()
        common = _TOKEN_SERVER if request.path.startswith("/oauth2/") else _API
        correlation = [("X-Ms-Correlation-Request-Id", str(uuid.uuid4()))]
        response.headers = [*_PROXY, *response.headers, *common, *correlation, _HSTS]
        return response

    def _route(self, request: Request, registry: Registry) -> Response:
        state = self._store.registry(registry.name)
        state.follow(registry.lags)
        call = Call(request, self._world, registry, self._store, state, self._issuer, self._uploads)
        check_firewall(call)
        endpoint = resolve(call)
        if not endpoint.open:
            authorize(call, endpoint.need)
        return endpoint.handler(call)

    def _registry(self, host: str) -> Registry | None:
        return next((registry for registry in self._world.registries if registry.login_server == host), None)
