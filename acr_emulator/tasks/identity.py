"""The identity with which a run accesses the registries.

By default it is a service identity of the run's registry with AcrPull, AcrPush and AcrDelete there, roles that have no
effect in ABAC mode. With `[caller]` it is the identity of the caller who scheduled the run.
https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from acr_emulator.jwt import Signer
from acr_emulator.tasks.registry_client import Credential
from acr_emulator.tasks.run import Run
from acr_emulator.world import ACR_AUDIENCE, Principal, Registry, RoleAssignment, World

CALLER = "[caller]"
SYSTEM = "[system]"
ANONYMOUS = Credential("anonymous")
_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # RFC 4122's URL namespace


def source_credential(world: World, signer: Signer, run: Run) -> Credential:
    """Return the credential for the run's own registry; anonymous if there is none."""
    identity, registry = run.request.source_identity, run.registry
    if (run.request.login_mode or "").lower() == "none" or identity == SYSTEM:
        return ANONYMOUS
    if identity is None or registry.role_assignment_mode == "LegacyRegistryPermissions":
        return _entra(world, signer, _claims(_service_identity(world, registry)))
    if identity == CALLER:
        return _entra(world, signer, run.claims)
    assigned = world.principal(identity)
    if assigned is None or assigned.kind != "managedIdentity":
        return ANONYMOUS
    return _entra(world, signer, _claims(assigned))


def credential_for(world: World, signer: Signer, run: Run, login_server: str) -> Credential:
    """Return the credential for *login_server*: a custom one, that of the run's registry, or anonymous."""
    if custom := run.request.custom_registries.get(login_server):
        return Credential("password", *custom)
    if login_server == run.registry.login_server:
        return source_credential(world, signer, run)
    return ANONYMOUS


def _service_identity(world: World, registry: Registry) -> Principal:
    object_id = str(uuid.uuid5(_NAMESPACE, registry.resource_id))
    with world.lock:
        found = world.principal(object_id)
        if found is None:
            name = f"acr-tasks-{registry.name}"
            found = Principal(name, object_id, object_id, registry.tenant_id, "managedIdentity")
            world.principals.append(found)
        granted = {grant.role for grant in registry.roles if grant.object_id == object_id}
        for role in sorted({"AcrPull", "AcrPush", "AcrDelete"} - granted):
            registry.roles.append(RoleAssignment(object_id, role))
    return found


def _claims(principal: Principal) -> dict[str, Any]:
    return {
        "iss": f"https://sts.windows.net/{principal.tenant_id}/",
        "tid": principal.tenant_id,
        "oid": principal.object_id,
        "sub": principal.object_id,
        "appid": principal.client_id,
        "idtyp": "app",
        "ver": "1.0",
    }


def _entra(world: World, signer: Signer, claims: dict[str, Any]) -> Credential:
    now = int(time.time())
    times = {"iat": now, "nbf": now, "exp": now + int(max(world.lifetimes.entra, 60))}
    return Credential("token", "", signer.sign({**claims, "aud": ACR_AUDIENCE, **times}))
