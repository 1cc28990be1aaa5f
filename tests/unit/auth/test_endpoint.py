"""ACR's token endpoints: the forms that are sent, and their responses."""

from __future__ import annotations

import pytest

from azext_acrartifact import errors
from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.transport.authorization import PULL, PUSH, Scope
from tests.support.server import RawResponse, respond
from tests.unit.auth.tokens import refusal

READ = Scope.of("a", PULL)
WRITE = Scope.of("a", PULL, PUSH)


@pytest.mark.parametrize("login", [("me", "\ud800"), ("\udcff", "secret")])
def test_a_lone_surrogate_is_refused(endpoint, issuer, login: tuple[str, str]) -> None:
    with pytest.raises(errors.SignInError, match="not valid UTF-8"):
        endpoint.with_password(*login, [READ])
    assert issuer.forms == []


def test_without_scopes_none_is_requested(serve, http) -> None:
    server = serve(respond(200, b'{"access_token":"t"}'))
    assert TokenEndpoint("r", server.url, http).with_password("me", "secret", []) == "t"
    assert b"scope" not in server.requests[0].body


def test_forms_name_the_service_and_the_scopes(endpoint, issuer) -> None:
    endpoint.exchange("entra token&=", "tenant")
    endpoint.exchange("entra", None)
    endpoint.redeem("refresh", [WRITE])
    endpoint.with_password("u&ser", "p=ss ü", [READ])
    exchange = {"service": "myregistry.azurecr.io", "grant_type": "access_token"}
    refresh = {"grant_type": "refresh_token", "refresh_token": "refresh", "scope": "repository:a:pull,push"}
    password = {"grant_type": "password", "username": "u&ser", "password": "p=ss ü", "scope": "repository:a:pull"}
    assert issuer.forms == [
        ("/oauth2/exchange", {**exchange, "access_token": "entra token&=", "tenant": "tenant"}),
        ("/oauth2/exchange", {**exchange, "access_token": "entra"}),
        ("/oauth2/token", {"service": "myregistry.azurecr.io", **refresh}),
        ("/oauth2/token", {"service": "myregistry.azurecr.io", **password}),
    ]


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        (refusal(400, "the tenant is wrong", "BAD"), errors.SignInError, "the tenant is wrong"),
        (refusal(401, "authentication required"), errors.SignInError, "authentication required"),
        (respond(401, b"<html>"), errors.SignInError, "status 401"),
        (refusal(403, "client with IP '1.2.3.4' is not allowed access.", "DENIED"), errors.NetworkRuleError, "1.2.3.4"),
        (respond(404), errors.NotFoundError, "status 404"),
        (respond(429, Retry_After="3600"), errors.ThrottledError, "status 429"),
        (respond(307, Location="https://evil.example/"), errors.ProtocolError, "unexpected status 307"),
        (respond(200, b"<html>"), errors.ProtocolError, "not JSON"),
        (respond(200, b"[" * 100_000), errors.ProtocolError, "not JSON"),
        *[
            (respond(200, body), errors.ProtocolError, "has no token")
            for body in (
                b"[]", b"{}", b'{"access_token":null}', b'{"access_token":5}', b'{"access_token":""}',
                b'{"access_token":"a\\r\\nX-Injected: 1"}', b'{"access_token":"a\\n"}', '{"access_token":"ü"}'.encode(),
                b'{"access_token":"\\ud800"}',
            )
        ],
        (RawResponse(respond(200, b" " * (1024 * 1024 + 1)).raw, "close"), errors.ProtocolError, "too long"),
    ],
)  # fmt: skip
def test_any_other_response_is_an_error_without_secrets(serve, http, given, kind, words) -> None:
    server = serve(given)
    with pytest.raises(kind, match=words) as caught:
        TokenEndpoint("r", server.url, http).with_password("me", "s3cret", [READ])
    assert "s3cret" not in caught.value.message + caught.value.hint + repr(caught.value)
    assert len(server.requests) == 1


def test_a_busy_server_is_retried(serve, http) -> None:
    server = serve(respond(503), respond(200, b'{"access_token":"t"}'))
    assert TokenEndpoint("r", server.url, http).redeem("r", [READ]) == "t"


def test_the_owner_gets_the_whole_command_for_anonymous_access(serve, http) -> None:
    server = serve(refusal(401, "no"))
    with pytest.raises(errors.SignInError) as caught:
        TokenEndpoint("myregistry-a1b2.azurecr.io", server.url, http).anonymous([READ])
    assert caught.value.hint.endswith("az acr update --name myregistry --anonymous-pull-enabled true")
