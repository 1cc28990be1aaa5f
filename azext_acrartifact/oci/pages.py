"""Lists that come in pages (OCI distribution specification, § Pagination by Link)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import ProtocolError
from ..transport.authorization import Scope
from ..transport.messages import Response
from .api import RegistryApi

# Each looks at a character once or twice: a header may have 64 KiB of almost-links.
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_RELATION = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]*))', re.IGNORECASE)


@dataclass(frozen=True)
class PageLimits:
    """The longest list that is read: at most *pages* pages, and *size* bytes in total. *sparse_pages* pages may have
    next to nothing in them; each further one must bring the average to *sparse_size* bytes."""

    pages: int = 10_000
    sparse_pages: int = 1000
    sparse_size: int = 16 * 1024
    size: int = 32 * 1024 * 1024


PAGE_LIMITS = PageLimits()


def follow_pages(
    api: RegistryApi, scope: Scope, url: str, what: str, limits: PageLimits = PAGE_LIMITS
) -> Iterator[Response]:
    """Yield the response with each page; the caller reads it before asking for the next. Raises `ProtocolError` for a
    link to another host, and for a link to an earlier page, which would loop for ever (oras-go#1214)."""
    seen = {url}
    received = 0
    for number in range(limits.pages):
        response = api.send(scope, "GET", url)
        yield response
        received += response.received
        _check_length(what, number, received, response, limits)
        target = next_link(response.headers.get("Link", ""))
        if target is None:
            return
        url = api.same_origin(url, target, f"the next page of {what}")
        if url in seen:
            raise ProtocolError(f"The list of {what} does not end", where=response.request.where, why="a page repeats")
        seen.add(url)
    raise ProtocolError(f"The list of {what} does not end", where=url.partition("?")[0], why=f"{limits.pages} pages")


def next_link(header: str) -> str | None:
    """Return the target of the link to the next page (RFC 8288 § 3), or None."""
    for target, parameters in _LINK.findall(header):
        relation = _RELATION.search(parameters)
        if relation and "next" in (relation.group(1) or relation.group(2) or "").lower().split():
            return str(target)
    return None


def _check_length(what: str, number: int, received: int, response: Response, limits: PageLimits) -> None:
    if received > limits.size:
        raise ProtocolError(
            f"The list of {what} is too long",
            where=response.request.where,
            why=f"more than {limits.size >> 20} MiB",
            hint="List fewer with --top, where the command has it.",
        )
    if number > limits.sparse_pages + received // limits.sparse_size:
        raise ProtocolError(
            f"The list of {what} does not end", where=response.request.where, why=f"{number} almost empty pages"
        )
