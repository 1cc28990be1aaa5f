"""Where a redirect may lead.

Followed by hand, because requests takes cookies and custom headers along to another origin, and Go clients
have sent tokens there (GHSA-vh4v-2xq2-g5cg).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import replace

from ..errors import ProtocolError
from .messages import Request, Response, origin_of, resolve

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_HOPS = 5
_PUBLIC, _PRIVATE, _LOOPBACK, _LINK = range(4)
_KEPT_ACROSS_ORIGINS = frozenset({"range", "accept", "accept-encoding"})


def next_hop(request: Request, response: Response, resolves_here: Callable[[str], bool]) -> Request:
    """The request that follows *response*, without anything that only the first origin may see.

    Only GET and HEAD are redirected, never to plain HTTP, and never from a public registry to an address of
    this machine or its network. *resolves_here* says of an address whether its name is looked up by this machine;
    behind a proxy names are the proxy's affair, but an address is an address.
    """
    if request.method not in ("GET", "HEAD"):
        raise ProtocolError("The registry redirected a write", where=request.where, why="writes are not redirected")
    location = response.headers.get("Location", "").strip()
    if not location:
        raise ProtocolError("The registry redirected to nowhere", where=request.where)
    target = resolve(request.url, location)
    here, there = request.origin, origin_of(target)
    _refuse_downgrade(request, here, there)
    if here == there:
        return replace(request, url=target)
    _refuse_inward(request, target, resolves_here)
    kept = {name: value for name, value in request.headers.items() if name.lower() in _KEPT_ACROSS_ORIGINS}
    return replace(request, url=target, headers=kept, authorization=None)


def _refuse_downgrade(request: Request, here: tuple[str, str, int], there: tuple[str, str, int]) -> None:
    if here[0] == "https" and there[0] != "https":
        raise ProtocolError("The registry redirected to plain HTTP", where=request.where, why=f"to the host {there[1]}")


def _refuse_inward(request: Request, target: str, resolves_here: Callable[[str], bool]) -> None:
    """A private registry may keep its blobs in its own network. Where a cloud hands out its machines' identities,
    169.254.169.254, nobody keeps any."""
    _, host, port = origin_of(target)
    depth = _depth(host, port, resolves_here(target))
    if depth and (depth == _LINK or depth > _depth(request.origin[1], request.origin[2], resolves_here(request.url))):
        raise ProtocolError(
            "The registry redirected into this machine's own network", where=request.where, why=f"to the host {host}"
        )


def _depth(host: str, port: int, resolves_here: bool) -> int:
    """How near to this machine *host* is: `_PUBLIC` to `_LINK`."""
    if host == "localhost" or host.endswith(".localhost"):
        return _LOOPBACK
    try:
        # Also 127.1, 0x7f000001 and what else systems take for an address.
        return _nearness(socket.inet_ntoa(socket.inet_aton(host)) if ":" not in host else host)
    except OSError:
        pass
    if not resolves_here:
        return _PUBLIC
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return _PUBLIC
    return max(_nearness(str(address[4][0])) for address in found)


def _nearness(text: str) -> int:
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = getattr(address, "ipv4_mapped", None) or address
    if inner.is_link_local:
        return _LINK
    if inner.is_loopback or inner.is_unspecified:
        return _LOOPBACK
    return _PUBLIC if inner.is_global else _PRIVATE
