"""The context of a Resource Manager operation: the request, its caller, and the resource in its path."""

from __future__ import annotations

from dataclasses import dataclass, field

from acr_emulator.arm.authentication import Caller, wrong_tenant
from acr_emulator.arm.authorization import PREFIX, forbidden, require, sees
from acr_emulator.arm.errors import registry_not_found, resource_group_not_found, subscription_not_found
from acr_emulator.messages import Request
from acr_emulator.world import Registry, Subscription, World


@dataclass(frozen=True)
class Operation:
    """One authenticated request. *names* are the variable parts of its path."""

    world: World
    caller: Caller
    request: Request
    names: dict[str, str] = field(default_factory=dict)

    @property
    def api_version(self) -> str:
        """The requested api-version; always present."""
        return self.request.param("api-version") or ""

    def subscription(self) -> Subscription:
        """Return the subscription of the path; raise 401, 403 or 404 as Resource Manager does."""
        wanted = self.names["subscription"].lower()
        found = next((s for s in self.world.subscriptions if s.subscription_id == wanted), None)
        if found is None:
            raise subscription_not_found(wanted)
        if self.caller.tenant_id != found.tenant_id:
            raise wrong_tenant(self.caller, found.tenant_id)
        return found

    def visible_subscription(self, action: str) -> Subscription:
        """Return the same; raise 403 if the caller has no assignment in it."""
        found = self.subscription()
        if not sees(self.world, self.caller, found):
            raise forbidden(self.caller, action, f"/subscriptions/{found.subscription_id}")
        return found

    def registries(self) -> list[Registry]:
        """Return the registries of the path's subscription, or of its resource group if there is one."""
        subscription = self.subscription()
        here = [r for r in self.world.registries if r.subscription_id == subscription.subscription_id]
        group = self.names.get("group")
        if group is None:
            return here
        inside = [r for r in here if r.resource_group.lower() == group.lower()]
        if not inside:
            raise resource_group_not_found(group)
        return inside

    def registry(self) -> Registry:
        """Return the registry of the path."""
        name = self.names["registry"].lower()
        found = next((r for r in self.registries() if r.name == name), None)
        if found is None:
            raise registry_not_found(self.names["registry"], self.names["group"])
        return found

    def permitted_registry(self, action: str) -> Registry:
        """Return the registry of the path; raise 403 unless the caller may do *action* on it."""
        registry = self.registry()
        require(self.world, self.caller, f"{PREFIX}/{action}", registry)
        return registry
