"""Where a redirect may lead, and what is sent there."""

from __future__ import annotations

import pytest

from azext_acrartifact.errors import ProtocolError
from azext_acrartifact.transport.messages import Request
from azext_acrartifact.transport.redirects import next_hop
from tests.unit.transport.doubles import response_to

START = "https://myregistry.azurecr.io/v2/a/blobs/x"
HEADERS = {"Range": "bytes=5-", "Accept": "*/*", "Accept-Encoding": "identity", "X-Secret": "1", "Cookie": "secret"}


def hop(
    location: str | None, method: str = "GET", registry: str = "20.1.2.3", target: str | None = "20.4.5.6"
) -> Request:
    """Follow a redirect of a host with the address *registry* to one with the address *target*."""
    request = Request(method, START, HEADERS, authorization="Bearer secret")
    response = response_to(request, 307, **({"Location": location} if location is not None else {}))

    def addresses_of(url: str) -> list[str]:
        found = registry if url == START else target
        return [found] if found else []

    return next_hop(request, response, addresses_of)


def test_another_origin_gets_no_secret_and_no_custom_header() -> None:
    after = hop("https://store.blob.core.windows.net/c/b?sig=1")
    assert after.url == "https://store.blob.core.windows.net/c/b?sig=1"
    assert after.authorization is None
    assert after.headers == {"Range": "bytes=5-", "Accept": "*/*", "Accept-Encoding": "identity"}


@pytest.mark.parametrize("location", ["https://myregistry.azurecr.io:8443/x", "https://sub.myregistry.azurecr.io/x"])
def test_another_port_or_subdomain_is_another_origin(location: str) -> None:
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
def test_https_does_not_lead_to_http(location: str) -> None:
    with pytest.raises(ProtocolError, match="plain HTTP"):
        hop(location)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.5", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::1", "fe80::1%eth0",
     "fc00::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "100.64.0.1"],
)  # fmt: skip
def test_a_public_registry_does_not_lead_into_this_network(address: str) -> None:
    with pytest.raises(ProtocolError, match="own network"):
        hop("https://inward.example/latest/meta-data", target=address)


def test_a_private_registry_may_lead_to_private_storage() -> None:
    after = hop("https://store.blob.core.windows.net/c", registry="10.0.0.4", target="10.0.0.5")
    assert after.authorization is None


def test_a_host_without_an_address_is_left_to_the_proxy() -> None:
    assert hop("https://nowhere.example/c", target=None).url == "https://nowhere.example/c"


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "2852039166", "0251.0376.0251.0376", "[::ffff:169.254.169.254]", "127.1", "localhost.",
     "10.0.0.5", "intranet", "files.corp.internal", "kubernetes.default.svc", "168.63.129.16", "[64:ff9b::a9fe:a9fe]"],
)  # fmt: skip
def test_an_inward_host_is_refused_behind_a_proxy_too(host: str) -> None:
    with pytest.raises(ProtocolError, match="own network"):
        hop(f"https://{host}/latest/meta-data", target=None)


def test_a_name_is_judged_by_its_addresses_as_well() -> None:
    with pytest.raises(ProtocolError, match="own network"):
        hop("https://store.internal/c", registry="10.0.0.4", target="127.0.0.1")
    assert hop("https://store.internal/c", registry="10.0.0.4", target="10.0.0.5").authorization is None


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "127.0.0.1", "0.0.0.0", "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "fe80::1"],
)
def test_a_private_registry_does_not_lead_to_this_machine_or_its_identity(address: str) -> None:
    with pytest.raises(ProtocolError, match="own network"):
        hop("https://inward.example/c", registry="10.0.0.4", target=address)


def test_no_registry_leads_to_the_identity_of_a_machine() -> None:
    with pytest.raises(ProtocolError, match="own network"):
        hop("https://inward.example/c", registry="169.254.0.4", target="169.254.169.254")


def test_the_registry_is_not_looked_up_if_the_target_is_public() -> None:
    asked: list[str] = []
    request = Request("GET", START)
    next_hop(
        request,
        response_to(request, 307, Location="https://store.example/c"),
        lambda url: asked.append(url) or ["20.4.5.6"],
    )
    assert asked == ["https://store.example/c"]


@pytest.mark.parametrize(
    "location",
    ["ftp://store.example/c", "file:///etc/passwd", "https://user:secret@store.example/", "https://a..b/",
     "https://store.example/\u00e9", "https://[::1/", "javascript:x", "https://store.example:0x50/"],
)  # fmt: skip
def test_an_invalid_url_is_refused(location: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        hop(location)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("location", [None, "", "  "])
def test_a_redirect_without_a_location_is_refused(location: str | None) -> None:
    with pytest.raises(ProtocolError, match="without a location"):
        hop(location)
