"""importImage: a server-side copy between registries, run in a thread and polled.

https://learn.microsoft.com/rest/api/containerregistry/registries/import-image,
https://learn.microsoft.com/azure/container-registry/container-registry-import-images
"""

from __future__ import annotations

import base64
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from acr_emulator.arm.authorization import PREFIX, PULL, may_pull
from acr_emulator.arm.bodies import check_object, require_members, strings
from acr_emulator.arm.context import Operation
from acr_emulator.arm.errors import ArmError, invalid_body
from acr_emulator.messages import Response, json_response
from acr_emulator.registry import importing
from acr_emulator.tasks.registry_client import Credential, Dispatch, RegistryClient, RegistryError
from acr_emulator.world import Registry

if TYPE_CHECKING:
    from acr_emulator.registry import Store

_SCHEMA = {
    "source": {
        "resourceId": str,
        "registryUri": str,
        "sourceImage": str,
        "credentials": {"username": str, "password": str},
    },
    "targetTags": list,
    "untaggedTargetRepositories": list,
    "mode": str,
}
_STATUS = {"Conflict": 409, "NotFound": 404}


@dataclass
class _Copy:
    identifier: str
    target: Registry
    source: Registry
    image: str
    tags: list[str]
    repositories: list[str]
    force: bool
    credential: Credential | None
    done: threading.Event = field(default_factory=threading.Event)
    failure: ArmError | None = None


class Imports:
    """Running and finished imports, by operation id."""

    def __init__(self, store: Store, dispatch: Dispatch) -> None:
        self._store = store
        self._dispatch = dispatch
        self._copies: dict[str, _Copy] = {}

    def start(self, operation: Operation) -> Response:
        """Handle POST importImage: 202 with the URL to poll, or 200 when the copy is done (`import_response`)."""
        target = operation.permitted_registry("importImage/action")
        copy = _parse(operation, target)
        if target.import_response == "done":
            self._run(operation, copy)
            return _result(copy)
        self._copies[copy.identifier] = copy
        threading.Thread(target=self._run, args=(operation, copy), name=copy.identifier, daemon=True).start()
        return _accepted(operation, target, copy.identifier)

    def poll(self, operation: Operation) -> Response:
        """Handle GET operationResults: 202 while the copy runs, then 200 or the copy's error."""
        operation.subscription()
        copy = self._copies.get(operation.names["operation"])
        if copy is None or copy.target.subscription_id != operation.names["subscription"].lower():
            raise ArmError(404, "NotFound", f"The operation '{operation.names['operation']}' was not found.")
        if not copy.done.is_set():
            return _accepted(operation, copy.target, copy.identifier)
        return _result(copy)

    def _run(self, operation: Operation, copy: _Copy) -> None:
        try:
            self._check_source(copy)
            importing.import_image(
                operation.world, self._store, source=copy.source, source_image=copy.image, target=copy.target,
                target_tags=copy.tags, untagged_repositories=copy.repositories, force=copy.force,
            )  # fmt: skip
        except importing.ImportFailed as error:
            copy.failure = _failed(copy, error.code, error.message)
        except RegistryError as error:
            copy.failure = _failed(copy, "InvalidParameters", f"Failed to read the source: {error}")
        except Exception as error:
            copy.failure = _failed(copy, "InternalServerError", f"{type(error).__name__}: {error}")
        finally:
            copy.done.set()

    def _check_source(self, copy: _Copy) -> None:
        if copy.credential is None:
            return
        client = RegistryClient(self._dispatch, copy.source.login_server, copy.credential, "acr-import")
        client.authorize(f"repository:{_repository(copy.image)}:pull")


