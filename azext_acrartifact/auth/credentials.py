"""Identities that get access tokens for scopes: Microsoft Entra ID, a password, or anonymous access."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import SignInError, restated
from ..known_secrets import KNOWN
from ..transport.authorization import METADATA_READ, PULL, Scope
from .claims import claims_of, lifetime, renewal_delay
from .endpoint import TokenEndpoint
from .rights import Granting, granting_of, granting_of_user
from .token_wait import EndlessResponseError, NoTokenError, token_in_time

ACR_AUDIENCE = "https://containerregistry.azure.net"
LONGEST_REASON = 4096
"""Characters of an error's text that are read. Entra sends it, so it may have any length."""
LONGEST_TOKEN = 64 * 1024
# Every repetition has a bound, so that no text takes more than linear time.
_IDS = re.compile(r"\b(?:Trace ID|Correlation ID|Timestamp): [0-9A-Za-z:.-]{0,64}(?: [0-9:.]{1,32}Z)?\.?")
_TOKEN = re.compile(r"[\x21-\x7e]+")
# The user name for a password that is a refresh token (az acr login --expose-token).
REFRESH_TOKEN_USER = "00000000-0000-0000-0000-000000000000"


class OtherTenantError(SignInError):
    """The registry belongs to another tenant of Microsoft Entra ID than the identity."""


class Credential(Protocol):
    """An identity at one registry. Used by one thread at a time."""

    def access_token(self, endpoint: TokenEndpoint, scopes: Sequence[Scope]) -> str:
        """Get an access token for *scopes*. Raises `SignInError` if that fails."""

    def login(self, endpoint: TokenEndpoint) -> tuple[str, str]:
        """Get a user name and password for other programs, which the registry has just accepted. Raises `SignInError`
        as well."""

    @property
    def name(self) -> str:
        """The identity's name, for messages."""

    @property
    def granting(self) -> Granting:
        """How the identity gets its rights, as far as it has shown."""


@dataclass(frozen=True)
class EntraToken:
    """A Microsoft Entra ID access token and the tenant that issued it."""

    value: str = field(repr=False)
    tenant: str | None = None

    def __post_init__(self) -> None:
        KNOWN.add(self.value)


@dataclass(frozen=True)
class RefreshToken:
    """ACR's refresh token, which lives for 3 hours. *renew_at* and *expires_at* are Unix times."""

    value: str = field(repr=False)
    renew_at: float
    expires_at: float

    def __post_init__(self) -> None:
        KNOWN.add(self.value)

    @classmethod
    def received(cls, value: str) -> RefreshToken:
        """Return *value*, which the registry has just issued, with its times."""
        now = time.time()
        left = lifetime(claims_of(value), now)
        return cls(value, now + renewal_delay(left), now + (left or 0.0))


class TokenCache(Protocol):
    """Stores one identity's refresh token for one registry between commands. Never raises."""

    def find(self) -> RefreshToken | None:
        """Return the cached token, or None."""

    def keep(self, token: RefreshToken) -> None:
        """Cache *token* instead of the present one."""

    def drop(self, token: RefreshToken) -> None:
        """Remove *token*, which the registry no longer accepts."""


