"""The login server of a registry that was named without it.

`NAME.azurecr.io` is a guess: the registry NAME may be at `NAME-HASH.azurecr.io`, and the other name may be somebody
else's. So Azure Resource Manager is asked first. Where it knows nothing, because the identity has no right to it, a
sign-in that the guessed server accepts shows that both belong to one tenant. Anonymous access would show nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from knack.log import get_logger

from ...auth.cache import CachedServer
from ...auth.chain import NotConfiguredError
from ...errors import ConnectionFailedError, TlsError
from ..context import CommandContext
from . import arm
from .account import account_of, login_of, subscription_of
from .token_store import vault_of

_logger = get_logger(__name__)


@dataclass(frozen=True)
class LoginServer:
    """The login server *host*. *name* is the registry's name, if only that was typed; *cache* then stores the host once
    it has accepted a sign-in."""

    host: str
    name: str | None = None
    cache: CachedServer | None = None

    def accepted(self) -> None:
        """Store the host, which has accepted the sign-in."""
        if self.cache:
            self.cache.keep(self.host)

    def refused(self) -> None:
        """Remove the host, which has not accepted the sign-in, so that the next command looks the name up."""
        if self.cache:
            self.cache.drop()


def login_server_of(cmd: CommandContext, name: str, guess: str, connect: Callable[[str], None]) -> LoginServer:
    """Return the login server of the registry *name*: the cached one if *connect* reaches it, or the one that Azure
    Resource Manager lists, or *guess*. Without an Azure login it is the guess."""
    try:
        account = account_of(cmd)
    except NotConfiguredError:
        return LoginServer(guess, name)
    subscription = subscription_of(account)
    vault = vault_of(cmd)
    key = (login_of(cmd, account), subscription or "", name.lower())
    cache = CachedServer(vault, *key, _logger.debug) if vault else None
    known = cache.find() if cache else None
    if known and _reaches(connect, known):
        return LoginServer(known, name, cache)
    found = arm.login_server_of(cmd, name, subscription) if subscription else None
    if found:
        _logger.info("The login server of %s is %s.", name, found)
    return LoginServer(found or known or guess, name, cache)


def _reaches(connect: Callable[[str], None], server: str) -> bool:
    """Return whether there is a server; the first request uses the connection."""
    try:
        connect(server)
    except TlsError:
        return True
    except ConnectionFailedError:
        return False
    return True
