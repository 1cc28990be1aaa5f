"""How near a host is, and which addresses are connected to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from azext_acrartifact.errors import ConnectionFailedError, ProtocolError
from azext_acrartifact.transport.addresses import (
    LOOPBACK,
    METADATA,
    PRIVATE,
    PUBLIC,
    HostAddresses,
    nearness,
    nearness_of_name,
)
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.messages import Request
from azext_acrartifact.transport.network import Network
from azext_acrartifact.transport.retry import Policy
from tests.support.server import respond

NAMES = {
    PUBLIC: ["myregistry.azurecr.io", "internal.example", "local.azurecr.io", "svc.example.", "20.1.2.3", "1.1",
             "2001:4860:4860::8888", "metadata.example", "64:ff9b::1401:203", "2002:1401:203::1",
             "::ffff:20.1.2.3", "a.1password", "0xcafe.cafe"],
    PRIVATE: ["intranet", "intranet.", "registry", "a.internal", "a.local.", "a.b.svc", "kubernetes.default", "a.lan",
              "a.home.arpa", "a.1", "a.0x7f", "1.2.3.4.5", "0x1ffffffff", "10.1", "192.168.0.1.", "fc00::1",
              "224.0.0.1", "fec0::1", "64:ff9b::a00:5", "2002:a00:5::1", "::10.0.0.5", "2001:4860::5efe:10.0.0.5",
              "2001:4860::200:5efe:10.0.0.5"],
    LOOPBACK: ["localhost", "localhost.", "a.localhost", "localhost.localdomain", "127.0.0.1", "127.1", "2130706433",
               "0x7f.1", "0177.0.0.1", "0", "::", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"],
    METADATA: ["169.254.169.254", "169.254.169.254.", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.16689662",
               "::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "::ffff:0:a9fe:a9fe", "fe80::1",
               "2002:a9fe:a9fe::", "2001:0:1401:203::5601:5601", "168.63.129.16", "2822734096", "100.100.100.200",
               "fd00:ec2::254", "metadata", "metadata.google.internal", "metadata.google.internal.", "instance-data",
               "metadata.goog", "192.0.0.192", "fd20:ce::254", "::ffff:168.63.129.16"],
}  # fmt: skip


@pytest.mark.parametrize(("depth", "host"), [(depth, host) for depth, hosts in NAMES.items() for host in hosts])
def test_how_near_a_name_is(depth: int, host: str) -> None:
    assert nearness_of_name(host) == depth


def test_a_zone_does_not_matter() -> None:
    assert nearness("fe80::1%eth0") == METADATA


def found(*addresses: str, port: int = 443) -> list[tuple[object, ...]]:
    """Return what `socket.getaddrinfo` returns."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]


def test_a_host_is_looked_up_once_by_all_threads() -> None:
    asked: list[tuple[object, ...]] = []

    def look_up(*host: object, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        time.sleep(0.02)
        return found("20.1.2.3")

    addresses = HostAddresses(look_up)
    threads = [threading.Thread(target=addresses.of, args=("a.example", 443)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert addresses.of("a.example", 443) == ["20.1.2.3"]
    assert asked == [("a.example", 443)]


def test_threads_that_wait_for_a_look_up_share_its_failure() -> None:
    asked: list[object] = []

    def look_up(*host: object, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        time.sleep(0.1)
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    addresses = HostAddresses(look_up)
    failures: list[str] = []

    def ask() -> None:
        with pytest.raises(socket.gaierror) as caught:
            addresses.of("a.example", 443)
        failures.append(str(caught.value.strerror))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == ["later"] * 8
    assert len(asked) == 1
    ask()
    assert len(asked) == 2


@pytest.fixture
def client() -> Iterator[Callable[..., HttpClient]]:
    """Yield a function that makes a client whose look-ups return *look_ups* in turn."""
    made: list[HttpClient] = []

    def make(*look_ups: list[tuple[object, ...]] | OSError) -> HttpClient:
        left = iter(look_ups)

        def look_up(*_host: object, **_options: object) -> list[tuple[object, ...]]:
            result = next(left)
            if isinstance(result, OSError):
                raise result
            return result

        made.append(HttpClient(Network("unit/1", addresses=HostAddresses(look_up)), policy=Policy(tries=1)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_the_checked_address_is_connected_to(serve, client) -> None:
    """DNS rebinding: a second look-up of the redirect's host would give another address."""
    server = serve(
        lambda sent: respond(302, Location=f"http://store.test:{server.port}/x") if sent.path == "/a" else respond(200),
        forever=True,
    )
    here = found("127.0.0.1", port=server.port)
    http = client(here, here, found("127.0.0.3", port=1))
    for _ in range(3):
        assert http.send(Request("GET", f"http://registry.test:{server.port}/a")).status == 200


def test_a_failed_look_up_of_a_redirects_host_is_no_address(serve, client) -> None:
    server = serve(respond(302, Location="http://store.test/x"))
    http = client(found("127.0.0.1", port=server.port), socket.gaierror(socket.EAI_AGAIN, "later"))
    with pytest.raises(ConnectionFailedError, match=r"name server did not respond \(store.test\)"):
        http.send(Request("GET", f"http://registry.test:{server.port}/a"))


def test_the_next_address_is_tried(serve, client) -> None:
    server = serve(respond(200, b"x"))
    http = client([*found("127.0.0.1", port=1), *found("127.0.0.1", port=server.port)])
    assert http.send(Request("GET", f"http://registry.test:{server.port}/")).content(10) == b"x"


def test_a_host_that_cannot_be_reached_is_looked_up_again(serve, client) -> None:
    server = serve(respond(200, b"x"))
    http = client(found("127.0.0.1", port=1), found("127.0.0.1", port=server.port))
    request = Request("GET", f"http://registry.test:{server.port}/")
    with pytest.raises(ConnectionFailedError):
        http.send(request)
    assert http.send(request).content(10) == b"x"


@pytest.mark.usefixtures("loopback")
def test_a_later_look_up_does_not_lead_nearer() -> None:
    look_ups = iter([[], found("20.1.2.3"), found("127.0.0.1", port=1)])
    addresses = HostAddresses(lambda *_host, **_options: next(look_ups))
    with pytest.raises(OSError, match="no address"):
        addresses.connect("a.example", 443, 1.0)
    assert addresses.of("a.example", 443) == ["20.1.2.3"]
    addresses._found.clear()
    with pytest.raises(ProtocolError, match="now leads into"):
        addresses.connect("a.example", 443, 1.0)


def test_a_connection_has_the_timeout_and_sends_small_requests_at_once(serve) -> None:
    port = serve(respond(200)).port
    addresses = HostAddresses(lambda *_host, **_options: found("127.0.0.1", port=port))
    with addresses.connect("registry.test", port, 7.5) as connected:
        assert connected.gettimeout() == 7.5
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
