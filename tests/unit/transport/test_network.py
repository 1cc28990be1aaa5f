"""Proxies and certificates of the environment."""

from __future__ import annotations

import ssl
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError, ProxyError
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.messages import Request
from azext_acrartifact.transport.network import Network, Proxy
from tests.support.server import RawResponse, respond

HOST = "myregistry.azurecr.io"
URL = f"https://{HOST}/v2/"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_comes_from_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://proxy.example:3128")
    assert Network("a").proxy_for(URL) == Proxy("proxy.example", 3128)


def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "localhost,.azurecr.io")
    assert Network("a").proxy_for(URL) is None
    assert Network("a").proxy_for("https://other.example/") == Proxy("proxy.example", 3128)


def test_there_is_no_proxy_by_default() -> None:
    assert Network("a").proxy_for(URL) is None


def test_without_a_proxy_requests_is_not_loaded() -> None:
    """Importing it takes longer than many a command's work."""
    look = (
        "import sys; from azext_acrartifact.transport.network import Network\n"
        f"network = Network('a'); network.tls; print(network.proxy_for({URL!r}), 'requests' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", look], text=True).split() == ["None", "False"]


def test_the_proxys_credential_is_decoded_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example")
    assert Network("a").proxy_for(URL) == Proxy("proxy.example", 80)
    monkeypatch.setenv("HTTPS_PROXY", "http://us%40er:pa%3Ass@proxy.example:3128")
    proxy = Network("a").proxy_for(URL)
    assert proxy is not None
    assert proxy.authorization == "Basic " + b64encode(b"us@er:pa:ss").decode()
    assert "Basic" not in repr(proxy)


@pytest.mark.parametrize(
    ("address", "proxy"),
    [
        ("https://p.example", Proxy("p.example", 443, None, "https")),
        ("socks5://p.example:9050", Proxy("p.example", 9050, None, "socks5")),
        ("socks5h://me:a%3Ab@p.example", Proxy("p.example", 1080, ("me", "a:b"), "socks5h")),
        ("http://[::1]:3128", Proxy("::1", 3128)),
    ],
)
def test_every_kind_of_proxy_that_requests_takes(address: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", address)
    assert Network("a").proxy_for(URL) == proxy


@pytest.mark.parametrize("form", ["*", HOST, "azurecr.io", ".azurecr.io", f"other, {HOST} "])
def test_every_form_of_an_exception(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5h://p.example")
    monkeypatch.setenv("NO_PROXY", form)
    assert Network("a").proxy_for(URL) is None


@pytest.mark.parametrize(
    "address",
    [
        "ftp://user:secret@proxy.example", "socks://user:secret@proxy.example:1080", "http://",
        "http://user:secret@proxy.example:port", "http://user:secret@[::1",
    ],
)  # fmt: skip
def test_an_unsupported_proxy_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(ProxyError) as caught:
        Network("a").proxy_for(URL)
    assert "secret" not in caught.value.message + caught.value.hint


def test_certificates_are_verified_by_default() -> None:
    verified = Network("a").tls
    assert (verified.verify_mode, verified.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert verified.cert_store_stats()["x509_ca"] > 10
    unverified = Network("a", verify=False).tls
    assert (unverified.verify_mode, unverified.check_hostname) == (ssl.CERT_NONE, False)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_comes_from_the_environment(
    name: str, authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(authority.certificate_file))
    assert Network("a").tls.cert_store_stats()["x509_ca"] == 1
    monkeypatch.setenv(name, str(tmp_path))
    assert Network("a").tls.cert_store_stats()["x509_ca"] == 0


def test_a_bundle_that_is_missing_or_broken_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "bundle.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with pytest.raises(LocalFileError, match=r"REQUESTS_CA_BUNDLE") as caught:
        _ = Network("a").tls
    assert caught.value.where == str(bundle)
    bundle.write_text("no certificate")
    with pytest.raises(LocalFileError, match=r"REQUESTS_CA_BUNDLE"):
        _ = Network("a").tls


def test_https_goes_through_a_tunnel_with_the_proxys_credential(serve, http, authority, trusted, use_proxy) -> None:
    server = serve(
        RawResponse(ESTABLISHED, "tls", tls=authority.context(HOST)), respond(200, b"one"), respond(200, b"two")
    )
    use_proxy(server, "user:pass@")
    for expected in (b"one", b"two"):
        assert http.send(Request("GET", f"https://{HOST}/v2/", authorization="Bearer t")).content(10) == expected
    tunnel, first, second = server.requests
    assert (tunnel.method, tunnel.target) == ("CONNECT", f"{HOST}:443")
    assert tunnel.headers["proxy-authorization"] == "Basic " + b64encode(b"user:pass").decode()
    assert "authorization" not in tunnel.headers
    assert (first.target, first.headers["host"], first.headers["authorization"]) == ("/v2/", HOST, "Bearer t")
    assert "proxy-authorization" not in first.headers
    assert second.connection == first.connection == 1


def test_a_proxy_without_a_user_gets_no_credential(serve, http, authority, trusted, use_proxy) -> None:
    server = serve(RawResponse(ESTABLISHED, "tls", tls=authority.context(HOST)), respond(200, b"one"))
    use_proxy(server)
    assert http.send(Request("GET", f"https://{HOST}/v2/")).content(10) == b"one"
    assert "proxy-authorization" not in server.requests[0].headers


def test_plain_http_goes_through_a_proxy_with_the_whole_url(serve, http, use_proxy) -> None:
    server = serve(respond(200, b"x"))
    use_proxy(server, "user:pass@", "HTTP_PROXY")
    assert http.send(Request("GET", "http://registry.test:5000/v2/?a=b")).content(10) == b"x"
    (sent,) = server.requests
    assert (sent.target, sent.headers["host"]) == ("http://registry.test:5000/v2/?a=b", "registry.test:5000")
    assert sent.headers["proxy-authorization"] == "Basic " + b64encode(b"user:pass").decode()


def test_a_trusted_certificate_is_accepted(serve, http, authority, trusted) -> None:
    server = serve(respond(200, b"x"), tls=authority.context("127.0.0.1"))
    assert http.send(Request("GET", server.url + "/")).content(10) == b"x"


def test_verification_can_be_turned_off(serve, authority) -> None:
    server = serve(respond(200, b"x"), tls=authority.context("other.example"))
    http = HttpClient(Network("unit/1", verify=False))
    assert http.send(Request("GET", server.url + "/")).content(10) == b"x"
    http.close()
