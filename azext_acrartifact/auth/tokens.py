"""Access tokens of one registry: asked for by scope, kept, renewed in time, and once on a 401."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import PermissionDeniedError
from ..transport.authorization import DELETE, METADATA_READ, METADATA_WRITE, PULL, PUSH, Scope
from ..transport.error_responses import correlation_id
from ..transport.messages import Response
from .challenge import parse_challenge
from .claims import claims_of, granted_actions, lifetime, renewal_delay
from .credentials import Credential
from .endpoint import TokenEndpoint

# An anonymous or scope-map token may read metadata without saying so; the registry itself decides about these.
_DECIDED_BY_REGISTRY = frozenset({METADATA_READ, METADATA_WRITE})
BATCH = 10
"""Repositories in one token: what Azure's own acr-cli asks for at once."""
ROLES = {
    PULL: "AcrPull or Container Registry Repository Reader",
    PUSH: "AcrPush or Container Registry Repository Writer",
    DELETE: "AcrDelete or Container Registry Repository Contributor",
    METADATA_READ: "Container Registry Repository Reader",
    METADATA_WRITE: "Container Registry Repository Writer",
    "*": "Container Registry Repository Catalog Lister",
}
"""Who asks for an action asks for one of these roles: that of a registry, or that with repository permissions."""


@dataclass(frozen=True)
class _Held:
    asked: frozenset[str]
    granted: frozenset[str]
    header: str
    renew_at: float


class TokenAuthorizer:
    """Bearer tokens by one credential. One thread fetches while the others wait for it."""

    def __init__(self, endpoint: TokenEndpoint, credential: Credential) -> None:
        self._endpoint = endpoint
        self._credential = credential
        self._held: dict[tuple[str, ...], _Held] = {}
        self._lock = threading.Lock()

    def authorization(self, scope: Scope) -> str | None:
        """A Bearer value that grants *scope*; see `Authorizer`."""
        with self._lock:
            held = self._held.get(_place(scope))
            if held is None or not scope.wanted <= held.asked or time.monotonic() >= held.renew_at:
                held = self._fetch(scope, held)
        self._require(scope, held.granted)
        return held.header

    def prepare(self, scopes: Sequence[Scope]) -> None:
        """One token for every `BATCH` of *scopes*; see `Authorizer`."""
        with self._lock:
            missing = [scope for scope in scopes if _place(scope) not in self._held]
            for start in range(0, len(missing), BATCH):
                batch = missing[start : start + BATCH]
                token = self._credential.access_token(self._endpoint, [_whole(one, one.wanted) for one in batch])
                for scope in batch:
                    self._keep(scope, scope.wanted, token)

    def renew(self, scope: Scope, refused: str | None, answer: Response) -> str | None:
        """A Bearer value other than *refused*; see `Authorizer`."""
        if parse_challenge(answer.headers.get("WWW-Authenticate", "")).insufficient_scope:
            raise self._denied(scope, scope.actions.union(scope.either[:1]), correlation_id(answer))
        with self._lock:
            held = self._held.get(_place(scope))
            if held is None or held.header == refused:
                held = self._fetch(scope, held)
        self._require(scope, held.granted)
        return held.header

    def _fetch(self, scope: Scope, held: _Held | None) -> _Held:
        asked = scope.wanted | (held.asked if held else frozenset())
        return self._keep(scope, asked, self._credential.access_token(self._endpoint, [_whole(scope, asked)]))

    def _keep(self, scope: Scope, asked: frozenset[str], token: str) -> _Held:
        claims = claims_of(token)
        granted = granted_actions(claims, scope.repository, scope.kind) if claims else asked
        delay = renewal_delay(lifetime(claims, time.time()))
        fresh = _Held(asked, granted, f"Bearer {token}", time.monotonic() + delay)
        self._held[_place(scope)] = fresh
        return fresh

    def _require(self, scope: Scope, granted: frozenset[str]) -> None:
        missing = scope.actions - granted - _DECIDED_BY_REGISTRY
        if scope.either and granted.isdisjoint(scope.either):
            missing |= {scope.either[0]}
        if missing:
            raise self._denied(scope, missing, "")

    def _denied(self, scope: Scope, actions: frozenset[str], correlation: str) -> PermissionDeniedError:
        names = " and ".join(sorted(actions))
        roles = "; ".join(f"{ROLES[action]} to {action}" for action in sorted(actions) if action in ROLES)
        return PermissionDeniedError(
            "No permission",
            where=f"{self._endpoint.server}/{scope.repository}",
            why=f"{self._credential.name} may not {names} here",
            hint=f"Ask the registry's owner for a role: {roles}. A new role works after up to 10 minutes.",
            status=401,
            code="insufficient_scope",
            correlation_id=correlation,
        )


def _whole(scope: Scope, actions: frozenset[str]) -> Scope:
    """*scope* as it is asked for: nobody knows yet which of several actions it will be."""
    return replace(scope, actions=actions, either=())


def _place(scope: Scope) -> tuple[str, ...]:
    return (scope.kind, scope.repository, *([scope.source] if scope.source else []))
