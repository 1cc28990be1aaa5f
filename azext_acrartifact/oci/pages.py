"""Lists that come in pages (OCI distribution specification, § Pagination by Link)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import ProtocolError
from ..transport.authorization import Scope
from ..transport.messages import Response
from .api import RegistryApi

MOST_PAGES = 10_000
MOST_SPARSE = 1000
SPARSE = 16 * 1024
"""Bytes of an average page, as of which a list may have more than `MOST_SPARSE` pages."""
LIST_LIMIT = 32 * 1024 * 1024
"""Bytes of a whole list: some hundred thousand entries."""
# Each looks at a character once or twice: a head may be 64 KiB of what nearly is a link.
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_RELATION = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]*))', re.IGNORECASE)


def follow_pages(api: RegistryApi, scope: Scope, url: str, what: str) -> Iterator[Response]:
    """Each page's answer in turn, to be read before the next is asked for. A link to another host, or to a page that
    was read already, is refused: a list that never ends would otherwise be followed for ever (oras-go#1214)."""
    seen = {url}
    received = 0
    for number in range(MOST_PAGES):
        response = api.send(scope, "GET", url)
        yield response
        received += response.received
        _require_end(what, number, received, response)
        target = next_link(response.headers.get("Link", ""))
        if target is None:
            return
        url = api.same_origin(url, target, f"the next page of {what}")
        if url in seen:
            raise ProtocolError(f"The list of {what} does not end", where=response.request.where, why="a page repeats")
        seen.add(url)
    raise ProtocolError(f"The list of {what} does not end", where=url.partition("?")[0], why=f"{MOST_PAGES} pages")


def next_link(header: str) -> str | None:
    """The target of the link to the next page (RFC 8288 § 3), or None."""
    for target, parameters in _LINK.findall(header):
        relation = _RELATION.search(parameters)
        if relation and "next" in (relation.group(1) or relation.group(2) or "").lower().split():
            return str(target)
    return None


def _require_end(what: str, number: int, received: int, response: Response) -> None:
    if received > LIST_LIMIT:
        raise ProtocolError(
            f"The list of {what} is too long",
            where=response.request.where,
            why=f"more than {LIST_LIMIT >> 20} MiB",
            hint="Ask for less, with --top where the command has it.",
        )
    if number > MOST_SPARSE + received // SPARSE:
        raise ProtocolError(
            f"The list of {what} does not end", where=response.request.where, why=f"{number} pages with next to nothing"
        )
