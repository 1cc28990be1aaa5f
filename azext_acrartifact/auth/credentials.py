"""Where a sign-in comes from: a way to get access tokens for scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import ArtifactError, SignInError
from ..transport.authorization import Scope
from .endpoint import TokenEndpoint

ACR_AUDIENCE = "https://containerregistry.azure.net"
# What `docker login` sends as the user name when the password is a refresh token (az acr login --expose-token).
REFRESH_TOKEN_USER = "00000000-0000-0000-0000-000000000000"


class Credential(Protocol):
    """An identity at one registry. Called by one thread at a time."""

    def access_token(self, endpoint: TokenEndpoint, scopes: Sequence[Scope]) -> str:
        """An access token for *scopes*; `SignInError` when there is none to be had."""

    @property
    def name(self) -> str:
        """Who this is, for messages."""


@dataclass(frozen=True)
class EntraToken:
    """A Microsoft Entra ID access token and the tenant that issued it."""

    value: str = field(repr=False)
    tenant: str | None = None


class EntraCredential:
    """A Microsoft Entra ID identity. *get_token* gives its token for an audience, or raises `SignInError`.

    The audiences are tried in turn: not every place that issues tokens knows ACR's (Azure/CloudShell#484), and
    not every registry takes ARM's.
    """

    name = "the Azure CLI's login"

    def __init__(self, get_token: Callable[[str], EntraToken], audiences: Sequence[str]) -> None:
        self._get_token = get_token
        self._audiences = audiences
        self._refresh_token: str | None = None

    def access_token(self, endpoint: TokenEndpoint, scopes: Sequence[Scope]) -> str:
        """An access token by the refresh token, which is exchanged for anew once when it is not taken."""
        if self._refresh_token is not None:
            try:
                return endpoint.redeem(self._refresh_token, scopes)
            except SignInError:
                self._refresh_token = None
        self._refresh_token = self._exchange(endpoint)
        return endpoint.redeem(self._refresh_token, scopes)

    def _exchange(self, endpoint: TokenEndpoint) -> str:
        failures: list[SignInError] = []
        for audience in self._audiences:
            try:
                token = self._get_token(audience)
                return endpoint.exchange(token.value, token.tenant)
            except SignInError as error:
                failures.append(error)
        raise _all_failed(endpoint.server, zip(self._audiences, failures, strict=True))


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

    @property
    def pair(self) -> tuple[str, str]:
        """User name and password, for a registry that wants them as Basic credentials."""
        return self._username, self._password


def _all_failed(server: str, failures: Iterable[tuple[str, ArtifactError]]) -> SignInError:
    causes = list(failures)
    why = "; ".join(f"with a token for {audience}: {error.why or error.what}" for audience, error in causes)
    hint = next((error.hint for _, error in causes if error.hint), "")
    return SignInError("Signing in to the registry failed", where=server, why=why, hint=hint)
