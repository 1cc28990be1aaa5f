"""Refresh tokens and login servers, cached between commands so that they sign in, and look a name up, once.

An entry is found only by the identity that it belongs to, and only under the login that got it. After a logout, or a
login as somebody else, it is not found. If the cache fails, commands work without it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeVar

from .credentials import RefreshToken

_Value = TypeVar("_Value")
SERVER_LIFETIME = 7 * 24 * 3600.0
"""Seconds. A registry's login server does not change, but a registry may be deleted and created again."""
_FAILURES = (OSError, ValueError, TypeError, RuntimeError, ImportError, LookupError, ArithmeticError)


class Vault(Protocol):
    """A text that only this user of this machine can read."""

    def lock(self) -> AbstractContextManager[None]:
        """Lock out other processes. Raises `OSError` after a timeout."""

    def read(self) -> str:
        """Return the text, which is empty if there is none."""

    def write(self, text: str) -> None:
        """Replace the text."""


@dataclass(frozen=True)
class Login:
    """The login that a token belongs to. *stamp* changes with every login and logout on this machine."""

    cloud: str
    tenant: str
    principal: str
    stamp: str


class _Entry:
    """The entry of *login* in *vault* whose other members are *key*. Failures are reported to *notice*."""

    def __init__(self, vault: Vault, login: Login, key: dict[str, str], notice: Callable[[str], None]) -> None:
        self._vault = vault
        self._key = {**asdict(login), **key}
        self._stamp = login.stamp
        self._notice = notice

    def _mine(self) -> Iterator[dict[str, Any]]:
        with self._vault.lock():
            entries = _entries(self._vault.read())
        return filter(self._is_mine, entries)

    def _replace(self, stays: Callable[[dict[str, Any]], bool], added: list[dict[str, Any]]) -> None:
        with self._vault.lock():
            old = _entries(self._vault.read())
            others = [entry for entry in old if self._is_valid(entry) and (not self._is_mine(entry) or stays(entry))]
            self._vault.write(json.dumps(others + added))

    def _is_mine(self, entry: dict[str, Any]) -> bool:
        return all(entry.get(name) == value for name, value in self._key.items())

    def _is_valid(self, entry: dict[str, Any]) -> bool:
        return entry.get("stamp") == self._stamp and float(entry.get("expiresAt", 0)) > time.time()

    def _guarded(self, action: Callable[[], _Value], otherwise: _Value) -> _Value:
        try:
            return action()
        except _FAILURES as error:
            self._notice(f"The token cache is not used: {type(error).__name__}: {error}")
            return otherwise


class CachedToken(_Entry):
    """The refresh token of one login for one server; see `TokenCache`."""

    def __init__(self, vault: Vault, login: Login, server: str, notice: Callable[[str], None]) -> None:
        super().__init__(vault, login, {"server": server}, notice)

    def find(self) -> RefreshToken | None:
        """Return the cached token, unless it has expired."""
        return self._guarded(self._find, None)

    def keep(self, token: RefreshToken) -> None:
        """Cache *token*, and remove entries that are of no use any more."""
        entry = {**self._key, "token": token.value, "renewAt": token.renew_at, "expiresAt": token.expires_at}
        self._guarded(lambda: self._replace(lambda old: False, [entry]), None)

    def drop(self, token: RefreshToken) -> None:
        """Remove *token*. One that another command has cached meanwhile stays."""
        self._guarded(lambda: self._replace(lambda old: old.get("token") != token.value, []), None)

    def _find(self) -> RefreshToken | None:
        for entry in self._mine():
            token = RefreshToken(str(entry["token"]), float(entry["renewAt"]), float(entry["expiresAt"]))
            if token.expires_at > time.time():
                return token
        return None


class CachedServer(_Entry):
    """The login server of the registry *name*, as one login sees it in one subscription."""

    def __init__(self, vault: Vault, login: Login, subscription: str, name: str, notice: Callable[[str], None]) -> None:
        super().__init__(vault, login, {"subscription": subscription, "name": name}, notice)

    def find(self) -> str | None:
        """Return the cached server, unless it is too old."""
        return self._guarded(self._find, None)

    def keep(self, server: str) -> None:
        """Cache *server*."""
        entry = {**self._key, "loginServer": server, "expiresAt": time.time() + SERVER_LIFETIME}
        self._guarded(lambda: self._replace(lambda old: False, [entry]), None)

    def drop(self) -> None:
        """Remove the server, which did not accept the sign-in."""
        self._guarded(lambda: self._replace(lambda old: False, []), None)

    def _find(self) -> str | None:
        valid = (entry for entry in self._mine() if self._is_valid(entry))
        return next((str(entry["loginServer"]) for entry in valid), None)


def _entries(text: str) -> list[dict[str, Any]]:
    """Return the entries of *text*, or none if it was cut short, as by a crash."""
    try:
        entries = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
