"""The list of registries and the admin user: the requests, and responses that are wrong, long or without end."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from azext_acrartifact import errors
from azext_acrartifact.auth import resource_manager
from azext_acrartifact.auth.credentials import EntraToken
from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.auth.resource_manager import ListedRegistry, ResourceManager
from azext_acrartifact.known_secrets import KNOWN
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.network import Network
from azext_acrartifact.transport.retry import Policy
from tests.support.server import RawResponse, Sent, respond

PATH = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/"


def item(name: str = "myregistry", **properties: Any) -> dict[str, Any]:
    """Return a registry as it is listed."""
    return {"id": PATH + name, "name": "x", "properties": {"loginServer": f"{name}.azurecr.io", **properties}}


def page(*items: object, **more: object) -> RawResponse:
    """Return a response that lists *items*."""
    return respond(200, json.dumps({"value": items, **more}).encode())


def listed(url: str, http: HttpClient, token: str = "arm-token") -> list[ListedRegistry]:
    """List the registries of the server at *url*."""
    return ResourceManager(f"{url}/", http, EntraToken(token)).registries("s/x")


def admin_user(url: str, http: HttpClient, group: str = "g") -> tuple[str, str]:
    """Read the user name and password of a registry's admin user from the server at *url*."""
    registry = ListedRegistry(f"{PATH}myregistry".replace("/g/", f"/{group}/"), group, "myregistry", "m.azurecr.io")
    credential = ResourceManager(url, http, EntraToken("arm-token")).admin_user(registry)
    return credential.login(Accepting())


class Accepting(TokenEndpoint):
    """A registry that accepts every password."""

    def __init__(self) -> None:
        """Connect to nothing."""

    def with_password(self, username: str, password: str, scopes: object) -> str:
        """Return a token."""
        return "token"


def admin(*values: object, **more: object) -> RawResponse:
    """Return the response with a registry's passwords."""
    passwords = [{"name": "password", "value": value} for value in values]
    return respond(200, json.dumps({"username": "myregistry", "passwords": passwords, **more}).encode())


def test_registries_are_listed_with_one_request(serve, http) -> None:
    server = serve(page(item(), item("other", loginServer="Other-A1.azurecr.io")))
    mine, other = listed(server.url, http)
    assert (mine.id, mine.group, mine.name, mine.login_server) == (
        f"{PATH}myregistry", "g", "myregistry", "myregistry.azurecr.io"
    )  # fmt: skip
    assert (other.name, other.login_server) == ("other", "other-a1.azurecr.io")
    [sent] = server.requests
    assert sent.path.startswith("/subscriptions/s%2Fx/providers/Microsoft.ContainerRegistry/registries")
    assert sent.headers["authorization"] == "Bearer arm-token"


def test_pages_of_the_same_host_are_followed(serve, http) -> None:
    def play(sent: Sent) -> RawResponse:
        return page(item("second")) if "next" in sent.path else page(item(), nextLink=f"{server.url}/next")

    server = serve(play, forever=True)
    assert [one.name for one in listed(server.url, http)] == ["myregistry", "second"]


@pytest.mark.parametrize(
    "odd",
    [5, None, [], {}, {"id": 5, "properties": {}}, {"id": PATH + "a", "properties": []}, item(loginServer=5),
     item(loginServer=""), item(loginServer="a" * 254), {**item(), "id": "/subscriptions"},
     {**item(), "id": f"x{PATH}a"},
     {**item(), "id": PATH + "a/b"}, {**item(), "id": PATH + "a" * 65}],
)  # fmt: skip
def test_a_malformed_item_is_left_out(serve, http, odd: object) -> None:
    assert [one.name for one in listed(serve(page(odd, item())).url, http)] == ["myregistry"]


def test_the_longest_login_server_is_listed(serve, http) -> None:
    [found] = listed(serve(page(item(loginServer="a" * 253))).url, http)
    assert len(found.login_server) == 253


@pytest.mark.parametrize("link", ["", None, 5, [], {"a": 1}])
def test_a_link_that_is_none_ends_the_list(serve, http, link: object) -> None:
    assert [one.name for one in listed(serve(page(item(), nextLink=link)).url, http)] == ["myregistry"]


