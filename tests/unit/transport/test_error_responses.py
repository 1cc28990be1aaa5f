"""A registry's error answers, whatever is in them."""

from __future__ import annotations

import io
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
from azext_acrartifact.transport.messages import FORM, Headers, Request, Response

URL = "https://myregistry.azurecr.io/v2/a/manifests/1?sig=secret"


class Body:
    """An answer's body."""

    def __init__(self, data: bytes) -> None:
        self._reader = io.BytesIO(data)
        self.closed = False

    def readinto(self, buffer: memoryview) -> int:
        return self._reader.readinto(buffer)

    def close(self) -> None:
        self.closed = True


DIGEST = "sha256:" + "a" * 64


def response(status: int, body: object = b"", **headers: str) -> tuple[Response, Body]:
    raw = Body(body if isinstance(body, bytes) else json.dumps(body).encode())
    fields = Headers((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(Request("GET", URL), status, fields, raw), raw


def refused(code: str, message: str = "", **more: object) -> dict[str, object]:
    return {"errors": [{"code": code, "message": message, **more}]}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, refused("MANIFEST_INVALID"), errors.RejectedError),
        (401, refused("UNAUTHORIZED"), errors.SignInError),
        (403, refused("DENIED", "client with IP '1.2.3.4' is not allowed access."), errors.NetworkRuleError),
        (
            403,
            refused("FORBIDDEN", "client with IP \u00271.2.3.4\u0027 is not allowed access."),
            errors.NetworkRuleError,
        ),
        (403, b"<Error><Code>AuthenticationFailed</Code></Error>", errors.RejectedError),
        (403, refused("DENIED", "no."), errors.PermissionDeniedError),
        (403, refused("UNAUTHORIZED", "no."), errors.PermissionDeniedError),
        (404, b"<Error><Code>BlobNotFound</Code></Error>", errors.NotFoundError),
        (400, b"<Error><Code>AuthenticationFailed</Code></Error>", errors.RejectedError),
        (404, refused("MANIFEST_UNKNOWN"), errors.NotFoundError),
        (405, refused("REGISTRY_DISALLOWED_OPERATION", detail={}), errors.LockedError),
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
    answer, raw = response(status, body)
    error = error_from(answer, "It failed")
    assert type(error) is kind
    assert raw.closed
    assert "secret" not in error.message
    assert "GET https://myregistry.azurecr.io/v2/a/manifests/1" in error.message
    if isinstance(error, errors.RegistryError):
        assert error.status == status


def test_the_servers_words_code_and_id_are_kept() -> None:
    answer, _ = response(
        404, refused("TAG_UNKNOWN", "the tag does not exist", detail="v1"), X_Ms_Correlation_Request_Id="guid-1"
    )
    error = error_from(answer, "It failed", not_found="It is not there")
    assert isinstance(error, errors.NotFoundError)
    assert error.what == "It is not there"
    assert error.why == "the tag does not exist: v1"
    assert error.code == "TAG_UNKNOWN"
    assert error.message.endswith("(correlation id guid-1)")


SECRETS = {"password": "correct horse+1", "refresh_token": "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln"}


@pytest.mark.parametrize("name", SECRETS)
def test_what_the_server_repeats_of_a_form_is_not_said_again(name: str) -> None:
    secret = SECRETS[name]
    body = urlencode({"service": "x", name: secret}).encode()
    for said in (secret, quote_plus(secret)):
        answer, _ = response(401, refused("UNAUTHORIZED", f"not {said}", detail=f"no, {said}!"))
        answer.request = Request("POST", URL, {"Content-Type": FORM}, body)
        found = read_refusal(answer)
        assert said not in found.why
        assert found.why.startswith("not ")


def test_what_the_server_repeats_of_a_header_is_not_said_again() -> None:
    for value, secret in (("Bearer opaque-token", "opaque-token"), ("Basic dTpwYXNz", "dTpwYXNz")):
        answer, _ = response(403, refused("DENIED", f"no {value}"), X_Ms_Correlation_Request_Id=value)
        answer.request = Request("GET", URL, authorization=value)
        error = error_from(answer, "It failed")
        assert secret not in error.message


def test_a_query_in_the_servers_words_is_not_said_again() -> None:
    answer, _ = response(
        400, refused("X", "no /v2/a/blobs/uploads/1?_state=secret1 at https://s.example/b?sig=secret2")
    )
    assert "secret" not in read_refusal(answer).why


def failed_at(path: str, status: int, code: str, message: str = "") -> errors.ArtifactError:
    """The error for this answer to a request for *path*."""
    answer, _ = response(status, refused(code, message))
    answer.request = Request("GET", f"https://myregistry-a1b2.azurecr.io{path}")
    return error_from(answer, "It failed")


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
def test_what_is_not_there_names_the_list_of_what_is(path: str, code: str, listed: str) -> None:
    hint = failed_at(path, 404, code).hint
    assert hint.endswith(f"What is there: az acr artifact list myregistry-a1b2.azurecr.io{listed}")


@pytest.mark.parametrize("path", ["/acr/v1/_catalog?n=100", "/v2/", "/oauth2/token", "/v2/A%20B/manifests/1"])
def test_a_path_that_names_no_repository_gives_no_command(path: str) -> None:
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
def test_what_may_be_locked_names_the_command_that_shows_it(path: str, shown: str) -> None:
    where = Request("GET", f"https://myregistry.azurecr.io{path}")
    error = error_from(Response(where, 405, Headers(()), Body(b"")), "It was not stored")
    assert f"A lock may be set: az acr artifact show {shown} shows it." in error.hint


def test_only_a_firewall_says_that_an_address_is_not_let_in() -> None:
    blocked = failed_at("/v2/a/manifests/1", 403, "DENIED", "client with IP '1.2.3.4' is not allowed access.")
    lacking = failed_at("/v2/a/manifests/1", 403, "DENIED", "requested access to the resource is denied")
    assert blocked.hint.startswith("The registry's network rules do not let this address in: az acr show --name my")
    assert lacking.hint.startswith("Ask the registry's owner for a role that allows this. Or its network rules")
    assert all("az acr show --name myregistry --query" in error.hint for error in (blocked, lacking))
    assert "network" not in failed_at("/v2/a/manifests/1", 403, "UNAUTHORIZED", "no").hint


def test_the_servers_sentence_goes_on_without_its_dot() -> None:
    answer, _ = response(404, refused("X", "It is not there. ", detail="Look elsewhere."))
    assert read_refusal(answer).why == "It is not there: Look elsewhere"


def test_not_found_is_worded_apart_only_for_404() -> None:
    assert error_from(response(400)[0], "It failed", not_found="It is not there").what == "It failed"
    assert error_from(response(404)[0], "It failed", not_found="It is not there").what == "It is not there"
    assert error_from(response(404)[0], "It failed").what == "It failed"


@pytest.mark.parametrize("detail", [None, [], [{"Type": "repository"}], {}, {"Name": "a"}, 5, True, 1.5])
def test_a_detail_that_is_no_text_is_left_out(detail: object) -> None:
    assert read_refusal(response(400, refused("CODE", "words", detail=detail))[0]) == Refusal("CODE", "words", "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"5",
        b'"text"',
        b"<html><body>Bad gateway</body></html>",
        b"\xff\xfe",
        b"{",
        b"[" * 60_000,
        b'{"errors": ' + b"9" * 5000 + b"}",
        b'{"errors": null}',
        b'{"errors": []}',
        b'{"errors": {}}',
        b'{"errors": {"code": "X"}}',
        b'{"errors": 5}',
        b'{"errors": ["text"]}',
        b'{"errors": [null]}',
        b'{"errors": "text"}',
        b'{"errors": [{}]}',
        b'{"errors": [{"code": null, "message": null}]}',
    ],
)
def test_what_is_no_error_body_is_no_error_of_ours(body: bytes) -> None:
    answer, raw = response(400, body)
    error = error_from(answer, "It failed")
    assert (type(error), error.why, raw.closed) == (errors.RejectedError, "status 400", True)


