"""Credentials: Entra tokens by audience, and passwords."""

from __future__ import annotations

import time

import pytest

from azext_acrartifact import errors
from azext_acrartifact.auth import credentials
from azext_acrartifact.auth.credentials import EntraCredential, EntraToken, PasswordCredential
from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.transport.authorization import PULL, Scope
from tests.unit.auth.tokens import jwt, refusal

READ = Scope.of("a", PULL)


def entra(*audiences: str, fail: tuple[str, ...] = ()) -> tuple[EntraCredential, list[str]]:
    audiences_used: list[str] = []

    def get_token(audience: str) -> EntraToken:
        audiences_used.append(audience)
        if audience in fail:
            raise errors.SignInError("No token", why=f"{audience} is not a supported audience", hint="Run: az login")
        return EntraToken(f"entra-{audience}", "tenant")

    return EntraCredential(get_token, audiences), audiences_used


def test_the_entra_token_is_exchanged_once(endpoint, issuer) -> None:
    credential, used = entra("acr", "arm")
    for _ in range(3):
        credential.access_token(endpoint, [READ])
    assert used == ["acr"]
    assert [path for path, _ in issuer.forms] == ["/oauth2/exchange"] + ["/oauth2/token"] * 3


def test_the_next_audience_is_tried_if_entra_refuses(endpoint, issuer) -> None:
    credential, used = entra("acr", "arm", fail=("acr",))
    credential.access_token(endpoint, [READ])
    assert used == ["acr", "arm"]
    assert issuer.forms[0][1]["access_token"] == "entra-arm"


def test_no_other_audience_is_sent_to_a_registry_that_refused_one(endpoint, issuer) -> None:
    credential, used = entra("acr", "arm")
    issuer.refused["entra-acr"] = "no"
    with pytest.raises(errors.SignInError, match="with a token for acr: no"):
        credential.access_token(endpoint, [READ])
    assert used == ["acr"]
    assert len(issuer.forms) == 1


ACR, ARM = "https://containerregistry.azure.net", "https://management.azure.com/"


@pytest.mark.parametrize(
    "value", [jwt(aud=ARM), jwt(aud=ARM.rstrip("/")), "", "a b", "a\r\nX: y", "t\u00f6k", "A" * (64 * 1024 + 1)]
)
def test_a_token_that_is_none_or_for_another_audience_is_not_sent(endpoint, issuer, value: str) -> None:
    def get_token(audience: str) -> EntraToken:
        if audience == ARM:
            raise errors.SignInError("No token")
        return EntraToken(value)

    with pytest.raises(errors.SignInError, match=r"another audience|not a token"):
        EntraCredential(get_token, [ACR, ARM]).login(endpoint)
    assert issuer.forms == []


def test_both_reasons_are_reported(endpoint, issuer) -> None:
    credential, _ = entra("acr", "arm", fail=("acr",))
    issuer.refused["entra-arm"] = "ARM tokens are disabled"
    with pytest.raises(errors.SignInError) as caught:
        credential.access_token(endpoint, [READ])
    assert "acr: acr is not a supported audience" in caught.value.why
    assert "arm: ARM tokens are disabled" in caught.value.why
    assert caught.value.hint == "Run: az login"
    assert caught.value.where == "myregistry.azurecr.io"


def test_a_revoked_refresh_token_is_replaced_once(endpoint, issuer) -> None:
    credential, used = entra("acr")
    credential.access_token(endpoint, [READ])
    issuer.revoked.add("refresh-1")
    credential.access_token(endpoint, [READ])
    assert used == ["acr", "acr"]
    issuer.revoked.update(f"refresh-{number}" for number in range(20))
    with pytest.raises(errors.SignInError, match="not known any more"):
        credential.access_token(endpoint, [READ])
    assert used == ["acr"] * 3


def test_after_a_firewall_error_no_other_audience_is_tried(serve, http) -> None:
    server = serve(refusal(403, "client with IP '1' is not allowed access", "DENIED"))
    credential, used = entra("acr", "arm")
    with pytest.raises(errors.NetworkRuleError):
        credential.access_token(TokenEndpoint("r", server.url, http), [READ])
    assert used == ["acr"]


def test_a_token_is_not_shown() -> None:
    assert "secret" not in repr(EntraToken("secret", "tenant"))


def test_the_password_of_the_all_zero_user_is_a_refresh_token(endpoint, issuer) -> None:
    PasswordCredential(credentials.REFRESH_TOKEN_USER, "refresh").access_token(endpoint, [READ])
    assert issuer.forms[0][1]["grant_type"] == "refresh_token"
    assert issuer.forms[0][1]["refresh_token"] == "refresh"


def test_any_other_user_has_a_password(endpoint, issuer) -> None:
    credential = PasswordCredential("me", "secret")
    credential.access_token(endpoint, [READ])
    assert issuer.forms[0][1]["grant_type"] == "password"
    assert credential.name == "user 'me'"
    assert "secret" not in repr(credential)


@pytest.mark.parametrize(
    ("message", "reason"),
    [("Please run 'az login' to setup account.", "Please run 'az login' to setup account"), ("one.\ntwo.", "one"),
     ("AADSTS7000215: Invalid secret. Trace ID: 1-2 Correlation ID: 3-4", "AADSTS7000215: Invalid secret"),
     ("Bad. Trace ID: 1-2 Correlation ID: 3-4 Timestamp: 2026-01-02 03:04:05Z", "Bad"),
     ("Bad.\r\nTrace ID: 1-2\r\nTimestamp: 2026-01-02 03:04:05Z", "Bad"),
     ("A. Timestamp: 2026-01-02 03:04:05Z. (https://b)", "A. (https://b)"),
     ("", "ValueError")],
)  # fmt: skip
def test_a_reason_can_be_part_of_a_sentence(message: str, reason: str) -> None:
    assert credentials.reason_of(ValueError(message)) == reason


@pytest.mark.parametrize("unit", [" ", "\n", "Trace ID: ", "Trace ID: a", "Timestamp: 1 ", "Correlation ID: -", "a"])
def test_a_reason_of_any_length_takes_no_time(unit: str) -> None:
    started = time.process_time()
    assert len(credentials.reason_of(ValueError(unit * 200_000 + "!"))) <= credentials.LONGEST_REASON
    assert len(credentials.reason_of(ValueError(unit * 200 + "!"))) <= credentials.LONGEST_REASON
    assert time.process_time() - started < 0.1
