"""Proxies and TLS, over real connections."""

from __future__ import annotations

import socket
import threading
from base64 import b64encode
from contextlib import closing

import pytest

from azext_acrartifact.errors import ConnectionFailedError, ProxyError, TlsError, UnresolvedHostError
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.messages import Request
from azext_acrartifact.transport.network import Network
from azext_acrartifact.transport.scheme import base_url_of
from tests.support.server import Answer, answer

HOST = "myregistry.azurecr.io"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@pytest.fixture
def trusting(authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate_file))


@pytest.fixture
def through(monkeypatch: pytest.MonkeyPatch):
    """Sets the proxy, with or without a user."""

    def use(server, user: str = "", variable: str = "HTTPS_PROXY") -> None:
        monkeypatch.setenv(variable, f"http://{user}{server.server}")

    return use


def test_https_goes_through_a_tunnel_with_the_proxys_credential(serve, http, authority, trusting, through) -> None:
    server = serve(Answer(ESTABLISHED, "tls", tls=authority.context(HOST)), answer(200, b"one"), answer(200, b"two"))
    through(server, "user:pass@")
    for expected in (b"one", b"two"):
        assert http.send(Request("GET", f"https://{HOST}/v2/", authorization="Bearer t")).content(10) == expected
    tunnel, first, second = server.requests
    assert (tunnel.method, tunnel.target) == ("CONNECT", f"{HOST}:443")
    assert tunnel.headers["proxy-authorization"] == "Basic " + b64encode(b"user:pass").decode()
    assert "authorization" not in tunnel.headers
    assert (first.target, first.headers["host"], first.headers["authorization"]) == ("/v2/", HOST, "Bearer t")
    assert "proxy-authorization" not in first.headers
    assert second.connection == first.connection == 1


def test_a_proxy_that_asks_for_no_user_is_told_none(serve, http, authority, trusting, through) -> None:
    server = serve(Answer(ESTABLISHED, "tls", tls=authority.context(HOST)), answer(200, b"one"))
    through(server)
    assert http.send(Request("GET", f"https://{HOST}/v2/")).content(10) == b"one"
    assert "proxy-authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (407, ProxyError, "asks for a user and password"),
        (403, ProxyError, "answered 403"),
        (502, UnresolvedHostError, "cannot reach the host"),
        (503, UnresolvedHostError, "answered 503"),
        (504, UnresolvedHostError, "answered 504"),
    ],
)
def test_a_refused_tunnel_is_the_proxys_doing_and_final(serve, http, through, status, error, words) -> None:
    server = serve(Answer(answer(status).raw, "close"), answer(200))
    through(server, "user:secret@")
    with pytest.raises(error, match=words) as caught:
        http.send(Request("GET", f"https://{HOST}/v2/"))
    assert server.left == 1
    assert "secret" not in caught.value.message + caught.value.hint


def test_a_proxy_that_is_down_is_named(http, serve, through, notices) -> None:
    server = serve()
    server.close()
    through(server)
    with pytest.raises(ConnectionFailedError, match="refused") as caught:
        http.send(Request("GET", f"https://{HOST}/v2/"))
    assert f"the proxy {server.server} (HTTPS_PROXY) is up" in caught.value.hint
    assert len(notices) == 5


def test_a_proxy_that_does_not_exist_is_named(http, loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(host: str, *rest: object, **options: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    with pytest.raises(ProxyError) as caught:
        http.send(Request("GET", f"https://{HOST}/v2/"))
    assert caught.value.where == "proxy.example"
    assert "HTTPS_PROXY" in caught.value.hint


def test_plain_http_goes_through_a_proxy_with_the_whole_address(serve, http, through) -> None:
    server = serve(answer(200, b"x"))
    through(server, "user:pass@", "HTTP_PROXY")
    assert http.send(Request("GET", "http://registry.test:5000/v2/?a=b")).content(10) == b"x"
    (sent,) = server.requests
    assert (sent.target, sent.headers["host"]) == ("http://registry.test:5000/v2/?a=b", "registry.test:5000")
    assert sent.headers["proxy-authorization"] == "Basic " + b64encode(b"user:pass").decode()


def test_a_trusted_certificate_is_taken(serve, http, authority, trusting) -> None:
    server = serve(answer(200, b"x"), tls=authority.context("127.0.0.1"))
    assert http.send(Request("GET", server.url + "/")).content(10) == b"x"


def test_an_untrusted_certificate_is_refused_at_once(serve, http, authority, notices) -> None:
    server = serve(answer(200), tls=authority.context("127.0.0.1"))
    with pytest.raises(TlsError, match="not trusted") as caught:
        http.send(Request("GET", server.url + "/", authorization="Bearer secret"))
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint
    assert (server.requests, notices) == ([], [])


def test_a_certificate_of_another_host_is_refused(serve, http, authority, trusting) -> None:
    server = serve(answer(200), tls=authority.context("other.example"))
    with pytest.raises(TlsError, match=r"127\.0\.0\.1"):
        http.send(Request("GET", server.url + "/"))
    assert server.requests == []


def test_verification_is_off_only_where_the_user_says_so(serve, authority) -> None:
    server = serve(answer(200, b"x"), tls=authority.context("other.example"))
    http = HttpClient(Network("unit/1", verify=False))
    assert http.send(Request("GET", server.url + "/")).content(10) == b"x"
    http.close()


def test_a_server_that_speaks_no_tls_is_not_asked_again(serve, http) -> None:
    server = serve()
    with pytest.raises(TlsError, match="does not speak TLS"):
        http.send(Request("GET", f"https://{server.server}/"))
    assert server.connections == 1


def test_a_handshake_that_breaks_is_a_broken_connection(loopback, http) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        closer = threading.Thread(target=lambda: server.accept()[0].close())
        closer.start()
        with pytest.raises(ConnectionFailedError) as caught:
            http.send(Request("GET", f"https://127.0.0.1:{server.getsockname()[1]}/", repeatable=False))
        closer.join(10)
    assert type(caught.value) is ConnectionFailedError


@pytest.mark.parametrize("kind", ["plain", "tls", "closed"])
def test_plain_http_is_for_this_machine_where_tls_is_not_spoken(serve, authority, kind: str) -> None:
    def plain(sent) -> Answer:
        return answer(400)

    server = serve(plain, forever=True, tls=authority.context("127.0.0.1") if kind == "tls" else None)
    if kind == "closed":
        server.close()
    expected = "http" if kind == "plain" else "https"
    assert base_url_of(server.server, loopback=True) == f"{expected}://{server.server}"


def test_without_a_port_it_is_that_of_https(loopback: None) -> None:
    assert base_url_of("127.0.0.1", loopback=True) == "https://127.0.0.1", "nothing else listens there"


def test_another_host_is_not_even_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert base_url_of(HOST, loopback=False) == f"https://{HOST}"