def _parse(operation: Operation, target: Registry) -> _Copy:
    body = check_object(operation.request.json(), _SCHEMA, "ImportImageParameters")
    require_members(body, ("source",), "ImportImageParameters")
    source = body["source"]
    require_members(source, ("sourceImage",), "ImportSource")
    tags = strings(body.get("targetTags", []), "targetTags")
    repositories = strings(body.get("untaggedTargetRepositories", []), "untaggedTargetRepositories")
    if not tags and not repositories:
        raise invalid_body("targetTags or untaggedTargetRepositories is required.")
    mode = body.get("mode", "NoForce")
    if mode.lower() not in ("noforce", "force"):
        raise invalid_body("mode must be one of NoForce, Force.")
    registry, credential = _source(operation, target, source)
    return _Copy(
        f"registries-{uuid.uuid4()}", target, registry, source["sourceImage"], tags, repositories,
        mode.lower() == "force", credential,
    )  # fmt: skip


def _source(operation: Operation, target: Registry, source: dict[str, Any]) -> tuple[Registry, Credential | None]:
    if "resourceId" in source:
        wanted = source["resourceId"].lower()
        found = next((r for r in operation.world.registries if r.resource_id.lower() == wanted), None)
        if found is None:
            raise invalid_body(f"The source registry '{source['resourceId']}' was not found.")
        if "credentials" in source:
            return found, _credential(source["credentials"])
        _require_pull(operation, target, found, source["sourceImage"])
        return found, None
    require_members(source, ("registryUri",), "ImportSource")
    host = source["registryUri"].removeprefix("https://").rstrip("/").lower()
    found = next((r for r in operation.world.registries if r.login_server == host), None)
    if found is None:
        raise invalid_body(f"The local Azure has no registry '{host}' to import from.")
    return found, _credential(source.get("credentials", {}))


def _credential(given: dict[str, Any]) -> Credential:
    if not given:
        return Credential("anonymous")
    require_members(given, ("password",), "ImportSourceCredentials")
    # A password without user name is a token: an ACR refresh token (`az acr login --expose-token`) or an Entra
    # access token (`az account get-access-token`). RegistryClient distinguishes them by their issuer.
    if username := given.get("username"):
        return Credential("password", username, given["password"])
    return Credential("token", "", given["password"])


def _require_pull(operation: Operation, target: Registry, source: Registry, image: str) -> None:
    if may_pull(operation.world, operation.caller, source, _repository(image)):
        return
    caller = operation.caller
    raise ArmError(
        403,
        "LinkedAuthorizationFailed",
        f"The client '{caller.client_id or caller.object_id}' with object id '{caller.object_id}' has permission to "
        f"perform action '{PREFIX}/importImage/action' on scope '{target.resource_id}'; however, it does not have "
        f"permission to perform action(s) '{PULL}' on the linked scope(s) '{source.resource_id}' (respectively).",
    )


def _repository(image: str) -> str:
    name = image.partition("@")[0]
    return name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name


def _accepted(operation: Operation, target: Registry, identifier: str) -> Response:
    location = (
        f"https://management.azure.com/subscriptions/{target.subscription_id}/providers/Microsoft.ContainerRegistry"
        f"/locations/{target.location.upper()}/operationResults/{identifier}?api-version={operation.api_version}"
    )
    if target.import_response == "null-body":
        return json_response(202, None, [("Location", location)])
    retry = str(operation.world.operation_retry_after)
    return Response(202, [("Location", f"{location}&{_signature()}"), ("Retry-After", retry)])


def _signature() -> str:
    """Return parameters as long as those that Resource Manager adds to the URL of a result: the time in ticks, a
    certificate, a signature and a hash. The emulator does not check them, since it is unknown who does."""
    certificate, signature, digest = (base64.urlsafe_b64encode(bytes(size)).decode() for size in (3072, 256, 32))
    ticks = 621_355_968_000_000_000 + time.time_ns() // 100
    return urlencode({"t": ticks, "c": certificate, "s": signature, "h": digest})


def _result(copy: _Copy) -> Response:
    if copy.failure:
        raise copy.failure
    return json_response(200, {"status": "Succeeded"})


def _failed(copy: _Copy, code: str, message: str) -> ArmError:
    text = f"Operation {copy.identifier} failed. Resource {copy.target.resource_id} {message}"
    return ArmError(_STATUS.get(code, 500 if code == "InternalServerError" else 400), code, text)
