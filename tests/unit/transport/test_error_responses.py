"""The error responses of a registry, whatever is in them."""

from __future__ import annotations

import json
from urllib.parse import quote_plus, urlencode

import pytest

from azext_acrartifact import errors
from azext_acrartifact.transport.error_responses import (
    ERROR_BODY_LIMIT,
    ERROR_TEXT_LIMIT,
    Refusal,
    error_from,
    read_refusal,
)
from azext_acrartifact.transport.messages import FORM, Request, Response
from tests.support.server import RawResponse
from tests.unit.transport.doubles import response_to

URL = "https://myregistry.azurecr.io/v2/a/manifests/1?sig=secret"


DIGEST = "sha256:" + "a" * 64


def response(status: int, body: object = b"", **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return response_to(Request("GET", URL), status, content, **headers)


def refused(code: str, message: str = "", **more: object) -> dict[str, object]:
    return {"errors": [{"code": code, "message": message, **more}]}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, refused("MANIFEST_INVALID"), errors.RejectedError),
        (401, refused("UNAUTHORIZED"), errors.SignInError),
        (403, refused("DENIED", "client with IP '1.2.3.4' is not allowed access."), errors.NetworkRuleError),
        (403, refused("FORBIDDEN", "IP \u00271.2.3.4\u0027 is not allowed access."), errors.NetworkRuleError),
        (403, b"<Error><Code>AuthenticationFailed</Code></Error>", errors.RejectedError),
        (403, refused("DENIED", "no."), errors.PermissionDeniedError),
        (403, refused("UNAUTHORIZED", "no."), errors.PermissionDeniedError),
        (404, b"<Error><Code>BlobNotFound</Code></Error>", errors.NotFoundError),
        (400, b"<Error><Code>AuthenticationFailed</Code></Error>", errors.RejectedError),
        (404, refused("MANIFEST_UNKNOWN"), errors.NotFoundError),
        (405, refused("REGISTRY_DISALLOWED_OPERATION", detail={}), errors.LockedError),
        (405, b"", errors.LockedError),
        (405, refused("UNSUPPORTED", "The operation is unsupported."), errors.RejectedError),
        (409, b"", errors.RejectedError),
        (413, b"", errors.RejectedError),
        (429, refused("TOOMANYREQUESTS"), errors.ThrottledError),
        (500, b"", errors.ServerFaultError),
        (503, b"<html>", errors.ServerFaultError),
        (599, b"", errors.ServerFaultError),
        (204, b"", errors.ProtocolError),
        (307, b"", errors.ProtocolError),
        (103, b"", errors.ProtocolError),
    ],
)
def test_each_status_is_its_error(status: int, body: object, kind: type) -> None:
    failed = response(status, body, X_Ms_Correlation_Request_Id="guid-1")
    error = error_from(failed, "It failed")
    assert type(error) is kind
    assert error.message.endswith("(correlation id guid-1)")
    assert failed._raw.closed
    assert "secret" not in error.message
    assert "GET https://myregistry.azurecr.io/v2/a/manifests/1" in error.message
    if isinstance(error, errors.RegistryError):
        assert error.status == status


def test_an_error_has_the_servers_text_code_and_id() -> None:
    failed = response(
        404, refused("TAG_UNKNOWN", "the tag does not exist", detail="v1"), X_Ms_Correlation_Request_Id="guid-1"
    )
    error = error_from(failed, "It failed", not_found="It is not there")
    assert isinstance(error, errors.NotFoundError)
    assert error.what == "It is not there"
    assert error.why == "the tag does not exist: v1"
    assert error.code == "TAG_UNKNOWN"
    assert error.message.endswith("(correlation id guid-1)")


SECRETS = {"password": "correct horse+1", "refresh_token": "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln"}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_of_a_form_is_removed(name: str) -> None:
    secret = SECRETS[name]
    body = urlencode({"service": "x", name: secret}).encode()
    for repeated in (secret, quote_plus(secret)):
        failed = response(401, refused("UNAUTHORIZED", f"not {repeated}", detail=f"no, {repeated}!"))
        failed.request = Request("POST", URL, {"Content-Type": FORM}, body)
        found = read_refusal(failed)
        assert repeated not in found.why
        assert found.why.startswith("not ")


