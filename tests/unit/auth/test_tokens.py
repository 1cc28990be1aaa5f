"""Signing in: exchange, redeem, renew, and everything that an endpoint may answer."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Callable

import pytest

from azext_acrartifact import errors
from azext_acrartifact.auth import tokens
from azext_acrartifact.auth.claims import claims_of
from azext_acrartifact.auth.credentials import REFRESH_TOKEN_USER, EntraCredential, EntraToken, PasswordCredential
from azext_acrartifact.auth.distribution import ChallengeAuthorizer
from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.auth.tokens import TokenAuthorizer
from azext_acrartifact.transport.authorization import DELETE, METADATA_READ, PULL, PUSH, Scope
from azext_acrartifact.transport.messages import Headers, Request, Response
from tests.support.server import Answer, ScriptedServer, answer
from tests.unit.auth.tokens import Issuer, jwt, refusal

READ = Scope.of("a", PULL)
WRITE = Scope.of("a", PULL, PUSH)


class Nothing:
    """An answer's body that is read by nobody."""

    def readinto(self, buffer: memoryview) -> int:
        return 0

    def close(self) -> None:
        pass


def unauthorized(challenge: str = 'Bearer realm="x"', where: str = "https://r.example/v2/a") -> Response:
    fields = Headers([("WWW-Authenticate", challenge), ("X-Ms-Correlation-Request-Id", "guid-1")])
    return Response(Request("GET", where), 401, fields, Nothing())


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def endpoint(serve, http, issuer: Issuer) -> TokenEndpoint:
    server = serve(issuer, forever=True)
    return TokenEndpoint("myregistry.azurecr.io", server.url, http)


@pytest.fixture
def authorizer(endpoint: TokenEndpoint) -> TokenAuthorizer:
    return TokenAuthorizer(endpoint, PasswordCredential("me", "secret"))


class TestEndpoint:
    @pytest.mark.parametrize("login", [("me", "\ud800"), ("\udcff", "secret")])
    def test_what_cannot_be_sent_is_refused(self, endpoint, issuer, login: tuple[str, str]) -> None:
        with pytest.raises(errors.SignInError, match="not text in UTF-8"):
            endpoint.with_password(*login, [READ])
        assert issuer.forms == []

    def test_without_scopes_none_is_asked_for(self, serve, http) -> None:
        server = serve(answer(200, b'{"access_token":"t"}'))
        assert TokenEndpoint("r", server.url, http).with_password("me", "secret", []) == "t"
        assert b"scope" not in server.requests[0].body

    def test_forms_name_the_service_and_the_scopes(self, endpoint, issuer) -> None:
        endpoint.exchange("entra token&=", "tenant")
        endpoint.exchange("entra", None)
        endpoint.redeem("refresh", [WRITE])
        endpoint.with_password("u&ser", "p=ss ü", [READ])
        service = {"service": "myregistry.azurecr.io"}
        assert issuer.forms == [
            (
                "/oauth2/exchange",
                {**service, "grant_type": "access_token", "access_token": "entra token&=", "tenant": "tenant"},
            ),
            ("/oauth2/exchange", {**service, "grant_type": "access_token", "access_token": "entra"}),
            (
                "/oauth2/token",
                {
                    **service,
                    "grant_type": "refresh_token",
                    "refresh_token": "refresh",
                    "scope": "repository:a:pull,push",
                },
            ),
            (
                "/oauth2/token",
                {
                    **service,
                    "grant_type": "password",
                    "username": "u&ser",
                    "password": "p=ss ü",
                    "scope": "repository:a:pull",
                },
            ),
        ]

    @pytest.mark.parametrize(
        ("given", "kind", "words"),
        [
            (refusal(400, "the tenant is wrong", "BAD"), errors.SignInError, "the tenant is wrong"),
            (refusal(401, "authentication required"), errors.SignInError, "authentication required"),
            (answer(401, b"<html>"), errors.SignInError, "status 401"),
            (
                refusal(403, "client with IP '1.2.3.4' is not allowed access.", "DENIED"),
                errors.NetworkRuleError,
                "1.2.3.4",
            ),
            (answer(404), errors.NotFoundError, "status 404"),
            (answer(429, Retry_After="3600"), errors.ThrottledError, "status 429"),
            (answer(307, Location="https://evil.example/"), errors.ProtocolError, "unexpected status 307"),
            (answer(200, b"<html>"), errors.ProtocolError, "not JSON"),
            (answer(200, b"[" * 100_000), errors.ProtocolError, "not JSON"),
            (answer(200, b"[]"), errors.ProtocolError, "holds no token"),
            (answer(200, b"{}"), errors.ProtocolError, "holds no token"),
            (answer(200, b'{"access_token":null}'), errors.ProtocolError, "holds no token"),
            (answer(200, b'{"access_token":5}'), errors.ProtocolError, "holds no token"),
            (answer(200, b'{"access_token":""}'), errors.ProtocolError, "holds no token"),
            (answer(200, b'{"access_token":"a\\r\\nX-Injected: 1"}'), errors.ProtocolError, "holds no token"),
            (answer(200, b'{"access_token":"a\\n"}'), errors.ProtocolError, "holds no token"),
            (answer(200, '{"access_token":"ü"}'.encode()), errors.ProtocolError, "holds no token"),
            (answer(200, b'{"access_token":"\\ud800"}'), errors.ProtocolError, "holds no token"),
            (Answer(answer(200, b" " * (1024 * 1024 + 1)).raw, "close"), errors.ProtocolError, "too long"),
        ],
    )
    def test_every_other_answer_is_an_error_without_a_secret(self, serve, http, given, kind, words) -> None:
        server = serve(given)
        with pytest.raises(kind, match=words) as caught:
            TokenEndpoint("r", server.url, http).with_password("me", "s3cret", [READ])
        assert "s3cret" not in caught.value.message + caught.value.hint + repr(caught.value)
        assert len(server.requests) == 1

    def test_a_server_that_is_busy_is_asked_again(self, serve, http) -> None:
        server = serve(answer(503), answer(200, b'{"access_token":"t"}'))
        assert TokenEndpoint("r", server.url, http).redeem("r", [READ]) == "t"


