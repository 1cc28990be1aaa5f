"""Sign-in by challenge, for registries that are not ACR."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import pytest

from azext_acrartifact import errors
from azext_acrartifact.auth.distribution import ChallengeAuthorizer
from azext_acrartifact.transport.authorization import PULL, Scope
from azext_acrartifact.transport.messages import Response
from tests.support.server import ScriptedServer, respond
from tests.unit.auth.tokens import unauthorized

READ = Scope.of("a", PULL)


def bearer(server: ScriptedServer, realm: str = "/token?x=1") -> Response:
    return unauthorized(f'Bearer realm="{realm}",service="reg",scope="repository:evil:*"', f"{server.url}/v2/a")


@pytest.fixture
def make(http) -> Callable[..., ChallengeAuthorizer]:
    return lambda server, login=None: ChallengeAuthorizer(server.url, http, login)


def test_nothing_is_sent_before_a_challenge(serve, make) -> None:
    assert make(serve(), ("me", "secret")).authorization(READ) is None


def test_a_bearer_token_is_requested_for_the_callers_scope(serve, make) -> None:
    server = serve(respond(200, b'{"token":"t"}'))
    authorizer = make(server, ("me", "se:cret"))
    assert authorizer.renew(READ, None, bearer(server)) == "Bearer t"
    assert authorizer.authorization(READ) == "Bearer t"
    assert authorizer.renew(READ, "Bearer old", bearer(server)) == "Bearer t"
    (sent,) = server.requests
    assert sent.target == "/token?x=1&service=reg&scope=repository%3Aa%3Apull"
    assert sent.headers["authorization"] == "Basic " + b64encode(b"me:se:cret").decode()


def test_without_a_login_the_token_is_anonymous(serve, make) -> None:
    server = serve(respond(200, b'{"access_token":"t"}'))
    assert make(server).renew(READ, None, bearer(server, "/token")) == "Bearer t"
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    "realm", ["https://evil.example/token", "//evil.example/", "http://127.0.0.1:1/", "http://[::1"]
)
def test_nothing_is_sent_to_a_realm_on_another_host(serve, make, realm: str) -> None:
    server = serve()
    with pytest.raises(errors.ProtocolError):
        make(server, ("me", "secret")).renew(READ, None, bearer(server, realm))


def test_a_lone_surrogate_is_refused(serve, make) -> None:
    with pytest.raises(errors.SignInError, match="not valid UTF-8"):
        make(serve(), ("me", "\udcff")).renew(READ, None, unauthorized("Basic"))


def test_basic_sends_the_login(serve, make) -> None:
    server = serve()
    challenge = unauthorized('Basic realm="x"')
    value = make(server, ("me", "secret")).renew(READ, None, challenge)
    assert value == "Basic " + b64encode(b"me:secret").decode()
    with pytest.raises(errors.SignInError, match="user name and password"):
        make(server).renew(READ, None, challenge)


def test_other_challenges_are_unsupported(serve, make) -> None:
    for challenge in ("", "Negotiate", "Digest realm=x"):
        with pytest.raises(errors.SignInError, match="unsupported"):
            make(serve(), ("me", "secret")).renew(READ, None, unauthorized(challenge))


def test_insufficient_scope_is_final(serve, make) -> None:
    server = serve()
    with pytest.raises(errors.PermissionDeniedError):
        make(server).renew(READ, "Bearer t", unauthorized('Bearer realm="/t",error="insufficient_scope"'))


def test_a_refused_token_is_an_error(serve, make) -> None:
    server = serve(respond(401), respond(500, b""))
    with pytest.raises(errors.SignInError):
        make(server).renew(READ, None, bearer(server))
