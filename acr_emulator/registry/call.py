"""One data-plane request, with everything that its handler needs."""

from __future__ import annotations

from dataclasses import dataclass

from acr_emulator.messages import Request
from acr_emulator.registry.access import Caller
from acr_emulator.registry.errors import name_unknown
from acr_emulator.registry.records import Repository
from acr_emulator.registry.store import RegistryState, Store
from acr_emulator.registry.tokens import TokenIssuer
from acr_emulator.registry.uploads import Uploads
from acr_emulator.world import Part, Registry, World


@dataclass
class Call:
    """A request. *name* is the path's repository (or ''), *key* its tag, digest or upload id. *caller* is set before
    a handler runs, except on the token endpoints."""

    request: Request
    world: World
    registry: Registry
    store: Store
    state: RegistryState
    issuer: TokenIssuer
    uploads: Uploads
    name: str = ""
    key: str = ""
    caller: Caller | None = None

    def repository(self, part: Part | None = None) -> Repository:
        """Return the repository of the path, as the replica of *part* knows it if given; raise NAME_UNKNOWN."""
        found = (self.state.seen(part) if part else self.state.repositories).get(self.name)
        if found is None or not found.manifests:
            raise name_unknown(self.name)
        return found
