"""The 401 whose challenge names the token endpoint and the scope (distribution's token authentication specification;
ACR's own body and attributes as recorded)."""

from __future__ import annotations

from dataclasses import dataclass

from acr_emulator.registry.errors import RegistryError
from acr_emulator.world import Registry

MESSAGE = "authentication required, visit https://aka.ms/acr/authorization for more information."


@dataclass(frozen=True)
class Need:
    """The required *actions* on a resource, in the order of the challenge."""

    actions: tuple[str, ...]
    kind: str = "repository"

    def scope(self, name: str) -> str:
        """Return the scope to request."""
        return f"{self.kind}:{name}:{','.join(self.actions)}"


def unauthorized(registry: Registry, need: Need | None, name: str, *, insufficient: bool = False) -> RegistryError:
    """Return 401 for *need* on *name* (None: any token). If *insufficient*, a valid token has too few actions."""
    server = registry.login_server
    header = f'Bearer realm="https://{server}/oauth2/token",service="{server}"'
    if need is not None:
        header += f',scope="{need.scope(name)}"'
    if insufficient:
        header += ',error="insufficient_scope"'
    entries = [] if need is None else [_entry(need.kind, name, action) for action in sorted(need.actions)]
    return RegistryError(401, "UNAUTHORIZED", MESSAGE, [entries or None], [("WWW-Authenticate", header)])


def refused(reason: str) -> RegistryError:
    """Return the 401 of a token endpoint for a credential that it does not accept."""
    return RegistryError(401, "UNAUTHORIZED", MESSAGE, [reason])


def _entry(kind: str, name: str, action: str) -> dict[str, str]:
    return {"Type": kind, "Name": name, "Action": action}
