"""Which of several sign-ins is taken, and what is said when none works."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from azext_acrartifact import errors
from azext_acrartifact.auth.chain import ChainCredential, NotConfiguredError, Source, anonymous_source
from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.transport.authorization import METADATA_READ, PULL, PUSH, Scope
from tests.support.server import answer
from tests.unit.auth.tokens import refusal

READ = [Scope.of("a", PULL, METADATA_READ)]
WRITE = [Scope.of("a", PULL, PUSH)]


class Fixed:
    """A credential that gives its name as a token until it *fails*."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fails = False

    def access_token(self, endpoint: TokenEndpoint, scopes: Sequence[Scope]) -> str:
        if self.fails:
            raise errors.SignInError("Refused", why=f"{self.name} is gone", hint="Come back")
        return self.name


def absent(name: str) -> Source:
    def open_it() -> Fixed:
        raise NotConfiguredError("Nothing here", why=f"{name} is absent", hint=f"Make {name}")

    return Source(name, open_it)


def chain(*sources: Source) -> tuple[ChainCredential, list[str]]:
    told: list[str] = []
    return ChainCredential(sources, told.append), told


@pytest.fixture
def endpoint(serve, http) -> TokenEndpoint:
    return TokenEndpoint("r.example", serve(lambda sent: refusal(401, "no"), forever=True).url, http)


def test_the_first_that_works_is_taken_once(endpoint: TokenEndpoint) -> None:
    held, told = chain(absent("one"), Source("two", lambda: Fixed("me")), Source("three", lambda: Fixed("other")))
    assert held.name == "nobody"
    assert [held.access_token(endpoint, WRITE) for _ in range(3)] == ["me"] * 3
    assert told == ["Passed over one: Nothing here: one is absent", "Signed in by two, as me"]
    assert held.name == "me"


def test_a_sign_in_is_named_once(endpoint: TokenEndpoint) -> None:
    held, told = chain(Source("the login", lambda: Fixed("the login (me)")))
    held.access_token(endpoint, WRITE)
    assert told == ["Signed in by the login (me)"]


def test_the_next_is_taken_when_one_fails_on_the_way(endpoint: TokenEndpoint) -> None:
    first = Fixed("me")
    held, told = chain(Source("one", lambda: first), Source("two", lambda: Fixed("other")))
    assert held.access_token(endpoint, WRITE) == "me"
    first.fails = True
    assert [held.access_token(endpoint, WRITE) for _ in range(2)] == ["other"] * 2
    assert told[1:] == ["Passed over one: Refused: me is gone", "Signed in by two, as other"]


def test_the_error_is_that_of_the_sign_in_that_exists(endpoint: TokenEndpoint) -> None:
    broken, other = Fixed("me"), Fixed("other")
    broken.fails = other.fails = True
    held, told = chain(absent("one"), Source("two", lambda: broken), Source("three", lambda: other), anonymous_source())
    with pytest.raises(errors.SignInError) as caught:
        held.access_token(endpoint, READ)
    assert caught.value.what == "Refused"
    assert caught.value.hint == "Come back"
    assert caught.value.why == ("me is gone; three: other is gone; anonymous access: it does not let everybody read")
    assert len(told) == 4


def test_without_any_the_first_place_is_named(endpoint: TokenEndpoint) -> None:
    held, _ = chain(absent("one"), absent("two"))
    with pytest.raises(errors.SignInError, match="one is absent") as caught:
        held.access_token(endpoint, READ)
    assert caught.value.hint == "Make one"


def test_a_missing_permission_is_an_answer(endpoint: TokenEndpoint) -> None:
    class Denied(Fixed):
        def access_token(self, endpoint: TokenEndpoint, scopes: Sequence[Scope]) -> str:
            raise errors.PermissionDeniedError("No permission")

    held, _ = chain(Source("one", lambda: Denied("me")), Source("two", lambda: Fixed("other")))
    with pytest.raises(errors.PermissionDeniedError):
        held.access_token(endpoint, READ)


def test_nobody_only_reads(serve, http) -> None:
    server = serve(lambda sent: answer(200, b'{"access_token":"t"}'), forever=True)
    held, _ = chain(anonymous_source())
    endpoint = TokenEndpoint("r.example", server.url, http)
    with pytest.raises(errors.SignInError, match="Only reading"):
        held.access_token(endpoint, WRITE)
    assert server.requests == []
    assert held.access_token(endpoint, READ) == "t"
    assert b"username" not in server.requests[0].body
