"""Pages of a list: `n`, `last`, `orderby`, and the relative `Link` to the next one.

OCI distribution specification §Listing Tags; the format of the Link is ACR's as recorded (percent-encoded, with an
empty `orderby` if none was requested).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote, urlencode

from acr_emulator.messages import Request
from acr_emulator.registry.errors import RegistryError

Item = TypeVar("Item")
ORDERS = ("", "timeasc", "timedesc")


@dataclass(frozen=True)
class Page:
    """A requested page: at most *count* items after the one named *last*, in *order*."""

    count: int
    last: str
    order: str

    def cut(self, items: Sequence[Item], key: Callable[[Item], str]) -> tuple[list[Item], str | None]:
        """Return the page of *items* (in the page's order), and the key of its last item if more follow."""
        start = self._start([key(item) for item in items])
        chosen = list(items[start : start + self.count])
        more = bool(chosen) and start + self.count < len(items)
        return chosen, key(chosen[-1]) if more else None

    def link(self, path: str, last: str | None, extra: Sequence[tuple[str, str]] = ()) -> list[tuple[str, str]]:
        """Return the Link header to the page after *last*; no header at the end."""
        if last is None:
            return []
        query = urlencode([("last", last), ("n", str(self.count)), ("orderby", self.order), *extra], quote_via=quote)
        return [("Link", f'<{path}?{query}>; rel="next"')]

    def _start(self, keys: list[str]) -> int:
        if not self.last:
            return 0
        if self.last in keys:
            return keys.index(self.last) + 1
        # In order of names, `last` may have been deleted. In order of time, its position is then unknown.
        return len(keys) if self.order else sum(key <= self.last for key in keys)


def page_of(request: Request, default: int) -> Page:
    """Return the page that *request* asks for, with *default* items unless it says how many."""
    order = request.param("orderby") or ""
    if order not in ORDERS:
        raise RegistryError(400, "UNSUPPORTED", f"orderby {order} is not supported")
    return Page(_count(request, default), request.param("last") or "", order)


def ordered(page: Page, items: Sequence[Item], name: Callable[[Item], str], time: Callable[[Item], str]) -> list[Item]:
    """Sort *items* in the page's order: by name, or by time of the last update."""
    if not page.order:
        return sorted(items, key=name)
    return sorted(items, key=time, reverse=page.order == "timedesc")


def _count(request: Request, default: int) -> int:
    text = request.param("n")
    if not text:
        return default
    if not text.isascii() or not text.isdigit():
        raise RegistryError(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested", [{"n": text}])
    return int(text)