class EntraCredential:
    """A Microsoft Entra ID identity. *get_token* returns its token for an audience, or raises `SignInError`.

    The next of *audiences* is used only if Entra issues no token for one: not every issuer knows ACR's
    (Azure/CloudShell#484). If Entra does not respond at all, `NoTokenError` ends the command. A registry that refuses a
    token gets no other one, because ARM's opens all of Azure to whoever holds it. No Entra token is requested while
    *cache* has a refresh token. *clock* returns Unix times.
    """

    def __init__(
        self,
        get_token: Callable[[str], EntraToken],
        audiences: Sequence[str],
        name: str = "the Microsoft Entra ID identity",
        cache: TokenCache | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._get_token = get_token
        self._audiences = audiences
        self._cache = cache
        self._clock = clock
        self._token: RefreshToken | None = None

    @property
    def granting(self) -> Granting:
        """By which roles the identity gets its rights; unknown before the first token."""
        return granting_of(claims_of(self._token.value) if self._token else {})

    def access_token(self, endpoint: TokenEndpoint, scopes: Sequence[Scope]) -> str:
        """Get an access token with the refresh token, which is replaced when it is due or no longer accepted."""
        current = self._token or (self._cache.find() if self._cache else None)
        if current is not None and self._clock() >= current.renew_at:
            current = self._renewed(endpoint, current)
        if current is not None:
            try:
                access_token = endpoint.redeem(current.value, scopes)
            except SignInError:
                self._forget(current)
            else:
                self._token = current
                return access_token
        return endpoint.redeem(self._exchanged(endpoint).value, scopes)

    def login(self, endpoint: TokenEndpoint) -> tuple[str, str]:
        """Get a new refresh token, with the user name that marks it as one."""
        return REFRESH_TOKEN_USER, self._exchanged(endpoint).value

    def _renewed(self, endpoint: TokenEndpoint, current: RefreshToken) -> RefreshToken | None:
        """Return a new refresh token, or *current* until it expires if the identity can no longer get one."""
        try:
            return self._exchanged(endpoint)
        except EndlessResponseError:
            raise
        except (SignInError, NoTokenError):
            if self._clock() >= current.expires_at:
                raise
            return current

    def _exchanged(self, endpoint: TokenEndpoint) -> RefreshToken:
        self._token = RefreshToken.received(self._exchange(endpoint))
        if self._cache:
            self._cache.keep(self._token)
        return self._token

    def _forget(self, token: RefreshToken) -> None:
        self._token = None
        if self._cache:
            self._cache.drop(token)

    def _exchange(self, endpoint: TokenEndpoint) -> str:
        failures: list[tuple[str, SignInError]] = []
        for audience in self._audiences:
            try:
                token = token_in_time(functools.partial(self._get_token, audience), endpoint.stall_timeout)
            except SignInError as error:
                failures.append((audience, error))
                continue
            try:
                require_token(token, audience)
                return endpoint.exchange(token.value, token.tenant)
            except SignInError as error:
                failures.append((audience, _about_tenant(error, endpoint.server, token.tenant)))
                break
        raise _all_failed(self.name, endpoint.server, failures)


class PasswordCredential:
    """A user name and password: a service principal, a repository token, the admin user, or a refresh token."""

    def __init__(self, username: str, password: str) -> None:
        KNOWN.add(password)
        self.name = f"user '{username}'"
        self._username, self._password = username, password

    @property
    def granting(self) -> Granting:
        """How the user gets its rights."""
        is_token = self._username == REFRESH_TOKEN_USER
        return granting_of(claims_of(self._password)) if is_token else granting_of_user(self._username)

    def access_token(self, endpoint: TokenEndpoint, scopes: Sequence[Scope]) -> str:
        """Get an access token with the password, which is a refresh token for the all-zero user."""
        if self._username == REFRESH_TOKEN_USER:
            return endpoint.redeem(self._password, scopes)
        return endpoint.with_password(self._username, self._password, scopes)

    def login(self, endpoint: TokenEndpoint) -> tuple[str, str]:
        """Return the same user name and password, once the registry has accepted them."""
        self.access_token(endpoint, [])
        return self._username, self._password


class AnonymousCredential:
    """Anonymous access. A registry may allow it (`az acr update --anonymous-pull-enabled`), but only for reads."""

    name = "an anonymous user"
    granting = Granting.NOTHING

    def access_token(self, endpoint: TokenEndpoint, scopes: Sequence[Scope]) -> str:
        """Get an access token for reads. Raises `SignInError` for other actions, without a request."""
        if any(scope.actions - {PULL, METADATA_READ} for scope in scopes):
            raise SignInError("Only reading works without a sign-in", where=endpoint.server, hint="Run: az login")
        return endpoint.anonymous(scopes)

    def login(self, endpoint: TokenEndpoint) -> tuple[str, str]:
        """Raise `SignInError`, as there is nothing to store."""
        raise SignInError(
            "There is no sign-in to store", where=endpoint.server, hint="Sign in: az login, or give --username."
        )


def require_token(token: EntraToken, audience: str) -> None:
    """Raise `SignInError` for a *token* that cannot be one, and for one of another resource instead of ACR's: Entra's
    response may be anything."""
    if len(token.value) > LONGEST_TOKEN or not _TOKEN.fullmatch(token.value):
        raise SignInError("The Entra token cannot be used", why="what was received is not a token")
    issued = str(claims_of(token.value).get("aud", ""))
    if audience == ACR_AUDIENCE and "://" in issued and issued.rstrip("/") != ACR_AUDIENCE:
        raise SignInError("The Entra token cannot be used", why="it was issued for another audience")


def reason_of(error: Exception) -> str:
    """Return the first line of an error of Entra or a library, without request ids, which `--debug` shows."""
    lines = _IDS.sub("", str(error)[:LONGEST_REASON]).strip().splitlines()
    return " ".join(lines[0].split()).removesuffix(".") if lines else type(error).__name__


def _about_tenant(error: SignInError, server: str, tenant: str | None) -> SignInError:
    """Return *error*, by which *server* refused a token of *tenant*, with the most likely cause. It is certain only if
    the response speaks of it; ACR's usual one does not say why."""
    if tenant and "tenant" in error.why:
        what = f"{server} does not accept tokens of tenant {tenant}"
        trace = error.correlation_id
        return OtherTenantError(what, why=error.why, hint="Run: az login --tenant TENANT", correlation_id=trace)
    other = f" If the registry belongs to another tenant than {tenant}: az login --tenant TENANT" if tenant else ""
    return restated(error, hint=f"Sign in again (az login).{other}")


def _all_failed(name: str, server: str, failures: Sequence[tuple[str, SignInError]]) -> SignInError:
    if isinstance(failures[-1][1], OtherTenantError):
        return failures[-1][1]
    by_reason: dict[str, list[str]] = {}
    for audience, error in failures:
        by_reason.setdefault(error.why or error.what, []).append(audience)
    why = "; ".join(f"with a token for {' or '.join(names)}: {reason}" for reason, names in by_reason.items())
    hint = next((error.hint for _, error in failures if error.hint), "")
    trace = next((error.correlation_id for _, error in failures if error.correlation_id), "")
    return SignInError(f"Signing in with {name} failed", where=server, why=why, hint=hint, correlation_id=trace)
