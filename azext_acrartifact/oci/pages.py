"""Lists that come in pages (OCI distribution specification, § Pagination by Link)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import ProtocolError
from ..transport.authorization import Scope
from ..transport.messages import Response
from .api import RegistryApi

MOST_PAGES = 10_000
_NEXT = re.compile(r'<([^<>]*)>\s*;[^,]*\brel\s*=\s*"?next"?')


def follow_pages(api: RegistryApi, scope: Scope, url: str, what: str) -> Iterator[Response]:
    """Each page's answer in turn. A link to another host, or to a page that was read already, is refused:
    a list that never ends would otherwise be followed for ever (oras-go#1214)."""
    seen = {url}
    for _ in range(MOST_PAGES):
        response = api.send(scope, "GET", url)
        yield response
        match = _NEXT.search(response.headers.get("Link", ""))
        if not match:
            return
        url = api.same_origin(url, match.group(1), f"the next page of {what}")
        if url in seen:
            raise ProtocolError(f"The list of {what} does not end", where=response.request.where, why="a page repeats")
        seen.add(url)
    raise ProtocolError(f"The list of {what} does not end", where=url.partition("?")[0], why=f"{MOST_PAGES} pages")
