"""The addresses of hosts: how near to this machine they are, and the only ones that it connects to.

A host that is checked by one look-up and connected to by another may have two sets of addresses (DNS rebinding).
Therefore each host is looked up once for the process. Behind a proxy no host is looked up here, and its name must do.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..errors import ProtocolError

PUBLIC, PRIVATE, LOOPBACK, METADATA = range(4)
"""How near an address is. At a `METADATA` address a cloud gives the identity of this machine to whoever asks."""
_METADATA_NAMES = frozenset({"metadata", "metadata.goog", "instance-data"})
_METADATA_STARTS = ("metadata.", "instance-data.")
_METADATA_ADDRESSES = frozenset(
    map(
        ipaddress.ip_address,
        # Azure (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16), Alibaba, Oracle;
        # IPv6 of AWS and of Google. All others are link-local.
        ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"),
    )
)
_INWARD_ENDS = frozenset(
    ("internal", "local", "localdomain", "lan", "home", "corp", "intranet", "private", "svc", "default", "cluster")
)
"""Last labels that no public name has (RFC 6762 appendix G, ICANN's `internal`, Kubernetes' services)."""
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_WRAPPING = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96")))
"""Networks with an IPv4 address in the last 32 bits: of translators (RFC 6052, 8215, 2765), and RFC 4291's."""
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})

LookUp = Callable[..., Sequence[Any]]


@functools.lru_cache(maxsize=64)
def nearness_of_name(host: str) -> int:
    """Return how near *host* is as far as its name says, which may be an address in any notation.

    `PUBLIC` for a name that only a look-up can judge.
    """
    name = host.removesuffix(".")
    if address := _as_address(name):
        return nearness(address)
    last = name.rpartition(".")[2]
    if last == "localhost" or name == "localhost.localdomain":
        return LOOPBACK
    inward = last == name or last in _INWARD_ENDS or name.endswith(".home.arpa") or bool(_NUMBER.fullmatch(last))
    if name in _METADATA_NAMES or (inward and name.startswith(_METADATA_STARTS)):
        return METADATA
    return PRIVATE if inward else PUBLIC


@functools.lru_cache(maxsize=64)
def is_address(host: str) -> bool:
    """Return whether *host* is an IP address, in any notation."""
    return bool(_as_address(host.removesuffix(".")))


def _as_address(name: str) -> str:
    """Return *name* as an address, or an empty string: also 127.1, 0x7f000001 and whatever else systems accept."""
    try:
        return name if ":" in name else socket.inet_ntoa(socket.inet_aton(name))
    except OSError:
        return ""


@functools.lru_cache(maxsize=64)
def nearness(text: str) -> int:
    """Return how near the address *text* is, or one that is embedded in it."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return max(map(_nearness, (address, *_embedded(address))))


def _nearness(address: _Address) -> int:
    if address.is_link_local or address in _METADATA_ADDRESSES:
        return METADATA
    if address.is_loopback or address.is_unspecified:
        return LOOPBACK
    inward = address.is_multicast or getattr(address, "is_site_local", False) or not address.is_global
    # Newer versions of Python call 6to4 addresses private, but they are as near as what is embedded in them.
    return PRIVATE if inward and not getattr(address, "sixtofour", None) else PUBLIC


def _embedded(address: _Address) -> Iterator[ipaddress.IPv4Address]:
    """Yield the IPv4 addresses that a gateway or this machine would reach through *address*."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    yield from filter(None, (address.ipv4_mapped, address.sixtofour))
    yield from address.teredo or ()
    number = int(address)
    if any(address in network for network in _WRAPPING) or (number >> 32) & 0xFFFFFFFF in _ISATAP:
        yield ipaddress.IPv4Address(number & 0xFFFFFFFF)


class HostAddresses:
    """The addresses of each host, looked up once. *look_up* is `socket.getaddrinfo`. Several threads may use it."""

    def __init__(self, look_up: LookUp = socket.getaddrinfo) -> None:
        self._look_up = look_up
        self._found: dict[tuple[str, int], Sequence[Any]] = {}
        self._failed: dict[tuple[str, int], tuple[float, OSError]] = {}
        self._nearest: dict[str, int] = {}
        self._lock = threading.Lock()

    def of(self, host: str, port: int) -> list[str]:
        """Return the IP addresses of *host*. Raises OSError if there are none."""
        return [str(found[4][0]) for found in self._of(host, port)]

    def connect(self, host: str, port: int, timeout: float) -> socket.socket:
        """Return a socket that is connected to one of the addresses of *host*, each tried for *timeout* seconds.

        Raises OSError. If no address can be reached, the host is looked up again next time: it may have moved.
        """
        found = self._of(host, port)
        try:
            return _connect(found, timeout)
        except OSError:
            with self._lock:
                self._found.pop((host, port), None)
            raise

    def _of(self, host: str, port: int) -> Sequence[Any]:
        began = time.monotonic()
        with self._lock:
            if (host, port) not in self._found:
                found = self._looked_up(host, port, began)
                nearest = max((nearness(str(one[4][0])) for one in found), default=PUBLIC)
                # Redirects were allowed by what the first look-up found.
                if nearest > self._nearest.setdefault(host, nearest):
                    raise ProtocolError(
                        "The host's name now leads into this machine's own network",
                        where=host,
                        why="it had other addresses when the command began",
                        hint="Check the network's DNS, then run the command again.",
                    )
                self._found[host, port] = found
            return self._found[host, port]

    def _looked_up(self, host: str, port: int, began: float) -> Sequence[Any]:
        """Look *host* up, unless that failed for another thread since *began*: each may take a minute to fail."""
        when, error = self._failed.get((host, port), (0.0, OSError()))
        if when >= began:
            raise type(error)(*error.args) from error
        try:
            return self._look_up(host, port, type=socket.SOCK_STREAM)
        except OSError as failed:
            self._failed[host, port] = (time.monotonic(), failed)
            raise


def _connect(found: Sequence[Any], timeout: float) -> socket.socket:
    failed = OSError("the host has no address")
    for family, kind, protocol, _, address in found:
        sock = None
        try:
            sock = socket.socket(family, kind, protocol)
            sock.settimeout(timeout)
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            failed = error
            if sock is not None:
                sock.close()
    raise failed
