"""Where a redirect may lead, and what goes along."""

from __future__ import annotations

import socket

import pytest

from azext_acrartifact.errors import ProtocolError
from azext_acrartifact.transport.messages import Headers, Request, Response
from azext_acrartifact.transport.redirects import next_hop
from tests.support.server import answer

START = "https://myregistry.azurecr.io/v2/a/blobs/x"
HEADERS = {"Range": "bytes=5-", "Accept": "*/*", "Accept-Encoding": "identity", "X-Secret": "1", "Cookie": "secret"}


class NoBody:
    """Nothing to read."""

    def readinto(self, buffer: memoryview) -> int:
        return 0

    def close(self) -> None:
        pass


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the name server of this test knows; other names do not exist."""
    known = {"myregistry.azurecr.io": "20.1.2.3", "store.blob.core.windows.net": "20.4.5.6"}

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (known[host], port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def hop(location: str | None, start: str = START, method: str = "GET", resolves_here: bool = True) -> Request:
    request = Request(method, start, HEADERS, authorization="Bearer secret")
    headers = Headers([("Location", location)] if location is not None else [])
    return next_hop(request, Response(request, 307, headers, NoBody()), lambda url: resolves_here)


def test_another_origin_gets_no_secret_and_no_custom_header(names) -> None:
    after = hop("https://store.blob.core.windows.net/c/b?sig=1")
    assert after.url == "https://store.blob.core.windows.net/c/b?sig=1"
    assert after.authorization is None
    assert after.headers == {"Range": "bytes=5-", "Accept": "*/*", "Accept-Encoding": "identity"}


@pytest.mark.parametrize("location", ["https://myregistry.azurecr.io:8443/x", "https://sub.myregistry.azurecr.io/x"])
def test_another_port_or_subdomain_is_another_origin(names, location: str) -> None:
    assert hop(location).authorization is None


@pytest.mark.parametrize(
    "location", ["/v2/other", "https://myregistry.azurecr.io:443/v2/other", "//myregistry.azurecr.io/v2/other"]
)
def test_the_same_origin_keeps_everything(location: str) -> None:
    after = hop(location)
    assert (after.authorization, dict(after.headers)) == ("Bearer secret", HEADERS)
    assert after.url.endswith("/v2/other")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_is_not_redirected(method: str) -> None:
    with pytest.raises(ProtocolError, match="redirected a write"):
        hop("/elsewhere", method=method)


@pytest.mark.parametrize("location", ["http://store.blob.core.windows.net/c", "http://myregistry.azurecr.io/v2/"])
def test_https_is_not_left(names, location: str) -> None:
    with pytest.raises(ProtocolError, match="plain HTTP"):
        hop(location)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.5", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::1", "fe80::1%eth0",
     "fc00::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "100.64.0.1"],
)  # fmt: skip
def test_a_public_registry_does_not_lead_into_this_network(names, address: str) -> None:
    names["inward.example"] = address
    with pytest.raises(ProtocolError, match="own network"):
        hop("https://inward.example/latest/meta-data")


def test_a_private_registry_may_lead_to_private_storage(names) -> None:
    names.update({"myregistry.azurecr.io": "10.0.0.4", "store.blob.core.windows.net": "10.0.0.5"})
    assert hop("https://store.blob.core.windows.net/c").authorization is None


def test_behind_a_proxy_names_are_the_proxys_affair() -> None:
    assert hop("https://nowhere.example/c", resolves_here=False).url == "https://nowhere.example/c"


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "[::ffff:169.254.169.254]", "[fe80::1]",
     "127.0.0.1", "127.1", "0.0.0.0", "localhost", "a.localhost", "[::1]", "10.0.0.5"],
)  # fmt: skip
def test_an_address_is_one_behind_a_proxy_too(host: str) -> None:
    with pytest.raises(ProtocolError, match="own network"):
        hop(f"https://{host}/latest/meta-data", resolves_here=False)


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "127.0.0.1", "0.0.0.0", "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "fe80::1"],
)
def test_a_private_registry_does_not_lead_to_this_machine_or_its_identity(names, address: str) -> None:
    names.update({"myregistry.azurecr.io": "10.0.0.4", "inward.example": address})
    with pytest.raises(ProtocolError, match="own network"):
        hop("https://inward.example/c")


def test_nothing_leads_to_a_machines_identity(names) -> None:
    names.update({"myregistry.azurecr.io": "169.254.0.4", "inward.example": "169.254.169.254"})
    with pytest.raises(ProtocolError, match="own network"):
        hop("https://inward.example/c")


def test_where_the_registry_is_is_not_looked_up_for_public_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("20.4.5.6", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    hop("https://store.blob.core.windows.net/c")
    assert asked == ["store.blob.core.windows.net"]


def test_whether_a_name_is_looked_up_here_is_asked_of_its_own_address(names) -> None:
    """NO_PROXY may except the target of a redirect from the proxy that the registry is reached by."""
    names["inward.example"] = "10.0.0.5"
    request = Request("GET", START)
    response = Response(request, 307, Headers([("Location", "https://inward.example/c")]), NoBody())
    with pytest.raises(ProtocolError, match="own network"):
        next_hop(request, response, lambda url: "inward" in url)


def test_a_name_that_does_not_exist_fails_when_it_is_connected_to(names) -> None:
    assert hop("https://nowhere.example/c").url == "https://nowhere.example/c"


@pytest.mark.parametrize(
    "location",
    ["ftp://store.example/c", "file:///etc/passwd", "https://user:secret@store.example/", "https://a..b/",
     "https://store.example/\u00e9", "https://[::1/", "javascript:x", "https://store.example:0x50/"],
)  # fmt: skip
def test_what_is_no_address_is_refused(names, location: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        hop(location)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("location", [None, "", "  "])
def test_a_redirect_to_nowhere_is_refused(location: str | None) -> None:
    with pytest.raises(ProtocolError, match="nowhere"):
        hop(location)


def test_redirects_are_followed_over_the_wire_without_the_token(serve, http) -> None:
    storage = serve(answer(206, b"llo", Content_Range="bytes 2-4/5"))
    server = serve(
        answer(302, Location="/second?a=b"), answer(308, b"moved", Location=f"{storage.url}/blob?sig=secret")
    )
    request = Request("GET", server.url + "/first", {"Range": "bytes=2-", "X-Own": "1"}, authorization="Bearer t")
    assert http.send(request).content(10) == b"llo"
    assert server.lines() == ["GET /first", "GET /second?a=b"]
    assert [sent.headers["authorization"] for sent in server.requests] == ["Bearer t"] * 2
    (last,) = storage.requests
    assert last.headers["range"] == "bytes=2-"
    assert not {"authorization", "x-own"} & last.headers.keys()


@pytest.mark.parametrize(
    ("status", "followed"),
    [(301, True), (302, True), (303, True), (307, True), (308, True), (300, False), (304, False), (305, False)],
)
def test_each_status_that_redirects(serve, http, status: int, followed: bool) -> None:
    server = serve(answer(status, Location="/b"), answer(200, b"b"))
    with http.send(Request("GET", server.url + "/a")) as response:
        assert response.status == (200 if followed else status)
    assert len(server.requests) == 1 + followed


def test_a_token_does_not_come_back_once_it_was_dropped(serve, http) -> None:
    server = serve(answer(307, Location=""), answer(200))
    storage = serve(answer(307, Location=f"{server.url}/back"))
    server._left[0] = answer(307, Location=f"{storage.url}/away")
    http.send(Request("GET", server.url + "/", authorization="Bearer t")).close()
    assert [sent.headers.get("authorization") for sent in server.requests] == ["Bearer t", None]


def test_five_hops_are_followed_and_no_more(serve, http) -> None:
    server = serve(*[answer(307, Location="/next")] * 5, answer(200, b"x"))
    assert http.send(Request("GET", server.url + "/")).content(5) == b"x"
    server = serve(*[answer(307, Location="/next")] * 7)
    with pytest.raises(ProtocolError, match="Too many redirects"):
        http.send(Request("GET", server.url + "/"))
    assert len(server.requests) == 6


def test_a_redirect_is_an_answer_where_none_is_followed(serve, http) -> None:
    server = serve(answer(307, Location="https://elsewhere.example/"))
    assert http.send(Request("GET", server.url + "/"), follow=False).status == 307


def test_a_failed_second_hop_asks_the_first_host_again(serve, http) -> None:
    """A signed address is good for minutes, so a retry begins at the registry."""
    server = serve(answer(307, Location="/signed1"), answer(503), answer(307, Location="/signed2"), answer(200, b"x"))
    assert http.send(Request("GET", server.url + "/blob")).content(5) == b"x"
    assert server.lines() == ["GET /blob", "GET /signed1", "GET /blob", "GET /signed2"]