def test_an_authorization_is_removed() -> None:
    for value, secret in (("Bearer opaque-token", "opaque-token"), ("Basic dTpwYXNz", "dTpwYXNz")):
        failed = response(403, refused("DENIED", f"no {value}"), X_Ms_Correlation_Request_Id=value)
        failed.request = Request("GET", URL, authorization=value)
        error = error_from(failed, "It failed")
        assert secret not in error.message


def test_a_query_in_the_servers_text_is_removed() -> None:
    failed = response(400, refused("X", "no /v2/a/blobs/uploads/1?_state=secret1 at https://s.example/b?sig=secret2"))
    assert "secret" not in read_refusal(failed).why


def failed_at(path: str, status: int, code: str, message: str = "") -> errors.ArtifactError:
    """Return the error for this response to a request for *path*."""
    failed = response(status, refused(code, message))
    failed.request = Request("GET", f"https://myregistry-a1b2.azurecr.io{path}")
    return error_from(failed, "It failed")


@pytest.mark.parametrize(
    ("path", "code", "listed"),
    [
        ("/v2/a/manifests/1", "MANIFEST_UNKNOWN", "/a"),
        ("/v2/a/b.c/blobs/sha256:0", "BLOB_UNKNOWN", "/a/b.c"),
        ("/v2/a/manifests/manifests/1", "", "/a/manifests"),
        ("/acr/v1/a/b/_tags/1", "TAG_UNKNOWN", "/a/b"),
        ("/acr/v1/a/_manifests/sha256:0", "MANIFEST_UNKNOWN", "/a"),
        ("/v2/a/manifests/1", "NAME_UNKNOWN", ""),
        ("/acr/v1/a/_tags?n=100", "NAME_UNKNOWN", ""),
        ("/acr/v1/a/_manifests?n=100", "", ""),
        ("/acr/v1/a/b", "", ""),
        ("/v2/a/tags/list", "", ""),
    ],
)
def test_an_artifact_that_does_not_exist_names_the_list_of_those_that_do(path: str, code: str, listed: str) -> None:
    hint = failed_at(path, 404, code).hint
    assert hint.endswith(f"To list them: az acr artifact list myregistry-a1b2.azurecr.io{listed}")


@pytest.mark.parametrize("path", ["/acr/v1/_catalog?n=100", "/v2/", "/oauth2/token", "/v2/A%20B/manifests/1"])
def test_a_path_without_a_repository_names_no_command(path: str) -> None:
    assert failed_at(path, 404, "").hint == "Check the name, the tag and the registry."


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v2/a/b/manifests/1.0", "myregistry.azurecr.io/a/b:1.0"),
        (f"/v2/a/b/manifests/{DIGEST}", f"myregistry.azurecr.io/a/b@{DIGEST}"),
        ("/acr/v1/a/b/_tags/1.0", "myregistry.azurecr.io/a/b:1.0"),
        (f"/v2/a/b/blobs/{DIGEST}", "myregistry.azurecr.io/a/b:TAG"),
        ("/v2/a/b/blobs/uploads/", "myregistry.azurecr.io/a/b:TAG"),
        ("/v2/", "SERVER/REPOSITORY:TAG"),
    ],
)
def test_a_possible_lock_names_the_command_that_shows_it(path: str, shown: str) -> None:
    where = Request("GET", f"https://myregistry.azurecr.io{path}")
    error = error_from(response_to(where, 405), "It was not stored")
    assert f"A lock may be set: az acr artifact show {shown} shows it." in error.hint


def test_a_token_that_grants_too_little_is_no_wrong_sign_in() -> None:
    challenge = 'Bearer realm="https://r.example/oauth2/token",scope="repository:a:pull",error="insufficient_scope"'
    error = error_from(response(401, refused("UNAUTHORIZED", "no."), WWW_Authenticate=challenge), "It failed")
    assert type(error) is errors.PermissionDeniedError
    assert (error.what, error.why, error.status) == ("It failed", "no", 401)


def test_only_a_firewall_blocks_an_address() -> None:
    blocked = failed_at("/v2/a/manifests/1", 403, "DENIED", "client with IP '1.2.3.4' is not allowed access.")
    forbidden = failed_at("/v2/a/manifests/1", 403, "DENIED", "requested access to the resource is denied")
    assert blocked.hint.startswith("The registry's network rules block this address: az acr show --name my")
    assert forbidden.hint.startswith("Ask the registry's owner for a role that allows this. Or its network rules")
    assert all("az acr show --name myregistry --query" in error.hint for error in (blocked, forbidden))
    assert "network" not in failed_at("/v2/a/manifests/1", 403, "UNAUTHORIZED", "no").hint


