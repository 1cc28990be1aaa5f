"""Access tokens of one registry: requested by scope, cached, renewed before they expire, and once after a 401."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..errors import PermissionDeniedError
from ..transport.authorization import METADATA_READ, PULL, Scope
from ..transport.error_responses import correlation_id
from ..transport.messages import Response
from .challenge import Challenge, parse_challenge
from .claims import claims_of, granted_actions, lifetime, renewal_delay
from .credentials import Credential
from .endpoint import TokenEndpoint
from .rights import UNTAG, WORDS, denied

# An anonymous token and that of a scope map may allow this without naming it, so the registry itself must decide.
_DECIDED_BY_REGISTRY = frozenset({METADATA_READ})
_READS = frozenset({PULL, METADATA_READ})
BATCH = 10
"""Repositories per token; Azure's own acr-cli requests as many."""


@dataclass(frozen=True)
class _Token:
    requested: frozenset[str]
    granted: frozenset[str]
    header: str
    renew_at: float


class TokenAuthorizer:
    """Bearer tokens from one credential. While one thread requests a token, the others wait for it. *clock* returns
    seconds that never run backwards."""

    def __init__(
        self, endpoint: TokenEndpoint, credential: Credential, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._endpoint = endpoint
        self._credential = credential
        self._clock = clock
        self._tokens: dict[tuple[str, ...], _Token] = {}
        self._lock = threading.Lock()

    def authorization(self, scope: Scope) -> str | None:
        """Return a Bearer value that grants *scope*; see `Authorizer`."""
        with self._lock:
            token = self._tokens.get(_key(scope))
            if token is None or not scope.wanted <= token.requested or self._clock() >= token.renew_at:
                token = self._fetch(scope, token)
        self._require(scope, token.granted)
        return token.header

    def prepare(self, scopes: Sequence[Scope]) -> None:
        """Request one token for every `BATCH` of *scopes*; see `Authorizer`."""
        with self._lock:
            missing = [scope for scope in scopes if _key(scope) not in self._tokens]
            for start in range(0, len(missing), BATCH):
                batch = missing[start : start + BATCH]
                value = self._credential.access_token(self._endpoint, [_requesting(one, one.wanted) for one in batch])
                for scope in batch:
                    self._cache(scope, scope.wanted, value)

    def renew(self, scope: Scope, refused: str | None, response: Response) -> str | None:
        """Return a Bearer value other than *refused*; see `Authorizer`. If the registry asks for another right to read
        than was requested, that one is requested too, once."""
        challenge = parse_challenge(response.headers.get("WWW-Authenticate", ""))
        with self._lock:
            token = self._tokens.get(_key(scope))
            if token is None or token.header == refused:
                token = self._replaced(scope, token, challenge, correlation_id(response))
        self._require(scope, token.granted)
        return token.header

    def _replaced(self, scope: Scope, token: _Token | None, challenge: Challenge, correlation: str) -> _Token:
        """Return the token to use after a 401 to *token*, or raise `PermissionDeniedError`."""
        if not challenge.insufficient_scope:
            return self._fetch(scope, token)
        asked = challenge.actions(scope.kind, scope.repository) & WORDS.keys()
        more = asked & _READS - (token.requested if token else frozenset())
        if more:
            token = self._fetch(scope, token, more)
            if more <= token.granted:
                return token
        needed = more or asked or scope.actions.union([UNTAG] if scope.either else [])
        raise self._denied(scope, needed - (token.granted if token else frozenset()) or needed, correlation)

    def _fetch(self, scope: Scope, old: _Token | None, more: frozenset[str] = frozenset()) -> _Token:
        actions = scope.wanted | more | (old.requested if old else frozenset())
        value = self._credential.access_token(self._endpoint, [_requesting(scope, actions)])
        return self._cache(scope, actions, value)

    def _cache(self, scope: Scope, requested: frozenset[str], value: str) -> _Token:
        claims = claims_of(value)
        granted = granted_actions(claims, scope.repository, scope.kind) if claims else requested
        delay = renewal_delay(lifetime(claims, time.time()))
        token = self._tokens[_key(scope)] = _Token(requested, granted, f"Bearer {value}", self._clock() + delay)
        return token

    def _require(self, scope: Scope, granted: frozenset[str]) -> None:
        missing = scope.actions - granted - _DECIDED_BY_REGISTRY
        if scope.either and granted.isdisjoint(scope.either):
            missing |= {UNTAG}
        if missing:
            raise self._denied(scope, missing, "")

    def _denied(self, scope: Scope, actions: frozenset[str], correlation: str) -> PermissionDeniedError:
        where = self._endpoint.server + (f"/{scope.repository}" if scope.kind == "repository" else "")
        return denied(actions, self._credential.granting, self._credential.name, where, correlation)


def _requesting(scope: Scope, actions: frozenset[str]) -> Scope:
    """Return *scope* with all *actions*, as it is not yet known which of its alternatives will be used."""
    return replace(scope, actions=actions, either=())


def _key(scope: Scope) -> tuple[str, ...]:
    return (scope.kind, scope.repository, *([scope.source] if scope.source else []))
