"""The wait for a token: its limits of time and memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from azext_acrartifact import errors
from azext_acrartifact.auth.credentials import EntraCredential, EntraToken, RefreshToken, TokenCache
from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.auth.token_wait import EndlessResponseError, NoTokenError, token_in_time
from azext_acrartifact.transport.authorization import PULL, Scope
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.network import Network
from tests.unit.auth.tokens import Issuer

READ = [Scope.of("a", PULL)]
MIB = 1024 * 1024


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Yield the end of a response, which comes after the test."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def flood(over: threading.Event) -> Callable[..., str]:
    """Return a look-up that takes a mebibyte of memory every 5 ms."""

    def look_up(_audience: str = "") -> str:
        taken = []
        while not over.wait(0.005):
            taken.append(bytes([len(taken) % 255 + 1]) * MIB)
        return "late"

    return look_up


def test_the_token_is_returned_at_once() -> None:
    started = time.monotonic()
    assert token_in_time(lambda: "token", 30) == "token"
    assert time.monotonic() - started < 5


def test_what_the_look_up_raises_is_raised() -> None:
    def refuse() -> str:
        raise errors.SignInError("No token")

    with pytest.raises(errors.SignInError, match="No token"):
        token_in_time(refuse, 30)


def test_a_slow_token_is_waited_for() -> None:
    def slow() -> str:
        time.sleep(0.3)
        return "token"

    assert token_in_time(slow, 1) == "token"


def test_after_two_stall_timeouts_the_wait_ends(over: threading.Event) -> None:
    started = time.monotonic()
    with pytest.raises(NoTokenError) as caught:
        token_in_time(over.wait, 0.2)
    assert 0.4 <= time.monotonic() - started < 10
    assert not isinstance(caught.value, EndlessResponseError)
    assert caught.value.message == "Could not get a token from Microsoft Entra ID: no response within 0.4 s"
    assert "acrartifact.stall_timeout=SECONDS" in caught.value.hint


def test_the_wait_ends_when_the_response_takes_memory_without_end(flood: Callable[..., str]) -> None:
    started = time.monotonic()
    with pytest.raises(EndlessResponseError, match="Microsoft Entra ID: its response is too large"):
        token_in_time(flood, 30, 20 * MIB)
    assert time.monotonic() - started < 10


def test_the_thread_that_is_left_behind_does_not_keep_the_process(over: threading.Event) -> None:
    with pytest.raises(NoTokenError):
        token_in_time(over.wait, 0.01)
    left = [thread for thread in threading.enumerate() if thread.name == "entra-token"]
    assert left
    assert all(thread.daemon for thread in left)


def test_a_system_without_threads_still_gets_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert token_in_time(lambda: "token", 1) == "token"


def test_by_default_a_response_may_take_some_dozen_mebibytes(flood: Callable[..., str]) -> None:
    with pytest.raises(EndlessResponseError):
        token_in_time(flood, 3)
    assert len(token_in_time(lambda: b"x" * (16 * MIB), 3)) == 16 * MIB


def test_memory_within_the_limit_is_no_end() -> None:
    assert len(token_in_time(lambda: b"x" * MIB, 30, 20 * MIB)) == MIB


class Cached(TokenCache):
    """A cache with a refresh token that is due, and valid for *seconds*."""

    def __init__(self, seconds: float) -> None:
        self.token: RefreshToken | None = RefreshToken("cached", 0.0, time.time() + seconds)

    def find(self) -> RefreshToken | None:
        return self.token

    def keep(self, token: RefreshToken) -> None:
        self.token = token

    def drop(self, token: RefreshToken) -> None:
        self.token = None


@pytest.fixture
def quick(serve, issuer: Issuer) -> Iterator[TokenEndpoint]:
    """Yield a token endpoint with a stall timeout of 0.3 s."""
    client = HttpClient(Network("unit/1", stall_timeout=0.3))
    yield TokenEndpoint("myregistry.azurecr.io", serve(issuer, forever=True).url, client)
    client.close()


def test_an_entra_that_does_not_respond_is_asked_for_one_audience_only(
    quick: TokenEndpoint, issuer: Issuer, over: threading.Event
) -> None:
    asked = []

    def silent(audience: str) -> EntraToken:
        asked.append(audience)
        over.wait()
        return EntraToken("late")

    with pytest.raises(NoTokenError):
        EntraCredential(silent, ["acr", "arm"]).access_token(quick, READ)
    assert (asked, issuer.forms) == (["acr"], [])


def test_a_valid_refresh_token_is_used_while_entra_does_not_respond(
    quick: TokenEndpoint, issuer: Issuer, over: threading.Event
) -> None:
    def silent(_audience: str) -> EntraToken:
        over.wait()
        return EntraToken("late")

    assert EntraCredential(silent, ["acr"], cache=Cached(60)).access_token(quick, READ)
    assert [form["refresh_token"] for _, form in issuer.forms] == ["cached"]
    with pytest.raises(NoTokenError):
        EntraCredential(silent, ["acr"], cache=Cached(-1)).access_token(quick, READ)


def test_an_endless_response_ends_the_command_even_with_a_valid_refresh_token(
    quick: TokenEndpoint, issuer: Issuer
) -> None:
    def endless(_audience: str) -> EntraToken:
        raise EndlessResponseError("endless")

    with pytest.raises(EndlessResponseError):
        EntraCredential(endless, ["acr"], cache=Cached(60)).access_token(quick, READ)
    assert issuer.forms == []
