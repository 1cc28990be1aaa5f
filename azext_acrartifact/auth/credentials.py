"""Where a sign-in comes from: a way to get access tokens for scopes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import ArtifactError, SignInError
from ..transport.authorization import METADATA_READ, PULL, Scope
from .claims import claims_of, lifetime, renewal_delay
from .endpoint import TokenEndpoint

ACR_AUDIENCE = "https://containerregistry.azure.net"
_IDS = re.compile(r"\s*\b(Trace ID|Correlation ID|Timestamp): [0-9A-Za-z:. -]*(?=$|\n|Correlation|Timestamp)")
# What `docker login` sends as the user name when the password is a refresh token (az acr login --expose-token).
REFRESH_TOKEN_USER = "00000000-0000-0000-0000-000000000000"


class Credential(Protocol):
    """An identity at one registry. Called by one thread at a time."""

    def access_token(self, endpoint: TokenEndpoint, scopes: Sequence[Scope]) -> str:
        """An access token for *scopes*; `SignInError` when there is none to be had."""

    def login(self, endpoint: TokenEndpoint) -> tuple[str, str]:
        """User name and password, which the registry has just taken, for other programs to sign in with; raises
        `SignInError` as well."""

    @property
    def name(self) -> str:
        """Who this is, for messages."""


@dataclass(frozen=True)
class EntraToken:
    """A Microsoft Entra ID access token and the tenant that issued it."""

    value: str = field(repr=False)
    tenant: str | None = None


@dataclass(frozen=True)
class RefreshToken:
    """ACR's refresh token, which lives for 3 hours. *renew_at* and *expires_at* are Unix times."""

    value: str = field(repr=False)
    renew_at: float
    expires_at: float

    @classmethod
    def received(cls, value: str) -> RefreshToken:
        """*value* as the registry has just given it."""
        now = time.time()
        left = lifetime(claims_of(value), now)
        return cls(value, now + renewal_delay(left), now + (left or 0.0))

    @property
    def due(self) -> bool:
        """Whether it is time for another one."""
        return time.time() >= self.renew_at


class TokenKeeper(Protocol):
    """Where one identity's refresh token for one registry is kept between commands. Never raises."""

    def find(self) -> RefreshToken | None:
        """The token that is kept, if there is one."""

    def keep(self, token: RefreshToken) -> None:
        """Keep *token* instead."""

    def drop(self, token: RefreshToken) -> None:
        """Forget *token*: the registry does not take it any more."""


class EntraCredential:
    """A Microsoft Entra ID identity. *get_token* gives its token for an audience, or raises `SignInError`.

    The audiences are tried in turn: not every place that issues tokens knows ACR's (Azure/CloudShell#484), and
    not every registry takes ARM's. No Entra token is asked for while *keeper* has a refresh token.
    """

    def __init__(
        self,
        get_token: Callable[[str], EntraToken],
        audiences: Sequence[str],
        name: str = "the Microsoft Entra ID identity",
        keeper: TokenKeeper | None = None,
    ) -> None:
        self.name = name
        self._get_token = get_token
        self._audiences = audiences
        self._keeper = keeper
        self._held: RefreshToken | None = None

    def access_token(self, endpoint: TokenEndpoint, scopes: Sequence[Scope]) -> str:
        """An access token by the refresh token, which is exchanged for anew in time, and when it is not taken."""
        held = self._held or (self._keeper.find() if self._keeper else None)
        if held is not None and held.due:
            held = self._renewed(endpoint, held)
        if held is not None:
            try:
                token = endpoint.redeem(held.value, scopes)
            except SignInError:
                self._forget(held)
            else:
                self._held = held
                return token
        return endpoint.redeem(self._exchanged(endpoint).value, scopes)

    def login(self, endpoint: TokenEndpoint) -> tuple[str, str]:
        """A fresh refresh token, under the name that stands for one."""
        return REFRESH_TOKEN_USER, self._exchanged(endpoint).value

    def _renewed(self, endpoint: TokenEndpoint, held: RefreshToken) -> RefreshToken | None:
        """Another refresh token; *held* itself while it lasts, when the identity cannot get one any more."""
        try:
            return self._exchanged(endpoint)
        except SignInError:
            if time.time() >= held.expires_at:
                raise
            return held

    def _exchanged(self, endpoint: TokenEndpoint) -> RefreshToken:
        self._held = RefreshToken.received(self._exchange(endpoint))
        if self._keeper:
            self._keeper.keep(self._held)
        return self._held

    def _forget(self, token: RefreshToken) -> None:
        self._held = None
        if self._keeper:
            self._keeper.drop(token)

    def _exchange(self, endpoint: TokenEndpoint) -> str:
        failures: list[SignInError] = []
        for audience in self._audiences:
            try:
                token = self._get_token(audience)
                return endpoint.exchange(token.value, token.tenant)
            except SignInError as error:
                failures.append(error)
        raise _all_failed(self.name, endpoint.server, zip(self._audiences, failures, strict=True))


class PasswordCredential:
    """A user name and password: a service principal, a repository token, the admin user, or a refresh token."""

    def __init__(self, username: str, password: str) -> None:
        self.name = f"user '{username}'"
        self._username, self._password = username, password

    def access_token(self, endpoint: TokenEndpoint, scopes: Sequence[Scope]) -> str:
        """An access token by password, or by refresh token for the all-zero user."""
        if self._username == REFRESH_TOKEN_USER:
            return endpoint.redeem(self._password, scopes)
        return endpoint.with_password(self._username, self._password, scopes)

    def login(self, endpoint: TokenEndpoint) -> tuple[str, str]:
        """The same user name and password."""
        self.access_token(endpoint, [])
        return self._username, self._password


class AnonymousCredential:
    """Nobody. A registry may let everybody read (`az acr update --anonymous-pull-enabled`), and nobody write."""

    name = "an anonymous user"

    def access_token(self, endpoint: TokenEndpoint, scopes: Sequence[Scope]) -> str:
        """An access token for reading; `SignInError` for anything else, without asking."""
        if any(scope.actions - {PULL, METADATA_READ} for scope in scopes):
            raise SignInError(
                "Only reading works without a sign-in",
                where=endpoint.server,
                hint="Sign in: az login. Then run it again.",
            )
        return endpoint.anonymous(scopes)

    def login(self, endpoint: TokenEndpoint) -> tuple[str, str]:
        """Raises `SignInError`: there is nothing to keep."""
        raise SignInError(
            "There is no sign-in to keep", where=endpoint.server, hint="Sign in: az login, or --username."
        )


def reason_of(error: Exception) -> str:
    """The first line of what Entra or a library says, without the ids of the moment (`--debug` has them)."""
    lines = _IDS.sub("", str(error)).strip().splitlines()
    return lines[0].strip().removesuffix(".") if lines else type(error).__name__


def _all_failed(name: str, server: str, failures: Iterable[tuple[str, ArtifactError]]) -> SignInError:
    causes = list(failures)
    by_reason: dict[str, list[str]] = {}
    for audience, error in causes:
        by_reason.setdefault(error.why or error.what, []).append(audience)
    why = "; ".join(f"with a token for {' or '.join(names)}: {reason}" for reason, names in by_reason.items())
    hint = next((error.hint for _, error in causes if error.hint), "")
    return SignInError(f"Signing in by {name} failed", where=server, why=why, hint=hint)