def test_the_servers_sentences_lose_their_dots() -> None:
    failed = response(404, refused("X", "It is not there. ", detail="Look elsewhere."))
    assert read_refusal(failed).why == "It is not there: Look elsewhere"


def test_a_404_may_have_a_text_of_its_own() -> None:
    assert error_from(response(400), "It failed", not_found="It is not there").what == "It failed"
    assert error_from(response(404), "It failed", not_found="It is not there").what == "It is not there"
    assert error_from(response(404), "It failed").what == "It failed"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"Range": "bytes 0-84521/*", "Reason": "the format is invalid"}, "the format is invalid"),
        (
            refused("MANIFEST_INVALID", "manifest invalid", detail={"Reason": "no config"}),
            "manifest invalid: no config",
        ),
        (refused("MANIFEST_INVALID", "manifest invalid", detail={"Reason": {}}), "manifest invalid"),
        ({"Reason": {}}, "status 400"),
        ({"errors": [], "Reason": "x"}, "status 400"),
    ],
)
def test_the_reason_is_shown(body: object, why: str) -> None:
    assert error_from(response(400, body), "It failed").why == why


@pytest.mark.parametrize("detail", [None, [], [{"Type": "repository"}], {}, {"Name": "a"}, 5, True, 1.5])
def test_a_detail_that_is_not_text_is_left_out(detail: object) -> None:
    assert read_refusal(response(400, refused("CODE", "words", detail=detail))) == Refusal("CODE", "words", "")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"5", b'"text"', b"<html><body>Bad gateway</body></html>", b"\xff\xfe", b"{",
        b"[" * 60_000, b'{"errors": ' + b"9" * 5000 + b"}", b'{"errors": null}', b'{"errors": []}', b'{"errors": {}}',
        b'{"errors": {"code": "X"}}', b'{"errors": 5}', b'{"errors": ["text"]}', b'{"errors": [null]}',
        b'{"errors": "text"}', b'{"errors": [{}]}', b'{"errors": [{"code": null, "message": null}]}',
    ],
)  # fmt: skip
def test_a_body_without_an_error_is_ignored(body: bytes) -> None:
    failed = response(400, body)
    error = error_from(failed, "It failed")
    assert (type(error), error.why, failed._raw.closed) == (errors.RejectedError, "status 400", 1)


def test_a_code_replaces_a_missing_message() -> None:
    assert read_refusal(response(400, refused("CODE"))).why == "CODE"


def test_a_long_error_body_is_not_read_to_its_end() -> None:
    failed = response(400, b'{"errors":[{"code":"X"}]}' + b" " * ERROR_BODY_LIMIT)
    assert read_refusal(failed) == Refusal()
    assert failed._raw.closed
    assert ERROR_BODY_LIMIT == 64 * 1024


def test_a_long_message_is_cut() -> None:
    found = read_refusal(response(400, refused("C" * 5000, "m" * 5000, detail="d" * 5000)))
    assert [len(text) for text in (found.code, found.message, found.detail)] == [ERROR_TEXT_LIMIT] * 3
    assert ERROR_TEXT_LIMIT == 4096


def test_an_incomplete_error_body_is_ignored(serve, http) -> None:
    server = serve(RawResponse(b"HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\n{", "close"))
    error = error_from(http.send(Request("GET", server.url + "/")), "It failed")
    assert (type(error), error.why) == (errors.RejectedError, "status 400")


def test_escapes_in_the_servers_text_are_shown_as_text() -> None:
    failed = response(400, refused("\x1b[2J", "##vso[task.complete]\n\x1b]0;title\x07\ud800"))
    error = error_from(failed, "It failed")
    assert not {"\n", "\x1b", "\x07"} & set(error.message)
    assert "##vso[" not in error.message


@pytest.mark.parametrize(
    ("after", "words"),
    [("3600", "in 3600 s."), ("0.5", "in 1 s."), (None, "in a minute or two"), ("x", "in a minute or two")],
)
def test_a_throttled_client_learns_for_how_long(after: str | None, words: str) -> None:
    failed = response(429, b"", **({"Retry_After": after} if after else {}))
    assert words in error_from(failed, "It failed").hint
