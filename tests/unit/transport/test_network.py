"""Proxies and certificates, as the environment names them."""

from __future__ import annotations

import ssl
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from azext_acrartifact.errors import LocalFileError, ProxyError
from azext_acrartifact.transport.network import Network, Proxy

URL = "https://myregistry.azurecr.io/v2/"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_comes_from_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://proxy.example:3128")
    assert Network("a").proxy_for(URL) == Proxy("proxy.example", 3128)


def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "localhost,.azurecr.io")
    assert Network("a").proxy_for(URL) is None
    assert Network("a").proxy_for("https://other.example/") == Proxy("proxy.example", 3128)


def test_without_a_proxy_there_is_none() -> None:
    assert Network("a").proxy_for(URL) is None


def test_without_a_proxy_requests_is_not_loaded() -> None:
    """Its import takes longer than many a command's work."""
    look = (
        "import sys; from azext_acrartifact.transport.network import Network\n"
        f"network = Network('a'); network.tls; print(network.proxy_for({URL!r}), 'requests' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", look], text=True).split() == ["None", "False"]


def test_a_proxys_user_is_decoded_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example")
    assert Network("a").proxy_for(URL) == Proxy("proxy.example", 80)
    monkeypatch.setenv("HTTPS_PROXY", "http://us%40er:pa%3Ass@proxy.example:3128")
    proxy = Network("a").proxy_for(URL)
    assert proxy is not None
    assert proxy.authorization == "Basic " + b64encode(b"us@er:pa:ss").decode()
    assert "Basic" not in repr(proxy)


@pytest.mark.parametrize(
    "address",
    [
        "https://user:secret@proxy.example", "socks5://user:secret@proxy.example:1080", "http://",
        "http://user:secret@proxy.example:port", "http://user:secret@[::1",
    ],
)  # fmt: skip
def test_a_proxy_that_is_not_spoken_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(ProxyError) as caught:
        Network("a").proxy_for(URL)
    assert "secret" not in caught.value.message + caught.value.hint


def test_certificates_are_verified_unless_the_user_says_otherwise() -> None:
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