def test_a_code_stands_in_for_a_message() -> None:
    assert read_refusal(response(400, refused("CODE"))[0]).why == "CODE"


def test_an_endless_error_body_is_not_read_to_its_end() -> None:
    answer, raw = response(400, b'{"errors":[{"code":"X"}]}' + b" " * ERROR_BODY_LIMIT)
    assert read_refusal(answer) == Refusal()
    assert raw.closed
    assert ERROR_BODY_LIMIT == 64 * 1024


def test_of_an_endless_message_its_beginning_is_kept() -> None:
    found = read_refusal(response(400, refused("C" * 5000, "m" * 5000, detail="d" * 5000))[0])
    assert [len(text) for text in (found.code, found.message, found.detail)] == [ERROR_TEXT_LIMIT] * 3
    assert ERROR_TEXT_LIMIT == 4096


def test_a_broken_error_body_is_none(serve, http) -> None:
    from tests.support.server import Answer

    server = serve(Answer(b"HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\n{", "close"))
    error = error_from(http.send(Request("GET", server.url + "/")), "It failed")
    assert (type(error), error.why) == (errors.RejectedError, "status 400")


def test_escapes_in_the_servers_words_are_shown_as_text() -> None:
    answer, _ = response(400, refused("\x1b[2J", "##vso[task.complete]\n\x1b]0;title\x07\ud800"))
    error = error_from(answer, "It failed")
    assert not {"\n", "\x1b", "\x07"} & set(error.message)
    assert "##vso[" not in error.message


@pytest.mark.parametrize(
    ("after", "words"), [("3600", "in 3600 s, as it asks"), (None, "in a minute or two"), ("x", "in a minute or two")]
)
def test_a_throttled_client_is_told_for_how_long(after: str | None, words: str) -> None:
    answer, _ = response(429, b"", **({"Retry_After": after} if after else {}))
    assert words in error_from(answer, "It failed").hint
