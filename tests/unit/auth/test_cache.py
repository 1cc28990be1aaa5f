"""The token cache: whose token is found, what is removed, and that commands work without it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace

import pytest

from azext_acrartifact import errors
from azext_acrartifact.auth import cache
from azext_acrartifact.auth.cache import CachedServer, CachedToken, Login
from azext_acrartifact.auth.credentials import EntraCredential, EntraToken, RefreshToken
from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.transport.authorization import PULL, Scope
from tests.unit.auth.tokens import Issuer

READ = [Scope.of("a", PULL)]
LOGIN = Login("AzureCloud", "tenant", "me", "1")
SERVER = "myregistry.azurecr.io"


class Memory:
    """A vault that can be made to fail."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.fails: Exception | None = None
        self.locked = False

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        if self.fails:
            raise self.fails
        self.locked = True
        yield
        self.locked = False

    def read(self) -> str:
        assert self.locked
        return self.text

    def write(self, text: str) -> None:
        assert self.locked
        self.text = text


def token(value: str = "r1", seconds: float = 3600) -> RefreshToken:
    return RefreshToken(value, time.time() + seconds - 300, time.time() + seconds)


def cached(vault: Memory, login: Login = LOGIN, server: str = SERVER) -> CachedToken:
    return CachedToken(vault, login, server, lambda text: None)


def test_a_cached_token_is_found() -> None:
    vault = Memory()
    cached(vault).keep(token())
    cached(vault).keep(token("r2"))
    found = cached(vault).find()
    assert found
    assert found.value == "r2"
    assert len(json.loads(vault.text)) == 1


@pytest.mark.parametrize("field", ["cloud", "tenant", "principal", "stamp"])
def test_another_login_finds_nothing(field: str) -> None:
    vault = Memory()
    cached(vault).keep(token())
    assert cached(vault, replace(LOGIN, **{field: "other"})).find() is None
    assert cached(vault, server="other.azurecr.io").find() is None


def test_useless_entries_are_removed() -> None:
    vault = Memory()
    cached(vault, server="gone.azurecr.io").keep(token("dead", seconds=-1))
    cached(vault, replace(LOGIN, stamp="0")).keep(token("before"))
    cached(vault, server="other.azurecr.io").keep(token("beside"))
    cached(vault).keep(token())
    assert [entry["token"] for entry in json.loads(vault.text)] == ["beside", "r1"]


def test_an_expired_token_is_not_found() -> None:
    vault = Memory()
    cached(vault).keep(token(seconds=-1))
    assert cached(vault).find() is None


def test_only_the_refused_token_is_removed() -> None:
    vault = Memory()
    cached(vault).keep(token("newer"))
    cached(vault).drop(token("older"))
    assert cached(vault).find()
    cached(vault).drop(token("newer"))
    assert cached(vault).find() is None


@pytest.mark.parametrize("broken", [{}, {"token": "t"}, {"token": "t", "renewAt": "x", "expiresAt": 1}])
def test_a_malformed_entry_is_ignored(broken: dict[str, object]) -> None:
    entry = {**asdict(LOGIN), "server": SERVER, **broken}
    assert cached(Memory(json.dumps([entry]))).find() is None


@pytest.mark.parametrize("text", ["{", "null", "5", "[null, 5]", '[{"server": 5}]', "[" * 100_000, "\0"])
def test_a_malformed_text_is_ignored(text: str) -> None:
    vault = Memory(text)
    assert cached(vault).find() is None
    cached(vault).keep(token())
    assert cached(vault).find()


@pytest.mark.parametrize("error", [OSError("full"), RuntimeError("no keychain"), ImportError("gi")])
def test_a_failing_vault_raises_nothing(error: Exception) -> None:
    vault, notices = Memory(), []
    vault.fails = error
    broken = CachedToken(vault, LOGIN, SERVER, notices.append)
    broken.keep(token())
    broken.drop(token())
    assert broken.find() is None
    assert len(notices) == 3


def name(vault: Memory, login: Login = LOGIN, subscription: str = "s", name: str = "myregistry") -> CachedServer:
    return CachedServer(vault, login, subscription, name, lambda text: None)


def test_a_login_server_is_found_beside_a_token() -> None:
    vault = Memory()
    name(vault).keep("other.azurecr.io")
    cached(vault).keep(token())
    name(vault).keep(SERVER)
    assert name(vault).find() == SERVER
    assert cached(vault).find()
    assert len(json.loads(vault.text)) == 2
    name(vault).drop()
    assert name(vault).find() is None
    assert cached(vault).find()


def test_a_login_server_is_found_only_by_its_own_login_subscription_and_name() -> None:
    vault = Memory()
    name(vault).keep(SERVER)
    for field in ("cloud", "tenant", "principal", "stamp"):
        assert name(vault, replace(LOGIN, **{field: "other"})).find() is None
    assert name(vault, subscription="other").find() is None
    assert name(vault, name="other").find() is None


def test_an_old_login_server_is_not_found() -> None:
    vault = Memory()
    name(vault).keep(SERVER)
    entry = json.loads(vault.text)[0]
    vault.text = json.dumps([{**entry, "expiresAt": entry["expiresAt"] - cache.SERVER_LIFETIME - 1}])
    assert name(vault).find() is None
    vault.text = json.dumps([{**entry, "loginServer": None, "expiresAt": "x"}])
    assert name(vault).find() is None


def credential(vault: Memory, *, signed_in: bool = True, clock: Callable[[], float] = time.time) -> EntraCredential:
    def get_token(audience: str) -> EntraToken:
        if not signed_in:
            raise errors.SignInError("No token")
        return EntraToken("entra", "tenant")

    return EntraCredential(get_token, ["acr"], cache=cached(vault), clock=clock)


def test_a_cached_token_needs_no_entra_token(endpoint: TokenEndpoint, issuer: Issuer) -> None:
    vault = Memory()
    cached(vault).keep(token("r9"))
    credential(vault, signed_in=False).access_token(endpoint, READ)
    assert [path for path, _ in issuer.forms] == ["/oauth2/token"]
    assert issuer.forms[0][1]["refresh_token"] == "r9"


def test_a_token_that_expires_soon_is_replaced(endpoint: TokenEndpoint, issuer: Issuer) -> None:
    vault = Memory()
    cached(vault).keep(token("old", seconds=200))
    credential(vault).access_token(endpoint, READ)
    assert [path for path, _ in issuer.forms] == ["/oauth2/exchange", "/oauth2/token"]


def test_a_token_that_expires_soon_is_used_without_a_login(endpoint: TokenEndpoint, issuer: Issuer) -> None:
    vault = Memory()
    cached(vault).keep(token("old", seconds=200))
    credential(vault, signed_in=False).access_token(endpoint, READ)
    assert issuer.forms[0][1]["refresh_token"] == "old"


def test_a_token_that_expires_during_a_command_is_an_error_without_a_login(endpoint: TokenEndpoint) -> None:
    vault, now = Memory(), [time.time()]
    old = token("old", seconds=200)
    cached(vault).keep(old)
    signed_out = credential(vault, signed_in=False, clock=lambda: now[0])
    signed_out.access_token(endpoint, READ)
    now[0] = old.expires_at + 0.1
    with pytest.raises(errors.SignInError):
        signed_out.access_token(endpoint, READ)


def test_a_refused_token_is_removed(endpoint: TokenEndpoint, issuer: Issuer) -> None:
    vault = Memory()
    issuer.revoked.add("r9")
    cached(vault).keep(token("r9"))
    with pytest.raises(errors.SignInError):
        credential(vault, signed_in=False).access_token(endpoint, READ)
    assert cached(vault).find() is None
