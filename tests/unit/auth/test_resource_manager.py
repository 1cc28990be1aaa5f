"""The list of registries: its requests, and responses that are wrong, long or without end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from azext_acrartifact import errors
from azext_acrartifact.auth import resource_manager
from azext_acrartifact.auth.credentials import EntraToken
from azext_acrartifact.auth.resource_manager import ListedRegistry, ResourceManager
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
    return ResourceManager(f"{url}/", http, lambda: EntraToken(token)).registries("s/x")


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
    assert len(server.requests) <= resource_manager.MOST_PAGES


@pytest.mark.parametrize("token", ["", "a\r\nb", "a" * 70_000])
def test_no_request_has_a_token_that_is_none(serve, http, token: str) -> None:
    server = serve(page(item()))
    with pytest.raises(errors.SignInError):
        listed(server.url, http, token)
    assert server.requests == []


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
            "http://management.example/", lambda: EntraToken("t"), user_agent="u", verify=True, headers={}
        )
