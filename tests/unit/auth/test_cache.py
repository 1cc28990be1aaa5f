"""The token cache: whose token is found, what is thrown away, and that nothing of it is needed."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, replace

import pytest

from azext_acrartifact import errors
from azext_acrartifact.auth.cache import CachedToken, Login
from azext_acrartifact.auth.credentials import EntraCredential, EntraToken, RefreshToken
from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.transport.authorization import PULL, Scope
from tests.unit.auth.tokens import Issuer

READ = [Scope.of("a", PULL)]
LOGIN = Login("AzureCloud", "tenant", "me", "1")
SERVER = "myregistry.azurecr.io"


class Memory:
    """A vault that may fail."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.fails: Exception | None = None
        self.held = False

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        if self.fails:
            raise self.fails
        self.held = True
        yield
        self.held = False

    def read(self) -> str:
        assert self.held
        return self.text

    def write(self, text: str) -> None:
        assert self.held
        self.text = text


def token(value: str = "r1", seconds: float = 3600) -> RefreshToken:
    return RefreshToken(value, time.time() + seconds - 300, time.time() + seconds)


def cached(vault: Memory, login: Login = LOGIN, server: str = SERVER) -> CachedToken:
    return CachedToken(vault, login, server, lambda text: None)


def test_what_is_kept_is_found() -> None:
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


def test_what_is_of_no_use_any_more_goes() -> None:
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


def test_only_the_token_that_was_refused_is_dropped() -> None:
    vault = Memory()
    cached(vault).keep(token("newer"))
    cached(vault).drop(token("older"))
    assert cached(vault).find()
    cached(vault).drop(token("newer"))
    assert cached(vault).find() is None


@pytest.mark.parametrize("broken", [{}, {"token": "t"}, {"token": "t", "renewAt": "x", "expiresAt": 1}])
def test_an_entry_of_another_shape_is_none(broken: dict[str, object]) -> None:
    entry = {**asdict(LOGIN), "server": SERVER, **broken}
    assert cached(Memory(json.dumps([entry]))).find() is None


@pytest.mark.parametrize("text", ["{", "null", "5", "[null, 5]", '[{"server": 5}]', "[" * 100_000, "\0"])
def test_a_text_of_another_shape_holds_nothing(text: str) -> None:
    vault = Memory(text)
    assert cached(vault).find() is None
    cached(vault).keep(token())
    assert cached(vault).find()


@pytest.mark.parametrize("error", [OSError("full"), RuntimeError("no keychain"), ImportError("gi")])
def test_a_vault_that_fails_is_done_without(error: Exception) -> None:
    vault, told = Memory(), []
    vault.fails = error
    broken = CachedToken(vault, LOGIN, SERVER, told.append)
    broken.keep(token())
    broken.drop(token())
    assert broken.find() is None
    assert len(told) == 3


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def endpoint(serve, http, issuer: Issuer) -> TokenEndpoint:
    return TokenEndpoint(SERVER, serve(issuer, forever=True).url, http)


def credential(vault: Memory, *, signed_in: bool = True) -> EntraCredential:
    def get_token(audience: str) -> EntraToken:
        if not signed_in:
            raise errors.SignInError("No token")
        return EntraToken("entra", "tenant")

    return EntraCredential(get_token, ["acr"], keeper=cached(vault))


def test_a_kept_token_needs_no_entra_token(endpoint: TokenEndpoint, issuer: Issuer) -> None:
    vault = Memory()
    cached(vault).keep(token("r9"))
    credential(vault, signed_in=False).access_token(endpoint, READ)
    assert [path for path, _ in issuer.forms] == ["/oauth2/token"]
    assert issuer.forms[0][1]["refresh_token"] == "r9"


def test_a_token_near_its_end_is_replaced(endpoint: TokenEndpoint, issuer: Issuer) -> None:
    vault = Memory()
    cached(vault).keep(token("old", seconds=200))
    credential(vault).access_token(endpoint, READ)
    assert [path for path, _ in issuer.forms] == ["/oauth2/exchange", "/oauth2/token"]


def test_a_token_near_its_end_is_used_where_no_other_is_to_be_had(endpoint: TokenEndpoint, issuer: Issuer) -> None:
    vault = Memory()
    cached(vault).keep(token("old", seconds=200))
    credential(vault, signed_in=False).access_token(endpoint, READ)
    assert issuer.forms[0][1]["refresh_token"] == "old"


def test_a_token_that_ended_in_mid_command_is_an_error_without_a_login(
    endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Memory()
    old = token("old", seconds=200)
    cached(vault).keep(old)
    held = credential(vault, signed_in=False)
    held.access_token(endpoint, READ)
    monkeypatch.setattr(time, "time", lambda: old.expires_at + 0.1)
    with pytest.raises(errors.SignInError):
        held.access_token(endpoint, READ)


def test_a_token_that_is_refused_is_forgotten(endpoint: TokenEndpoint, issuer: Issuer) -> None:
    vault = Memory()
    issuer.taken.add("r9")
    cached(vault).keep(token("r9"))
    with pytest.raises(errors.SignInError):
        credential(vault, signed_in=False).access_token(endpoint, READ)
    assert cached(vault).find() is None
