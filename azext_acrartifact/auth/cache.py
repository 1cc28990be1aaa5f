"""Refresh tokens kept between commands, so that twenty of them sign in once.

A token is found again only by the identity it was given to, under the very login that got it: whoever has logged out,
or in as somebody else, has none. The cache is a convenience: whatever fails in it, a command goes on without.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeVar

from .credentials import RefreshToken

_Value = TypeVar("_Value")
_FAILURES = (OSError, ValueError, TypeError, RuntimeError, ImportError, LookupError, ArithmeticError)


class Vault(Protocol):
    """A text that only this user of this machine can read."""

    def lock(self) -> AbstractContextManager[None]:
        """Holds other processes off. `OSError` when that cannot be had in time."""

    def read(self) -> str:
        """The text, empty when there is none."""

    def write(self, text: str) -> None:
        """Replace the text."""


@dataclass(frozen=True)
class Login:
    """Whose token it is. *stamp* changes with every login and logout on this machine."""

    cloud: str
    tenant: str
    principal: str
    stamp: str


class CachedToken:
    """The refresh token of one login for one server in *vault*; see `TokenKeeper`. *notice* is told of failures."""

    def __init__(self, vault: Vault, login: Login, server: str, notice: Callable[[str], None]) -> None:
        self._vault = vault
        self._key = {**asdict(login), "server": server}
        self._stamp = login.stamp
        self._notice = notice

    def find(self) -> RefreshToken | None:
        """The token that is kept, unless it has expired."""
        return self._guarded(self._find, None)

    def keep(self, token: RefreshToken) -> None:
        """Keep *token*, and throw away what cannot be used any more."""
        entry = {**self._key, "token": token.value, "renewAt": token.renew_at, "expiresAt": token.expires_at}
        self._guarded(lambda: self._replace(lambda old: False, [entry]), None)

    def drop(self, token: RefreshToken) -> None:
        """Forget *token*; one that another command has put there meanwhile stays."""
        self._guarded(lambda: self._replace(lambda old: old.get("token") != token.value, []), None)

    def _find(self) -> RefreshToken | None:
        with self._vault.lock():
            entries = _entries(self._vault.read())
        for entry in filter(self._is_mine, entries):
            token = RefreshToken(str(entry["token"]), float(entry["renewAt"]), float(entry["expiresAt"]))
            if token.expires_at > time.time():
                return token
        return None

    def _replace(self, stays: Callable[[dict[str, Any]], bool], added: list[dict[str, Any]]) -> None:
        with self._vault.lock():
            old = _entries(self._vault.read())
            kept = [entry for entry in old if self._is_good(entry) and (not self._is_mine(entry) or stays(entry))]
            self._vault.write(json.dumps(kept + added))

    def _is_mine(self, entry: dict[str, Any]) -> bool:
        return all(entry.get(name) == value for name, value in self._key.items())

    def _is_good(self, entry: dict[str, Any]) -> bool:
        return entry.get("stamp") == self._stamp and float(entry.get("expiresAt", 0)) > time.time()

    def _guarded(self, action: Callable[[], _Value], otherwise: _Value) -> _Value:
        try:
            return action()
        except _FAILURES as error:
            self._notice(f"The token cache is not used: {type(error).__name__}: {error}")
            return otherwise


def _entries(text: str) -> list[dict[str, Any]]:
    """The entries of *text*. A text that is cut off, as by a crash, has none."""
    try:
        entries = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
