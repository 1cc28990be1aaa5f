"""Resource Manager's entry point: check host, authentication and api-version, then route by path."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from acr_emulator.arm import registries, subscriptions, tokens
from acr_emulator.arm.authentication import authenticate
from acr_emulator.arm.context import Operation
from acr_emulator.arm.errors import ArmError
from acr_emulator.arm.imports import Imports
from acr_emulator.arm.runs import Runs
from acr_emulator.jwt import Signer
from acr_emulator.messages import Request, Response
from acr_emulator.tasks.runner import TaskService
from acr_emulator.tasks.storage import TaskStorage
from acr_emulator.world import World

if TYPE_CHECKING:
    from acr_emulator.registry import Store

HOSTS = frozenset({"management.azure.com", "management.core.windows.net"})
Dispatch = Callable[[Request], Response]
Handler = Callable[[Operation], Response]

_SUBSCRIPTION = "/subscriptions/{subscription}"
_PROVIDER = "/providers/Microsoft.ContainerRegistry"
_GROUP = _SUBSCRIPTION + "/resourceGroups/{group}" + _PROVIDER + "/registries"
_REGISTRY = _GROUP + "/{registry}"
_EMPTY_CHILDREN = (
    "replications", "webhooks", "cacheRules", "credentialSets", "privateEndpointConnections", "connectedRegistries",
    "tasks", "taskRuns", "agentPools", "importPipelines", "exportPipelines", "pipelineRuns",
)  # fmt: skip


class Arm:
    """Resource Manager, and the storage host of ACR Tasks' logs and uploaded contexts.

    *dispatch* sends a request to any service of the emulator; runs and imports use it as a client would.
    """

    def __init__(self, world: World, signer: Signer, store: Store, dispatch: Dispatch) -> None:
        self._world = world
        self._signer = signer
        self._storage = TaskStorage(store.temporary())
        imports = Imports(store, dispatch)
        runs = Runs(TaskService(world, signer, self._storage, dispatch), self._storage)
        self._routes = [(method, _compile(path), handler) for method, path, handler in _routes(imports, runs)]

    def owns(self, host: str, port: int) -> bool:
        """Return whether *host* is management.azure.com, its older name, or the Tasks storage host."""
        return (port == 443 and host in HOSTS) or self._storage.owns(host, port)

    def handle(self, request: Request) -> Response:
        """Handle one request."""
        if self._storage.owns(request.host, request.port):
            return self._storage.handle(request)
        try:
            response = self._route(request)
        except ArmError as error:
            response = error.response()
        response.headers += [("x-ms-request-id", str(uuid.uuid4())), ("Cache-Control", "no-cache")]
        return response

    def _route(self, request: Request) -> Response:
        caller = authenticate(self._signer, request.headers)
        if not request.param("api-version"):
            message = "The api-version query parameter (?api-version=) is required for all requests."
            raise ArmError(400, "MissingApiVersionParameter", message)
        allowed = False
        for method, pattern, handler in self._routes:
            if match := pattern.fullmatch(request.path):
                if method == request.method:
                    return handler(Operation(self._world, caller, request, match.groupdict()))
                allowed = True
        raise _unknown(request, allowed)


def _routes(imports: Imports, runs: Runs) -> list[tuple[str, str, Handler]]:
    return [
        ("GET", "/tenants", subscriptions.tenants),
        ("GET", "/subscriptions", subscriptions.subscriptions),
        ("GET", _SUBSCRIPTION, subscriptions.subscription),
        ("GET", _SUBSCRIPTION + "/locations", subscriptions.locations),
        ("GET", _SUBSCRIPTION + "/resourcegroups", subscriptions.resource_groups),
        ("GET", _SUBSCRIPTION + "/resources", subscriptions.resources),
        ("GET", _SUBSCRIPTION + _PROVIDER + "/registries", registries.listing),
        ("POST", _SUBSCRIPTION + _PROVIDER + "/checkNameAvailability", registries.check_name),
        ("GET", _SUBSCRIPTION + _PROVIDER + "/locations/{location}/operationResults/{operation}", imports.poll),
        ("GET", _GROUP, registries.listing),
        ("GET", _REGISTRY, registries.show),
        ("PATCH", _REGISTRY, registries.update),
        ("POST", _REGISTRY + "/listCredentials", registries.list_credentials),
        ("POST", _REGISTRY + "/regenerateCredential", registries.regenerate_credential),
        ("GET", _REGISTRY + "/listUsages", registries.list_usages),
        ("GET", _REGISTRY + "/tokens", tokens.tokens),
        ("GET", _REGISTRY + "/tokens/{name}", tokens.token),
        ("GET", _REGISTRY + "/scopeMaps", tokens.scope_maps),
        ("GET", _REGISTRY + "/scopeMaps/{name}", tokens.scope_map),
        ("POST", _REGISTRY + "/importImage", imports.start),
        ("POST", _REGISTRY + "/scheduleRun", runs.schedule),
        ("POST", _REGISTRY + "/listBuildSourceUploadUrl", runs.upload_url),
        ("GET", _REGISTRY + "/runs", runs.listing),
        ("GET", _REGISTRY + "/runs/{run}", runs.show),
        ("POST", _REGISTRY + "/runs/{run}/listLogSasUrl", runs.log_url),
        *(("GET", f"{_REGISTRY}/{name}", registries.children) for name in _EMPTY_CHILDREN),
    ]


def _compile(path: str) -> re.Pattern[str]:
    # Resource Manager's paths are case-insensitive and may end with a slash.
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "/?", re.IGNORECASE)


def _unknown(request: Request, allowed: bool) -> ArmError:
    if allowed:
        return ArmError(405, "HttpMethodNotAllowed", f"The method {request.method} is not allowed on this resource.")
    return ArmError(404, "InvalidResourceType", f"The local Azure has no resource type for '{request.path}'.")
