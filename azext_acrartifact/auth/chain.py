"""Several places where a sign-in may come from, tried in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..errors import SignInError
from ..transport.authorization import Scope
from .credentials import AnonymousCredential, Credential
from .endpoint import TokenEndpoint

Notice = Callable[[str], None]
_Result = TypeVar("_Result")


class NotConfiguredError(SignInError):
    """There is no sign-in in this place: nothing was tried."""


@dataclass(frozen=True)
class Source:
    """A place that may hold a sign-in. *open* raises `SignInError` when it holds none."""

    name: str
    open: Callable[[], Credential]


class ChainCredential:
    """The first of *sources* that works, kept to until it fails. *notice* is told which, and why not the others.

    Only a failed sign-in leads on to the next source. An identity that lacks a permission is an answer.
    """

    def __init__(self, sources: Sequence[Source], notice: Notice) -> None:
        self._sources = sources
        self._notice = notice
        self._position = 0
        self._chosen: Credential | None = None

    @property
    def name(self) -> str:
        """The identity that is used."""
        return self._chosen.name if self._chosen else "nobody"

    def access_token(self, endpoint: TokenEndpoint, scopes: Sequence[Scope]) -> str:
        """An access token by the first source that gives one; `SignInError` with every reason when none does."""
        return self._first(lambda credential: credential.access_token(endpoint, scopes))

    def login(self, endpoint: TokenEndpoint) -> tuple[str, str]:
        """The user name and password of the first source that has them; `SignInError` likewise."""
        return self._first(lambda credential: credential.login(endpoint))

    def _first(self, action: Callable[[Credential], _Result]) -> _Result:
        failures: list[tuple[Source, SignInError]] = []
        for position in range(self._position, len(self._sources)):
            source = self._sources[position]
            try:
                result, credential = self._try(source, action)
            except SignInError as error:
                self._chosen = None
                failures.append((source, error))
                continue
            if credential is not self._chosen:
                self._report(failures, source, credential)
            self._position, self._chosen = position, credential
            return result
        self._report(failures)
        raise _none_left(failures)

    def _try(self, source: Source, action: Callable[[Credential], _Result]) -> tuple[_Result, Credential]:
        credential = self._chosen or source.open()
        return action(credential), credential

    def _report(
        self,
        failures: Sequence[tuple[Source, SignInError]],
        source: Source | None = None,
        taken: Credential | None = None,
    ) -> None:
        for passed, error in failures:
            self._notice(f"Passed over {passed.name}: {error.message}")
        if source and taken:
            place = "" if taken.name.startswith(source.name) else f"{source.name}, as "
            self._notice(f"Signed in by {place}{taken.name}")


def anonymous_source() -> Source:
    """No sign-in at all."""
    return Source("anonymous access", AnonymousCredential)


def _none_left(failures: Sequence[tuple[Source, SignInError]]) -> SignInError:
    """The error of the first place that holds a sign-in, or of the first place, with the others' reasons."""
    tried = [(source, error) for source, error in failures if not isinstance(error, NotConfiguredError)]
    signed = [pair for pair in tried if pair[0].open is not AnonymousCredential]
    main = (signed or failures)[0]
    others = [f"{source.name}: {error.why or error.what}" for source, error in tried if error is not main[1]]
    error = main[1]
    if not others:
        return error
    why = "; ".join([error.why or error.what, *others])
    return SignInError(error.what, where=error.where, why=why, hint=error.hint)
