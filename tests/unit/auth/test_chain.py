"""Which of several sign-ins is used, and the error if none works."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from azext_acrartifact import errors
from azext_acrartifact.auth.chain import ChainCredential, NotConfiguredError, Source, anonymous_source
from azext_acrartifact.auth.credentials import EntraCredential, EntraToken, PasswordCredential
from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.transport.authorization import METADATA_READ, PULL, PUSH, Scope
from tests.support.server import respond
from tests.unit.auth.tokens import refusal

READ = [Scope.of("a", PULL, METADATA_READ)]
WRITE = [Scope.of("a", PULL, PUSH)]


class Fixed:
    """A credential that returns its name as a token until it *fails*."""

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
    notices: list[str] = []
    return ChainCredential(sources, notices.append), notices


@pytest.fixture
def endpoint(serve, http) -> TokenEndpoint:
    return TokenEndpoint("r.example", serve(lambda sent: refusal(401, "no"), forever=True).url, http)


def test_the_first_that_works_is_used(endpoint: TokenEndpoint) -> None:
    chained, notices = chain(absent("one"), Source("two", lambda: Fixed("me")), Source("three", lambda: Fixed("other")))
    assert chained.name == "no identity"
    assert [chained.access_token(endpoint, WRITE) for _ in range(3)] == ["me"] * 3
    assert notices == ["Skipped one: Nothing here: one is absent", "Signed in with two, as me"]
    assert chained.name == "me"


def test_a_sign_in_is_named_once(endpoint: TokenEndpoint) -> None:
    chained, notices = chain(Source("the login", lambda: Fixed("the login (me)")))
    chained.access_token(endpoint, WRITE)
    assert notices == ["Signed in with the login (me)"]


def test_the_next_is_used_after_a_later_failure(endpoint: TokenEndpoint) -> None:
    first = Fixed("me")
    chained, notices = chain(Source("one", lambda: first), Source("two", lambda: Fixed("other")))
    assert chained.access_token(endpoint, WRITE) == "me"
    first.fails = True
    assert [chained.access_token(endpoint, WRITE) for _ in range(2)] == ["other"] * 2
    assert notices[1:] == ["Skipped one: Refused: me is gone", "Signed in with two, as other"]


def test_the_error_is_that_of_the_sign_in_that_exists(endpoint: TokenEndpoint) -> None:
    broken, other = Fixed("me"), Fixed("other")
    broken.fails = other.fails = True
    chained, notices = chain(
        absent("one"), Source("two", lambda: broken), Source("three", lambda: other), anonymous_source()
    )
    with pytest.raises(errors.SignInError) as caught:
        chained.access_token(endpoint, READ)
    assert caught.value.what == "Refused"
    assert caught.value.hint == "Come back"
    assert caught.value.why == (
        "me is gone; three: other is gone; anonymous access: r.example does not allow anonymous pull"
    )
    assert len(notices) == 4


def test_the_identity_in_use_is_reported_with_the_failed_ones(endpoint: TokenEndpoint) -> None:
    first, used = Fixed("me"), list[tuple[str, list[str]]]()
    first.fails = True
    chained = ChainCredential(
        [absent("one"), Source("two", lambda: first), Source("three", lambda: Fixed("other"))],
        lambda text: None,
        lambda credential, failed: used.append((credential.name, [error.why for error in failed])),
    )
    for _ in range(2):
        chained.access_token(endpoint, READ)
    assert used == [("other", ["me is gone"])]


def test_the_error_is_passed_through_once_none_is_left(endpoint: TokenEndpoint) -> None:
    def refused(error: errors.SignInError) -> errors.SignInError:
        return errors.SignInError(error.what, hint="Give the server")

    chained = ChainCredential([absent("one")], lambda text: None, refused=refused)
    with pytest.raises(errors.SignInError) as caught:
        chained.access_token(endpoint, READ)
    assert caught.value.hint == "Give the server"


def test_without_any_sign_in_the_first_source_is_named(endpoint: TokenEndpoint) -> None:
    chained, _ = chain(absent("one"), absent("two"))
    with pytest.raises(errors.SignInError, match="one is absent") as caught:
        chained.access_token(endpoint, READ)
    assert caught.value.hint == "Make one"


@pytest.mark.parametrize(
    ("scopes", "what"), [(READ, "r.example does not allow anonymous pull"), (WRITE, "only reading works without")]
)
def test_with_anonymous_access_alone_the_user_is_not_signed_in(endpoint: TokenEndpoint, scopes, what: str) -> None:
    chained, _ = chain(absent("one"), absent("two"), anonymous_source())
    with pytest.raises(errors.SignInError, match=f"^You are not signed in, and {what}") as caught:
        chained.access_token(endpoint, scopes)
    assert caught.value.hint == "Run: az login"


def test_a_missing_permission_is_final(endpoint: TokenEndpoint) -> None:
    class Denied(Fixed):
        def access_token(self, endpoint: TokenEndpoint, scopes: Sequence[Scope]) -> str:
            raise errors.PermissionDeniedError("No permission")

    chained, _ = chain(Source("one", lambda: Denied("me")), Source("two", lambda: Fixed("other")))
    with pytest.raises(errors.PermissionDeniedError):
        chained.access_token(endpoint, READ)


def test_anonymous_access_is_for_reads_only(serve, http) -> None:
    server = serve(lambda sent: respond(200, b'{"access_token":"t"}'), forever=True)
    chained, _ = chain(anonymous_source())
    endpoint = TokenEndpoint("r.example", server.url, http)
    with pytest.raises(errors.SignInError, match="Only reading"):
        chained.access_token(endpoint, WRITE)
    assert server.requests == []
    assert chained.access_token(endpoint, READ) == "t"
    assert b"username" not in server.requests[0].body


@pytest.mark.parametrize(
    "sources",
    [
        [anonymous_source()],
        [absent("one"), Source("two", lambda: PasswordCredential("me", "secret")), anonymous_source()],
        [Source("two", lambda: EntraCredential(lambda audience: EntraToken("a.b.c"), ["https://a.example"]))],
    ],
)
def test_an_error_of_the_registry_keeps_its_correlation_id(serve, http, sources: list[Source]) -> None:
    server = serve(lambda sent: respond(401, X_Ms_Correlation_Request_Id="guid-1"), forever=True)
    with pytest.raises(errors.SignInError) as caught:
        chain(*sources)[0].access_token(TokenEndpoint("r.example", server.url, http), READ)
    assert caught.value.message.endswith("(correlation id guid-1)")
