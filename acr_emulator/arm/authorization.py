"""Permissions: Azure RBAC's built-in roles on registries and subscriptions.

Roles and their actions: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/containers,
https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-overview.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from acr_emulator.arm.authentication import Caller
from acr_emulator.arm.errors import ArmError
from acr_emulator.registry.roles import EntraIdentity
from acr_emulator.world import Registry, Subscription, World

PREFIX = "Microsoft.ContainerRegistry/registries"
READ = f"{PREFIX}/read"
PULL = f"{PREFIX}/pull/read"
_IMPORTER = "Container Registry Data Importer and Data Reader"
_TASK_ACTIONS = (
    READ, f"{PREFIX}/scheduleRun/action", f"{PREFIX}/listBuildSourceUploadUrl/action", f"{PREFIX}/runs/*",
    f"{PREFIX}/tasks/*",
)  # fmt: skip
ROLE_ACTIONS: dict[str, tuple[str, ...]] = {
    "Owner": ("*",),
    "Contributor": ("*",),
    "Reader": ("*/read",),
    "AcrPull": (PULL,),
    "AcrPush": (PULL, f"{PREFIX}/push/write"),
    "AcrDelete": (f"{PREFIX}/artifacts/delete",),
    "Container Registry Contributor and Data Access Configuration Administrator": (
        READ, f"{PREFIX}/write", f"{PREFIX}/delete", f"{PREFIX}/listCredentials/action",
        f"{PREFIX}/regenerateCredential/action", f"{PREFIX}/listUsages/read",
    ),
    "Container Registry Configuration Reader and Data Access Configuration Reader": (READ, f"{PREFIX}/listUsages/read"),
    "Container Registry Tasks Contributor": _TASK_ACTIONS,
    _IMPORTER: (READ, PULL, f"{PREFIX}/importImage/action"),
}  # fmt: skip
"""Control-plane actions of each role; in ABAC registries they do not include pull (see `may_pull`)."""


def may(world: World, caller: Caller, action: str, registry: Registry) -> bool:
    """Return whether *caller* may do the control-plane *action* on *registry*."""
    if action.endswith("/read") and action != PULL and _reads_subscription(world, caller, registry.subscription_id):
        return True
    roles = [grant.role for grant in registry.roles if grant.object_id == caller.object_id]
    return any(fnmatchcase(action, pattern) for role in roles for pattern in ROLE_ACTIONS.get(role, ()))


def may_pull(world: World, caller: Caller, registry: Registry, repository: str) -> bool:
    """Return whether *caller* may pull *repository*, by registry role, or by repository role in ABAC mode."""
    principal = world.principal(caller.object_id)
    if principal and "pull" in EntraIdentity(principal, registry).actions(repository):
        return True
    return any(grant.object_id == caller.object_id and grant.role == _IMPORTER for grant in registry.roles)


def require(world: World, caller: Caller, action: str, registry: Registry) -> None:
    """Raise 403 AuthorizationFailed unless `may`."""
    if not may(world, caller, action, registry):
        raise forbidden(caller, action, registry.resource_id)


def sees(world: World, caller: Caller, subscription: Subscription) -> bool:
    """Return whether the subscription is listed for *caller*: any assignment in it makes it visible."""
    if caller.tenant_id != subscription.tenant_id:
        return False
    registries = [r for r in world.registries if r.subscription_id == subscription.subscription_id]
    return caller.object_id in subscription.readers or any(
        grant.object_id == caller.object_id for registry in registries for grant in registry.roles
    )


def forbidden(caller: Caller, action: str, scope: str) -> ArmError:
    """Return 403 with Resource Manager's text."""
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{caller.client_id or caller.object_id}' with object id '{caller.object_id}' does not have "
        f"authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was "
        "recently granted, please refresh your credentials.",
    )


def _reads_subscription(world: World, caller: Caller, subscription_id: str) -> bool:
    return any(s.subscription_id == subscription_id and caller.object_id in s.readers for s in world.subscriptions)