@pytest.mark.parametrize("value", [5, None, "x", {"a": item()}])
def test_a_page_without_a_list_has_no_registries(serve, http, value: object) -> None:
    assert listed(serve(page(value=value)).url, http) == []


@pytest.mark.parametrize(
    "link", ["https://evil.example/next", "http://127.0.0.1:1/next", "//evil.example", "next", "a b"]
)
def test_no_page_of_another_host_is_requested(serve, http, link: str) -> None:
    server = serve(page(item(), nextLink=link))
    with pytest.raises(errors.ProtocolError):
        listed(server.url, http)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "given",
    [respond(302, Location="https://evil.example/"), respond(307, Location="/elsewhere"), respond(403),
     respond(200, b"<html>"), respond(200, b"[]"), respond(200, b"[" * 200_000), respond(204),
     RawResponse(respond(200, b'{"value":[]}' + b" " * resource_manager.PAGE_LIMIT).raw, "close")],
)  # fmt: skip
def test_any_other_response_is_an_error(serve, http, given: RawResponse) -> None:
    server = serve(given)
    with pytest.raises(errors.ArtifactError) as caught:
        listed(server.url, http)
    assert len(server.requests) == 1
    assert "arm-token" not in caught.value.message


@pytest.mark.parametrize("link", [lambda url, count: f"{url}/same", lambda url, count: f"{url}/{count}"])
def test_a_list_without_end_ends(serve, http, link: Callable[[str, int], str]) -> None:
    server = serve(lambda sent: page(nextLink=link(server.url, len(server.requests))), forever=True)
    with pytest.raises(errors.ProtocolError, match="does not end"):
        listed(server.url, http)
    assert len(server.requests) <= 50


@pytest.mark.parametrize("token", ["", "a\r\nb", "a" * 70_000])
def test_no_request_has_a_token_that_is_none(serve, http, token: str) -> None:
    server = serve(page(item()))
    with pytest.raises(errors.SignInError):
        listed(server.url, http, token)
    assert server.requests == []


@pytest.fixture
def quick() -> Iterator[HttpClient]:
    """Yield a client with a stall timeout of 0.4 s."""
    with contextlib.closing(HttpClient(Network("unit/1", stall_timeout=0.4))) as client:
        yield client


def test_pages_are_requested_for_three_stall_timeouts(serve, quick: HttpClient) -> None:
    server = serve(lambda sent: replace(page(nextLink=f"{server.url}/{len(server.requests)}"), delay=0.1), forever=True)
    started = time.monotonic()
    with pytest.raises(errors.ProtocolError, match="does not end"):
        listed(server.url, quick)
    assert 1.2 < time.monotonic() - started < 10
    assert 2 <= len(server.requests) <= 13


def test_a_body_has_two_stall_timeouts_even_if_it_is_fast_enough_for_a_manifest(serve, quick: HttpClient) -> None:
    def blanks() -> Iterator[bytes]:
        yield respond(200).raw.replace(b"Content-Length: 0\r\n", b"")  # type: ignore[union-attr]
        while True:
            yield b" " * 65536

    server = serve(RawResponse(blanks, "close", pause=0.05))
    started = time.monotonic()
    with pytest.raises(errors.ProtocolError, match="too slow"):
        listed(server.url, quick)
    assert 0.8 < time.monotonic() - started < 10


def test_silence_is_waited_for_once(serve) -> None:
    server = serve(lambda sent: RawResponse(b"", "hang"), forever=True)
    started = time.monotonic()
    with pytest.raises(errors.StalledError):
        listed(server.url, HttpClient(Network("unit/1", stall_timeout=0.3), policy=Policy(tries=2, stalls=0)))
    assert time.monotonic() - started < 2
    assert len(server.requests) == 1


def test_plain_http_gets_no_token() -> None:
    with pytest.raises(errors.SignInError, match="plain HTTP"):
        ResourceManager.connected(
            "http://management.example/", EntraToken("t"), user_agent="u", verify=True, headers={}, stall_timeout=1
        )