class TestEntra:
    @staticmethod
    def credential(*audiences: str, fail: tuple[str, ...] = ()) -> tuple[EntraCredential, list[str]]:
        asked: list[str] = []

        def get_token(audience: str) -> EntraToken:
            asked.append(audience)
            if audience in fail:
                raise errors.SignInError(
                    "No token", why=f"{audience} is not a supported audience", hint="Run: az login"
                )
            return EntraToken(f"entra-{audience}", "tenant")

        return EntraCredential(get_token, audiences), asked

    def test_the_refresh_token_is_exchanged_for_once(self, endpoint, issuer) -> None:
        credential, asked = self.credential("acr", "arm")
        for _ in range(3):
            credential.access_token(endpoint, [READ])
        assert asked == ["acr"]
        assert [path for path, _ in issuer.forms] == ["/oauth2/exchange"] + ["/oauth2/token"] * 3

    def test_the_next_audience_is_tried_when_no_token_is_to_be_had(self, endpoint, issuer) -> None:
        credential, asked = self.credential("acr", "arm", fail=("acr",))
        credential.access_token(endpoint, [READ])
        assert asked == ["acr", "arm"]
        assert issuer.forms[0][1]["access_token"] == "entra-arm"

    def test_the_next_audience_is_tried_when_the_registry_refuses(self, endpoint, issuer) -> None:
        credential, asked = self.credential("acr", "arm")
        issuer.refused["entra-acr"] = "no"
        credential.access_token(endpoint, [READ])
        assert asked == ["acr", "arm"]

    def test_both_reasons_are_reported(self, endpoint, issuer) -> None:
        credential, _ = self.credential("acr", "arm", fail=("acr",))
        issuer.refused["entra-arm"] = "ARM tokens are disabled"
        with pytest.raises(errors.SignInError) as caught:
            credential.access_token(endpoint, [READ])
        assert "acr: acr is not a supported audience" in caught.value.why
        assert "arm: ARM tokens are disabled" in caught.value.why
        assert caught.value.hint == "Run: az login"
        assert caught.value.where == "myregistry.azurecr.io"

    def test_a_refresh_token_that_is_not_taken_is_exchanged_anew_once(self, endpoint, issuer) -> None:
        credential, asked = self.credential("acr")
        credential.access_token(endpoint, [READ])
        issuer.taken.add("refresh-1")
        credential.access_token(endpoint, [READ])
        assert asked == ["acr", "acr"]
        issuer.taken.update(f"refresh-{number}" for number in range(20))
        with pytest.raises(errors.SignInError, match="not known any more"):
            credential.access_token(endpoint, [READ])
        assert asked == ["acr"] * 3

    def test_a_firewall_is_not_a_reason_to_try_another_audience(self, serve, http) -> None:
        server = serve(refusal(403, "client with IP '1' is not allowed access", "DENIED"))
        credential, asked = self.credential("acr", "arm")
        with pytest.raises(errors.NetworkRuleError):
            credential.access_token(TokenEndpoint("r", server.url, http), [READ])
        assert asked == ["acr"]

    def test_a_token_is_not_shown(self) -> None:
        assert "secret" not in repr(EntraToken("secret", "tenant"))


