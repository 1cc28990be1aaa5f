"""Lists that come in pages (OCI distribution specification, § Pagination by Link)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..errors import ProtocolError, StalledError
from ..transport.authorization import Scope
from ..transport.messages import Response
from .api import RegistryApi

# Each looks at a character once or twice: a header may have 64 KiB of almost-links.
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_RELATION = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]*))', re.IGNORECASE)


@dataclass(frozen=True)
class PageLimits:
    """The longest list that is read: at most *pages* pages, and *size* bytes in total. *sparse_pages* pages may have
    next to nothing in them; each further one must bring the average to *sparse_size* bytes.

    At most *idle_pages* in a row may bring no new entry. The server's time for a list is *idle_stalls* stall timeouts.
    A new entry gives *entry_time* seconds of them back, so that one entry a minute does not prolong it for ever.
    """

    pages: int = 10_000
    sparse_pages: int = 1000
    sparse_size: int = 16 * 1024
    size: int = 32 * 1024 * 1024
    idle_pages: int = 50
    idle_stalls: float = 10
    entry_time: float = 0.1


PAGE_LIMITS = PageLimits()
_SLOTS = 1024 * 1024


class Pages:
    """The responses with the pages of one list. The caller reads each of them, and reports its entries to `listed`,
    before it asks for the next."""

    def __init__(self, api: RegistryApi, scope: Scope, url: str, what: str, limits: PageLimits = PAGE_LIMITS) -> None:
        self._api, self._scope, self._what, self._limits = api, scope, what, limits
        self._responses = self._follow(url)
        self._most_time = self._time_left = limits.idle_stalls * api.http.stall_timeout
        self._idle = 0
        self._has_next = False
        self._seen = bytearray()

    def __iter__(self) -> Iterator[Response]:
        return self

    def __next__(self) -> Response:
        return next(self._responses)

    def listed(self, entries: Iterable[str]) -> None:
        """Account for the *entries* of the last page: the names or digests in it."""
        if not self._has_next:
            return
        # One slot for each hash takes 1 MiB for a list of any length. If two entries have the same, one looks old.
        self._seen = self._seen or bytearray(_SLOTS)
        for entry in entries:
            slot = hash(entry) % _SLOTS
            if not self._seen[slot]:
                self._seen[slot] = 1
                self._idle = 0
                self._time_left = min(self._time_left + self._limits.entry_time, self._most_time)

    def _follow(self, url: str) -> Iterator[Response]:
        """Yield each response. Raises `ProtocolError` for a link to another host, and for a link to an earlier page,
        which would loop for ever (oras-go#1214)."""
        seen = {url}
        received = 0
        for number in range(self._limits.pages):
            began = time.monotonic()
            response = self._api.send(self._scope, "GET", url)
            self._time_left -= time.monotonic() - began
            self._idle += 1
            target = next_link(response.headers.get("Link", ""))
            self._has_next = target is not None
            yield response
            self._time_left -= response.reading
            received += response.received
            _check_length(self._what, number, received, response, self._limits)
            if target is None:
                return
            self._check_progress(response)
            url = self._api.same_origin(url, target, f"the next page of {self._what}")
            if url in seen:
                raise self._endless(response.request.where, "a page repeats")
            seen.add(url)
        raise self._endless(url.partition("?")[0], f"{self._limits.pages} pages")

    def _check_progress(self, response: Response) -> None:
        if self._idle >= self._limits.idle_pages:
            raise self._endless(response.request.where, f"{self._idle} pages brought no new entry")
        if self._time_left <= 0:
            raise StalledError(
                f"The list of {self._what} comes too slowly",
                where=response.request.where,
                why=f"the registry took {self._most_time:.0f} s for few new entries or none",
                hint="Run the command again. If the server is slow: az config set acrartifact.stall_timeout=SECONDS",
            )

    def _endless(self, where: str, why: str) -> ProtocolError:
        return ProtocolError(f"The list of {self._what} does not end", where=where, why=why)


def follow_pages(api: RegistryApi, scope: Scope, url: str, what: str, limits: PageLimits = PAGE_LIMITS) -> Pages:
    """Return the pages of the list at *url*; *what* names its entries in errors."""
    return Pages(api, scope, url, what, limits)


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
