"""Access tokens: requested by scope, reused, and renewed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from azext_acrartifact import errors
from azext_acrartifact.auth.credentials import PasswordCredential
from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.auth.tokens import TokenAuthorizer
from azext_acrartifact.transport.authorization import DELETE, METADATA_READ, PULL, PUSH, Scope
from tests.support.server import respond
from tests.unit.auth.tokens import unauthorized

READ = Scope.of("a", PULL)
WRITE = Scope.of("a", PULL, PUSH)


@pytest.fixture
def authorizer(endpoint: TokenEndpoint) -> TokenAuthorizer:
    return TokenAuthorizer(endpoint, PasswordCredential("me", "secret"))


def test_a_token_is_reused_for_the_actions_it_was_requested_for(authorizer, issuer) -> None:
    first = authorizer.authorization(WRITE)
    assert first is not None
    assert first.startswith("Bearer ")
    assert authorizer.authorization(READ) == authorizer.authorization(WRITE) == first
    assert len(issuer.forms) == 1


def test_more_actions_are_requested_together_with_the_old_ones(authorizer, issuer) -> None:
    authorizer.authorization(READ)
    authorizer.authorization(Scope.of("a", DELETE))
    authorizer.authorization(READ)
    assert [form["scope"] for _, form in issuer.forms] == ["repository:a:pull", "repository:a:delete,pull"]


def test_each_repository_has_its_own_token(authorizer, issuer) -> None:
    authorizer.authorization(READ)
    authorizer.authorization(Scope.of("b", PULL))
    assert [form["scope"] for _, form in issuer.forms] == ["repository:a:pull", "repository:b:pull"]


def test_an_action_that_was_not_granted_is_refused_without_a_request(authorizer, issuer) -> None:
    issuer.granted = ("pull",)
    for _ in range(2):
        with pytest.raises(errors.PermissionDeniedError, match="user 'me' may not push here") as caught:
            authorizer.authorization(WRITE)
    assert caught.value.hint == "Ask the registry's owner to add content/write to the scope map of the token."
    assert caught.value.where == "myregistry.azurecr.io/a"
    assert authorizer.authorization(READ)
    assert len(issuer.forms) == 1


def test_the_registry_decides_about_metadata(authorizer, issuer) -> None:
    issuer.granted = ("pull",)
    assert authorizer.authorization(Scope.of("a", PULL, METADATA_READ))


def test_an_opaque_token_is_assumed_to_grant_everything(serve, http) -> None:
    server = serve(respond(200, b'{"access_token":"opaque"}'))
    authorizer = TokenAuthorizer(TokenEndpoint("r", server.url, http), PasswordCredential("me", "x"))
    assert authorizer.authorization(WRITE) == authorizer.authorization(READ) == "Bearer opaque"


def test_eight_threads_make_one_request(authorizer, issuer) -> None:
    issuer.delay = 0.05
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(authorizer.authorization, [WRITE] * 8))
    assert (len(found), len(set(found)), len(issuer.forms)) == (8, 1, 1)


@pytest.mark.parametrize(
    ("seconds", "usable"), [(3600, 3300), (700, 400), (601, 301), (500, 400), (100, 80), (-5, 48), (0.5, 0.4)]
)
def test_a_token_is_renewed_in_time(endpoint, issuer, seconds, usable) -> None:
    now = [1000.0]
    authorizer = TokenAuthorizer(endpoint, PasswordCredential("me", "secret"), lambda: now[0])
    issuer.seconds = seconds
    authorizer.authorization(READ)
    now[0] += usable * 0.98
    authorizer.authorization(READ)
    assert len(issuer.forms) == 1
    now[0] += usable * 0.04
    authorizer.authorization(READ)
    assert len(issuer.forms) == 2


def test_one_fresh_token_serves_everyone_after_a_401(authorizer, issuer) -> None:
    refused = authorizer.authorization(WRITE)
    fresh = authorizer.renew(WRITE, refused, unauthorized())
    assert fresh != refused
    assert authorizer.renew(WRITE, refused, unauthorized()) == fresh
    assert authorizer.authorization(WRITE) == fresh
    assert len(issuer.forms) == 2


def test_a_401_before_any_token_requests_one(authorizer, issuer) -> None:
    assert authorizer.renew(READ, None, unauthorized())
    assert len(issuer.forms) == 1


def test_insufficient_scope_is_final(authorizer, issuer) -> None:
    refused = authorizer.authorization(WRITE)
    with pytest.raises(errors.PermissionDeniedError, match="may not pull or push") as caught:
        authorizer.renew(WRITE, refused, unauthorized('Bearer realm="x",error="insufficient_scope"'))
    assert (caught.value.correlation_id, caught.value.status) == ("guid-1", 401)
    assert len(issuer.forms) == 1


def asks(actions: str, repository: str = "a") -> str:
    return f'Bearer realm="x",scope="repository:{repository}:{actions}",error="insufficient_scope"'


def test_another_right_to_read_is_requested_once(authorizer, issuer) -> None:
    issuer.granted = ("pull", "metadata_read")
    refused = authorizer.authorization(READ)
    more = authorizer.renew(READ, refused, unauthorized(asks("metadata_read,push")))
    assert more != refused
    assert [form["scope"] for _, form in issuer.forms] == ["repository:a:pull", "repository:a:metadata_read,pull"]
    # Another thread was refused as well, and has not tried the new one.
    assert authorizer.renew(READ, refused, unauthorized(asks("metadata_read"))) == more
    with pytest.raises(errors.PermissionDeniedError, match="may not list tags here"):
        authorizer.renew(READ, more, unauthorized(asks("metadata_read")))
    assert len(issuer.forms) == 2


def test_a_right_to_read_that_is_not_granted_is_named(authorizer, issuer) -> None:
    issuer.granted = ("pull",)
    refused = authorizer.authorization(READ)
    with pytest.raises(errors.PermissionDeniedError, match="may not list tags here") as caught:
        authorizer.renew(READ, refused, unauthorized(asks("pull,metadata_read")))
    assert "add metadata/read to the scope map" in caught.value.hint
    assert caught.value.correlation_id == "guid-1"


@pytest.mark.parametrize(
    ("challenge", "missing"),
    [
        (asks("push,delete"), "delete manifests"),
        (asks("pull,x" * 50, "b"), "pull or push"),
        (asks("\x1b[2J"), "pull or push"),
    ],
)
def test_no_right_to_write_is_requested_as_the_registry_asks(authorizer, issuer, challenge: str, missing: str) -> None:
    refused = authorizer.authorization(WRITE)
    with pytest.raises(errors.PermissionDeniedError, match=f"may not {missing} here"):
        authorizer.renew(WRITE, refused, unauthorized(challenge))
    assert len(issuer.forms) == 1


def test_a_renewed_token_without_an_action_is_refused(authorizer, issuer) -> None:
    refused = authorizer.authorization(WRITE)
    issuer.granted = ("pull",)
    with pytest.raises(errors.PermissionDeniedError):
        authorizer.renew(WRITE, refused, unauthorized())