class TestPassword:
    def test_the_all_zero_user_has_a_refresh_token(self, endpoint, issuer) -> None:
        PasswordCredential(REFRESH_TOKEN_USER, "refresh").access_token(endpoint, [READ])
        assert issuer.forms[0][1]["grant_type"] == "refresh_token"
        assert issuer.forms[0][1]["refresh_token"] == "refresh"

    def test_anybody_else_has_a_password(self, endpoint, issuer) -> None:
        credential = PasswordCredential("me", "secret")
        credential.access_token(endpoint, [READ])
        assert issuer.forms[0][1]["grant_type"] == "password"
        assert credential.name == "user 'me'"
        assert "secret" not in repr(credential)


class TestAuthorizer:
    def test_a_token_is_kept_for_what_it_was_asked_for(self, authorizer, issuer) -> None:
        first = authorizer.authorization(WRITE)
        assert first is not None
        assert first.startswith("Bearer ")
        assert authorizer.authorization(READ) == authorizer.authorization(WRITE) == first
        assert len(issuer.forms) == 1

    def test_more_actions_are_asked_for_together_with_the_old_ones(self, authorizer, issuer) -> None:
        authorizer.authorization(READ)
        authorizer.authorization(Scope.of("a", DELETE))
        authorizer.authorization(READ)
        assert [form["scope"] for _, form in issuer.forms] == ["repository:a:pull", "repository:a:delete,pull"]

    def test_each_repository_has_its_own(self, authorizer, issuer) -> None:
        authorizer.authorization(READ)
        authorizer.authorization(Scope.of("b", PULL))
        assert [form["scope"] for _, form in issuer.forms] == ["repository:a:pull", "repository:b:pull"]

    def test_what_was_not_granted_is_known_before_it_is_used(self, authorizer, issuer) -> None:
        issuer.granted = ("pull",)
        for _ in range(2):
            with pytest.raises(errors.PermissionDeniedError, match="user 'me' may not push here") as caught:
                authorizer.authorization(WRITE)
        assert "AcrPush or Container Registry Repository Writer to push" in caught.value.hint
        assert caught.value.where == "myregistry.azurecr.io/a"
        assert authorizer.authorization(READ)
        assert len(issuer.forms) == 1

    def test_metadata_is_the_registrys_decision(self, authorizer, issuer) -> None:
        issuer.granted = ("pull",)
        assert authorizer.authorization(Scope.of("a", PULL, METADATA_READ))

    def test_a_token_that_says_nothing_is_believed(self, serve, http) -> None:
        server = serve(answer(200, b'{"access_token":"opaque"}'))
        authorizer = TokenAuthorizer(TokenEndpoint("r", server.url, http), PasswordCredential("me", "x"))
        assert authorizer.authorization(WRITE) == authorizer.authorization(READ) == "Bearer opaque"

    def test_eight_threads_make_one_request(self, authorizer, issuer) -> None:
        issuer.delay = 0.05
        found: list[str | None] = []
        threads = [threading.Thread(target=lambda: found.append(authorizer.authorization(WRITE))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(found), len(set(found)), len(issuer.forms)) == (8, 1, 1)

    @pytest.mark.parametrize(
        ("seconds", "good_for"), [(3600, 3300), (700, 400), (601, 301), (500, 400), (100, 80), (-5, 48), (0.5, 0.4)]
    )
    def test_a_token_is_renewed_in_time(self, authorizer, issuer, seconds, good_for, monkeypatch) -> None:
        now = [1000.0]
        monkeypatch.setattr(tokens.time, "monotonic", lambda: now[0])
        issuer.seconds = seconds
        authorizer.authorization(READ)
        now[0] += good_for * 0.98
        authorizer.authorization(READ)
        assert len(issuer.forms) == 1
        now[0] += good_for * 0.04
        authorizer.authorization(READ)
        assert len(issuer.forms) == 2

    def test_a_401_brings_one_fresh_token_for_all_who_met_it(self, authorizer, issuer) -> None:
        refused = authorizer.authorization(WRITE)
        fresh = authorizer.renew(WRITE, refused, unauthorized())
        assert fresh != refused
        assert authorizer.renew(WRITE, refused, unauthorized()) == fresh
        assert authorizer.authorization(WRITE) == fresh
        assert len(issuer.forms) == 2

    def test_a_401_before_any_token_brings_one(self, authorizer, issuer) -> None:
        assert authorizer.renew(READ, None, unauthorized())
        assert len(issuer.forms) == 1

    def test_insufficient_scope_is_final(self, authorizer, issuer) -> None:
        refused = authorizer.authorization(WRITE)
        with pytest.raises(errors.PermissionDeniedError, match="may not pull and push") as caught:
            authorizer.renew(WRITE, refused, unauthorized('Bearer realm="x",error="insufficient_scope"'))
        assert (caught.value.correlation_id, caught.value.status) == ("guid-1", 401)
        assert len(issuer.forms) == 1

    def test_a_renewed_token_that_lost_a_right_is_denied(self, authorizer, issuer) -> None:
        refused = authorizer.authorization(WRITE)
        issuer.granted = ("pull",)
        with pytest.raises(errors.PermissionDeniedError):
            authorizer.renew(WRITE, refused, unauthorized())


class TestDistribution:
    """Registries that are not ACR."""

    @staticmethod
    def bearer(server: ScriptedServer, realm: str = "/token?x=1") -> Response:
        return unauthorized(f'Bearer realm="{realm}",service="reg",scope="repository:evil:*"', f"{server.url}/v2/a")

    @pytest.fixture
    def make(self, http) -> Callable[..., ChallengeAuthorizer]:
        return lambda server, login=None: ChallengeAuthorizer(server.url, http, login)

    def test_nothing_is_sent_until_it_is_asked_for(self, serve, make) -> None:
        assert make(serve(), ("me", "secret")).authorization(READ) is None

    def test_a_bearer_token_is_asked_for_our_own_scope(self, serve, make) -> None:
        server = serve(answer(200, b'{"token":"t"}'))
        authorizer = make(server, ("me", "se:cret"))
        assert authorizer.renew(READ, None, self.bearer(server)) == "Bearer t"
        assert authorizer.authorization(READ) == "Bearer t"
        assert authorizer.renew(READ, "Bearer old", self.bearer(server)) == "Bearer t"
        (sent,) = server.requests
        assert sent.target == "/token?x=1&service=reg&scope=repository%3Aa%3Apull"
        assert sent.headers["authorization"] == "Basic " + b64encode(b"me:se:cret").decode()

    def test_without_a_login_the_token_is_anonymous(self, serve, make) -> None:
        server = serve(answer(200, b'{"access_token":"t"}'))
        assert make(server).renew(READ, None, self.bearer(server, "/token")) == "Bearer t"
        assert "authorization" not in server.requests[0].headers

    @pytest.mark.parametrize(
        "realm", ["https://evil.example/token", "//evil.example/", "http://127.0.0.1:1/", "http://[::1"]
    )
    def test_another_host_gets_nothing(self, serve, make, realm: str) -> None:
        server = serve()
        with pytest.raises(errors.ProtocolError):
            make(server, ("me", "secret")).renew(READ, None, self.bearer(server, realm))

    def test_a_login_that_cannot_be_sent_is_refused(self, serve, make) -> None:
        with pytest.raises(errors.SignInError, match="not text in UTF-8"):
            make(serve(), ("me", "\udcff")).renew(READ, None, unauthorized("Basic"))

    def test_basic_is_answered_with_the_login(self, serve, make) -> None:
        server = serve()
        challenge = unauthorized('Basic realm="x"')
        value = make(server, ("me", "secret")).renew(READ, None, challenge)
        assert value == "Basic " + b64encode(b"me:secret").decode()
        with pytest.raises(errors.SignInError, match="user name and password"):
            make(server).renew(READ, None, challenge)

    def test_other_challenges_are_not_known(self, serve, make) -> None:
        for challenge in ("", "Negotiate", "Digest realm=x"):
            with pytest.raises(errors.SignInError, match="not known here"):
                make(serve(), ("me", "secret")).renew(READ, None, unauthorized(challenge))

    def test_insufficient_scope_is_final(self, serve, make) -> None:
        server = serve()
        with pytest.raises(errors.PermissionDeniedError):
            make(server).renew(READ, "Bearer t", unauthorized('Bearer realm="/t",error="insufficient_scope"'))

    def test_a_refused_token_is_an_error(self, serve, make) -> None:
        server = serve(answer(401), answer(500, b""))
        with pytest.raises(errors.SignInError):
            make(server).renew(READ, None, self.bearer(server))


def test_tokens_of_the_tests_are_read() -> None:
    assert claims_of(jwt())["access"][0]["Name"] == "a"
