"""The registries of a subscription, as Azure Resource Manager lists them.

Its responses are bounded and checked like those of a registry: no redirect and no page leads to another host, which
would get the token. Azure's SDK bounds neither the length nor the duration of a response.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ..errors import ProtocolError, SignInError
from ..transport.bounded_json import parse_json
from ..transport.client import HttpClient
from ..transport.error_responses import error_from
from ..transport.messages import Request, origin_of
from ..transport.network import STALL_TIMEOUT, Network
from ..transport.retry import Policy
from .credentials import EntraToken, require_token

API_VERSION = "2023-07-01"
"""https://learn.microsoft.com/rest/api/container-registry/registries/list"""
PAGE_LIMIT = 8 * 1024 * 1024
"""A registry takes 2 to 4 KiB of a page."""
MOST_PAGES = 50
LONGEST_LIST = 30.0
"""Seconds after which no further page is requested."""
LONGEST_STALL = 10.0
"""Seconds of silence. Commands that do not depend on the response wait for it."""
_ID = re.compile(
    r"/subscriptions/[^/\s]{1,64}/resourceGroups/([^/\s]{1,128})"
    r"/providers/Microsoft\.ContainerRegistry/registries/([A-Za-z0-9]{1,64})",
    re.IGNORECASE,
)
_HOST_LIMIT = 253


@dataclass(frozen=True)
class ListedRegistry:
    """A registry in a list of Azure Resource Manager, whose *login_server* was not checked yet."""

    id: str
    group: str
    name: str
    login_server: str


class ResourceManager:
    """Azure Resource Manager at *url*. *get_token* returns a token for it, or raises `SignInError`."""

    def __init__(self, url: str, http: HttpClient, get_token: Callable[[], EntraToken]) -> None:
        self._url = url.rstrip("/")
        self._http = http
        self._get_token = get_token

    @classmethod
    def connected(
        cls,
        url: str,
        get_token: Callable[[], EntraToken],
        *,
        user_agent: str,
        verify: bool,
        headers: Mapping[str, str],
        stall_timeout: float = STALL_TIMEOUT,
    ) -> ResourceManager:
        """Return one with connections of its own, which repeats a failed request once; the arguments are `Network`'s.
        Raises `SignInError` unless *url* is https."""
        if not url.startswith("https://"):
            raise SignInError("The token is not sent over plain HTTP", where=url)
        network = Network(user_agent, verify, headers, min(stall_timeout, LONGEST_STALL))
        return cls(url, HttpClient(network, policy=Policy(tries=2, stalls=0)), get_token)

    def registries(self, subscription: str) -> list[ListedRegistry]:
        """List the registries of *subscription* that the identity may see. Raises any `ArtifactError`."""
        token = self._get_token()
        require_token(token, "")
        path = f"/subscriptions/{quote(subscription, safe='')}/providers/Microsoft.ContainerRegistry/registries"
        url, seen = f"{self._url}{path}?api-version={API_VERSION}", set[str]()
        found: list[ListedRegistry] = []
        end = time.monotonic() + LONGEST_LIST
        while url:
            if url in seen or len(seen) == MOST_PAGES or time.monotonic() > end:
                raise ProtocolError("The list of registries does not end", where=self._url)
            seen.add(url)
            page = self._page(url, f"Bearer {token.value}")
            values = page.get("value")
            found += filter(None, map(_registry, values if isinstance(values, list) else []))
            url = self._next(page)
        return found

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _page(self, url: str, authorization: str) -> dict[str, Any]:
        response = self._http.send(Request("GET", url, authorization=authorization), follow=False)
        if response.status != 200:
            raise error_from(response, "The registries were not listed")
        try:
            page = parse_json(response.content(PAGE_LIMIT))
        except ValueError as error:
            raise ProtocolError("The list of registries is malformed", where=self._url, why=str(error)) from error
        if not isinstance(page, dict):
            raise ProtocolError("The list of registries is malformed", where=self._url, why="it is not an object")
        return page

    def _next(self, page: Mapping[str, Any]) -> str:
        link = page.get("nextLink")
        if not isinstance(link, str) or not link:
            return ""
        if origin_of(link) != origin_of(self._url):
            raise ProtocolError(
                "The list of registries leads to another host",
                where=self._url,
                why="a token for Azure Resource Manager is sent to no other",
            )
        return link


def _registry(item: object) -> ListedRegistry | None:
    """Return the registry in *item*, or None if it is malformed."""
    if not isinstance(item, dict) or not isinstance(item.get("properties"), dict):
        return None
    identifier, server = item.get("id"), item["properties"].get("loginServer")
    match = _ID.fullmatch(identifier) if isinstance(identifier, str) else None
    if match is None or not isinstance(server, str) or not 0 < len(server) <= _HOST_LIMIT:
        return None
    return ListedRegistry(match.group(), match.group(1), match.group(2), server.lower())
