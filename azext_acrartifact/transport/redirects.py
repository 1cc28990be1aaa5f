"""The rules for redirects.

They are followed here, because requests sends cookies and custom headers to the other origin as well, and Go clients
have sent tokens there (GHSA-vh4v-2xq2-g5cg).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..errors import ProtocolError
from .addresses import METADATA, PRIVATE, is_address, nearness, nearness_of_name
from .messages import Request, Response, origin_of, resolve

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_HOPS = 5
_SENT_TO_ANY_ORIGIN = frozenset({"range", "accept", "accept-encoding"})

Resolver = Callable[[str], Sequence[str]]
"""Returns the IP addresses of a URL's host, none if a proxy looks it up. Raises `ConnectionFailedError`."""


def next_hop(request: Request, response: Response, addresses_of: Resolver) -> Request:
    """Return the request that follows the redirect *response*, without anything that only the first origin may see.

    Only GET and HEAD are redirected, never to plain HTTP, and never from a public registry to an address of this
    machine or its network. IP addresses and names of private networks are checked behind a proxy too.
    """
    if request.method not in ("GET", "HEAD"):
        raise ProtocolError(
            "The registry redirected a write", where=request.where, why="only GET and HEAD may be redirected"
        )
    location = response.headers.get("Location", "").strip()
    if not location:
        raise ProtocolError("The registry sent a redirect without a location", where=request.where)
    target = resolve(request.url, location)
    here, there = request.origin, origin_of(target)
    _refuse_downgrade(request, here, there)
    if here == there:
        return _elsewhere(request, target, request.headers, request.authorization)
    _refuse_inward(request, target, addresses_of)
    headers = {name: value for name, value in request.headers.items() if name.lower() in _SENT_TO_ANY_ORIGIN}
    return _elsewhere(request, target, headers, None)


def _elsewhere(request: Request, url: str, headers: Mapping[str, str], authorization: str | None) -> Request:
    """Return *request* to *url*. `dataclasses.replace` takes five times as long, for each small file."""
    return Request(
        request.method, url, headers, request.body, authorization, request.work_time, request.repeatable, request.bulk
    )


def _refuse_downgrade(request: Request, here: tuple[str, str, int], there: tuple[str, str, int]) -> None:
    if here[0] == "https" and there[0] != "https":
        raise ProtocolError("The registry redirected to plain HTTP", where=request.where, why=f"the host is {there[1]}")


def _refuse_inward(request: Request, target: str, addresses_of: Resolver) -> None:
    """Raise `ProtocolError` if *target* is nearer to this machine than the registry is.

    A private registry may have its blobs in its own network. There are none where clouds hand out the identities of
    machines, such as 169.254.169.254.
    """
    depth = _depth(target, addresses_of)
    if depth and (depth == METADATA or depth > _depth(request.url, addresses_of)):
        raise ProtocolError(
            "The registry redirected into this machine's own network",
            where=request.where,
            why=f"the host is {origin_of(target)[1]}",
        )


def _depth(url: str, addresses_of: Resolver) -> int:
    """Return how near to this machine the host of *url* is: see `addresses`."""
    host = origin_of(url)[1]
    named = nearness_of_name(host)
    if named > PRIVATE or is_address(host):
        return named
    return max([named, *map(nearness, addresses_of(url))])
