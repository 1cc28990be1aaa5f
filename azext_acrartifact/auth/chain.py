"""Several sources of a sign-in, tried in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..errors import SignInError, restated
from ..transport.authorization import Scope
from .credentials import AnonymousCredential, Credential
from .endpoint import TokenEndpoint
from .rights import Granting

Notice = Callable[[str], None]
_Result = TypeVar("_Result")


class NotConfiguredError(SignInError):
    """This source has no sign-in, so nothing was tried."""


@dataclass(frozen=True)
class Source:
    """A possible source of a sign-in. *open* raises `SignInError` if it has none."""

    name: str
    open: Callable[[], Credential]


class ChainCredential:
    """Uses the first of *sources* that works, until it fails. Reports to *notice* which one, and why not the others.

    Only a failed sign-in leads to the next source. A missing permission does not: the identity itself was accepted.
    *accepted* gets the identity when it comes into use, with the sign-ins before it that failed, and *refused* is
    called when none is left.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        notice: Notice,
        accepted: Callable[[Credential, Sequence[SignInError]], None] = lambda credential, failed: None,
        refused: Callable[[SignInError], SignInError] = lambda error: error,
    ) -> None:
        self._sources = sources
        self._notice = notice
        self._accepted, self._refused = accepted, refused
        self._position = 0
        self._chosen: Credential | None = None

    @property
    def name(self) -> str:
        """The identity in use."""
        return self._chosen.name if self._chosen else "no identity"

    @property
    def granting(self) -> Granting:
        """How the identity in use gets its rights."""
        return self._chosen.granting if self._chosen else Granting.EITHER_ROLES

    def access_token(self, endpoint: TokenEndpoint, scopes: Sequence[Scope]) -> str:
        """Get an access token from the first source that has one. Raises `SignInError` with the reasons of all."""
        return self._first(lambda credential: credential.access_token(endpoint, scopes))

    def login(self, endpoint: TokenEndpoint) -> tuple[str, str]:
        """Get the user name and password of the first source that has them. Raises `SignInError` as well."""
        return self._first(lambda credential: credential.login(endpoint))

    def _first(self, action: Callable[[Credential], _Result]) -> _Result:
        failures: list[tuple[Source, SignInError]] = []
        for position in range(self._position, len(self._sources)):
            source = self._sources[position]
            try:
                credential = self._chosen or source.open()
                result = action(credential)
            except SignInError as error:
                self._chosen = None
                failures.append((source, error))
                continue
            if credential is not self._chosen:
                self._report(failures, source, credential)
                self._accepted(credential, [error for _, error in _tried(failures)])
            self._position, self._chosen = position, credential
            return result
        self._report(failures)
        raise self._refused(_none_left(failures))

    def _report(
        self,
        failures: Sequence[tuple[Source, SignInError]],
        source: Source | None = None,
        credential: Credential | None = None,
    ) -> None:
        for skipped, error in failures:
            self._notice(f"Skipped {skipped.name}: {error.message}")
        if source and credential:
            prefix = "" if credential.name.startswith(source.name) else f"{source.name}, as "
            self._notice(f"Signed in with {prefix}{credential.name}")


def anonymous_source() -> Source:
    """Return the source for anonymous access."""
    return Source("anonymous access", AnonymousCredential)


def _none_left(failures: Sequence[tuple[Source, SignInError]]) -> SignInError:
    """Return the error of the first source that has a sign-in, or else of the first source, with the other reasons."""
    tried = _tried(failures)
    signed = [pair for pair in tried if pair[0].open is not AnonymousCredential]
    if tried and not signed and len(failures) > 1:
        refused = tried[0][1]
        what = f"You are not signed in, and {refused.what[:1].lower()}{refused.what[1:]}"
        return SignInError(what, where=refused.where, why=refused.why, hint="Run: az login")
    main = (signed or failures)[0][1]
    others = [f"{source.name}: {error.why or error.what}" for source, error in tried if error is not main]
    why = "; ".join([main.why or main.what, *others])
    trace = next((error.correlation_id for _, error in tried if error.correlation_id), "")
    return restated(main, why=why, correlation_id=trace) if others else main


def _tried(failures: Sequence[tuple[Source, SignInError]]) -> list[tuple[Source, SignInError]]:
    """Return those of the sources that have a sign-in."""
    return [(source, error) for source, error in failures if not isinstance(error, NotConfiguredError)]