def test_the_wait_for_resource_manager_is_shorter_than_for_a_registry() -> None:
    made = [
        ResourceManager.connected(
            "https://m/", EntraToken("t"), user_agent="u", verify=True, headers={}, stall_timeout=seconds
        )
        for seconds in (2.0, 30.0)
    ]
    assert [manager.stall_timeout for manager in made] == [2.0, resource_manager.LONGEST_STALL]


def test_the_admin_user_is_read_with_one_request_and_every_password_is_known(serve, http) -> None:
    server = serve(admin("first-of-the-admin", "second-of-the-admin"))
    assert admin_user(server.url, http, "g?x=1#(y)") == ("myregistry", "first-of-the-admin")
    [sent] = server.requests
    group = "g%3Fx%3D1%23%28y%29"
    assert sent.target == (
        f"{PATH.replace('/g/', f'/{group}/')}myregistry/listCredentials?api-version={resource_manager.API_VERSION}"
    )
    assert (sent.method, sent.body, sent.headers["authorization"]) == ("POST", b"", "Bearer arm-token")
    assert KNOWN.hide("first-of-the-admin or second-of-the-admin") == "… or …"


@pytest.mark.parametrize(
    "given",
    [admin(), admin(1), admin(""), admin(None), admin("a", username=[]), admin("a", username=None),
     respond(200, b'{"username":"a","passwords":5}'), respond(200, b'{"username":"a","passwords":{"value":"b"}}'),
     respond(200, b'{"username":"a","passwords":["b"]}'),
     respond(200, b"[]"), respond(200, b"<html>"), respond(302, Location="https://evil.example/"),
     respond(307, Location="/elsewhere"),
     RawResponse(respond(200, b'{"username":"a","passwords":[{"value":"b"}]}' + b" " * 65536).raw, "close")],
)  # fmt: skip
def test_what_is_no_admin_user_is_refused(serve, http, given: RawResponse) -> None:
    server = serve(given)
    with pytest.raises(errors.ProtocolError):
        admin_user(server.url, http)
    assert len(server.requests) == 1


def test_the_admin_user_is_requested_again_after_a_failure(serve, http) -> None:
    server = serve(respond(503), admin("good"))
    assert admin_user(server.url, http) == ("myregistry", "good")
    assert server.left == 0


def test_its_connections_are_closed(serve) -> None:
    server = serve(page(), page())
    client = HttpClient(Network("unit/1"))
    for _ in range(2):
        manager = ResourceManager(server.url, client, EntraToken("arm-token"))
        manager.registries("s")
        manager.close()
    assert server.connections == 2


def test_the_first_password_that_is_one_is_used(serve, http) -> None:
    assert admin_user(serve(admin(5, "", "good")).url, http) == ("myregistry", "good")


def test_passwords_without_number_push_no_secret_out_of_the_register(serve, http) -> None:
    KNOWN.add("an-older-secret")
    admin_user(serve(admin(*(f"password-{number}" for number in range(1000)))).url, http)
    assert KNOWN.hide("an-older-secret, password-0, password-1, password-2") == "…, …, …, password-2"


@pytest.mark.parametrize(
    ("status", "body", "kind", "why"),
    [(400, {"error": {"message": "it is disabled"}}, errors.RejectedError, "it is disabled"),
     (403, {"error": {"message": ""}}, errors.RejectedError, "status 403"),
     (403, {"error": "x"}, errors.RejectedError, "status 403"),
     (403, ["x"], errors.RejectedError, "status 403"),
     (403, {"error": {"message": "of arm-token"}}, errors.RejectedError, "of …"),
     (404, {"error": {"message": "x" * resource_manager.ERROR_BODY_LIMIT}}, errors.RejectedError, "status 404"),
     (429, {}, errors.ThrottledError, "status 429"),
     (500, {}, errors.ServerFaultError, "status 500")],
)  # fmt: skip
def test_a_refusal_has_the_reason_of_resource_manager(
    serve, status: int, body: object, kind: type[errors.RegistryError], why: str
) -> None:
    with (
        contextlib.closing(HttpClient(Network("unit/1"), policy=Policy(tries=1))) as once,
        pytest.raises(kind) as caught,
    ):
        admin_user(serve(respond(status, json.dumps(body).encode())).url, once)
    assert (caught.value.why, caught.value.status) == (why, status)
