"""Where a redirect may lead.

Followed by hand, because requests takes cookies and custom headers along to another origin, and Go clients
have sent tokens there (GHSA-vh4v-2xq2-g5cg).
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import replace

from ..errors import ProtocolError
from .messages import Request, Response, origin_of, resolve

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_HOPS = 5
_KEPT_ACROSS_ORIGINS = frozenset({"range", "accept", "accept-encoding"})


def next_hop(request: Request, response: Response, resolves_here: bool) -> Request:
    """The request that follows *response*, without anything that only the first origin may see.

    Only GET and HEAD are redirected, never to plain HTTP, and never from a public registry to an address of
    this machine or its network. *resolves_here* is False behind a proxy, where names are the proxy's affair.
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
    if resolves_here:
        _refuse_inward(request, here[1], there)
    kept = {name: value for name, value in request.headers.items() if name.lower() in _KEPT_ACROSS_ORIGINS}
    return replace(request, url=target, headers=kept, authorization=None)


def _refuse_downgrade(request: Request, here: tuple[str, str, int], there: tuple[str, str, int]) -> None:
    if here[0] == "https" and there[0] != "https":
        raise ProtocolError("The registry redirected to plain HTTP", where=request.where, why=f"to the host {there[1]}")


def _refuse_inward(request: Request, host: str, there: tuple[str, str, int]) -> None:
    if _is_inward(there[1], there[2]) and not _is_inward(host, request.origin[2]):
        raise ProtocolError(
            "The registry redirected into this machine's own network",
            where=request.where,
            why=f"to the host {there[1]}",
        )


def _is_inward(host: str, port: int) -> bool:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return any(_is_private(str(address[4][0])) for address in found)


def _is_private(address: str) -> bool:
    return not ipaddress.ip_address(address.partition("%")[0]).is_global
