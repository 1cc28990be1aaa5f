"""A subscription's registries and their admin users, from Azure Resource Manager.

Its responses are bounded and checked like those of a registry: no redirect and no page leads to another host, which
would get the token. Azure's SDK bounds neither the length nor the duration of a response, and logs its passwords.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ..errors import ArtifactError, ProtocolError, RejectedError, ServerFaultError, SignInError, ThrottledError
from ..known_secrets import KNOWN
from ..transport.bounded_json import parse_json
from ..transport.client import HttpClient
from ..transport.connection import EXCHANGE_STALLS
from ..transport.error_responses import ERROR_BODY_LIMIT
from ..transport.messages import Request, Response, origin_of
from ..transport.network import Network
from ..transport.retry import Policy
from .credentials import EntraToken, PasswordCredential, require_token

API_VERSION = "2023-07-01"
"""https://learn.microsoft.com/rest/api/container-registry/registries/list"""
PAGE_LIMIT = 8 * 1024 * 1024
"""A registry takes 2 to 4 KiB of a page."""
MOST_PAGES = 50
LIST_STALLS = 3
"""Stall timeouts after which no further page is requested."""
LONGEST_STALL = 10.0
"""Seconds of silence. Commands that do not depend on the response wait for it."""
CREDENTIALS_LIMIT = 64 * 1024
MOST_PASSWORDS = 2
"""https://learn.microsoft.com/rest/api/container-registry/registries/list-credentials. More would push older secrets
out of `KNOWN`."""
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
    """Azure Resource Manager at *url*, which gets *token*. Raises `SignInError` for a token that cannot be one."""

    def __init__(self, url: str, http: HttpClient, token: EntraToken) -> None:
        require_token(token, "")
        self._url = url.rstrip("/")
        self._http = http
        self._authorization = f"Bearer {token.value}"
        self.stall_timeout = http.stall_timeout
        """Seconds of silence until a request fails."""

    @classmethod
    def connected(
        cls,
        url: str,
        token: EntraToken,
        *,
        user_agent: str,
        verify: bool,
        headers: Mapping[str, str],
        stall_timeout: float,
    ) -> ResourceManager:
        """Return one with connections of its own, which repeats a failed request once; the arguments are `Network`'s.
        Raises `SignInError` unless *url* is https."""
        if not url.startswith("https://"):
            raise SignInError("The token is not sent over plain HTTP", where=url)
        network = Network(user_agent, verify, headers, min(stall_timeout, LONGEST_STALL))
        return cls(url, HttpClient(network, policy=Policy(tries=2, stalls=0)), token)

    def registries(self, subscription: str) -> list[ListedRegistry]:
        """List the registries of *subscription* that the identity may see. Raises any `ArtifactError`."""
        path = f"/subscriptions/{quote(subscription, safe='')}/providers/Microsoft.ContainerRegistry/registries"
        url, seen = self._address(path), set[str]()
        found: list[ListedRegistry] = []
        end = time.monotonic() + LIST_STALLS * self.stall_timeout
        while url:
            if url in seen or len(seen) == MOST_PAGES or time.monotonic() > end:
                raise ProtocolError("The list of registries does not end", where=self._url)
            seen.add(url)
            page = self._object("GET", url, "The list of registries", PAGE_LIMIT)
            values = page.get("value")
            found += filter(None, map(_registry, values if isinstance(values, list) else []))
            url = self._next(page)
        return found

    def admin_user(self, registry: ListedRegistry) -> PasswordCredential:
        """Return the admin user of *registry*. Raises `RejectedError` if it is disabled or the identity may not read
        it, or any other `ArtifactError`."""
        what = "The admin user"
        found = self._object("POST", self._address(f"{quote(registry.id)}/listCredentials"), what, CREDENTIALS_LIMIT)
        username, listed = found.get("username"), found.get("passwords")
        values = [item.get("value") for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
        passwords = [value for value in values if isinstance(value, str) and value][:MOST_PASSWORDS]
        KNOWN.add(*passwords)
        if not isinstance(username, str) or not passwords:
            raise ProtocolError(f"{what} is malformed", where=self._url, why="it has no user name or no password")
        return PasswordCredential(username, passwords[0])

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _address(self, path: str) -> str:
        return f"{self._url}{path}?api-version={API_VERSION}"

    def _object(self, method: str, url: str, what: str, limit: int) -> dict[str, Any]:
        """Return the JSON object of the response. Neither request changes anything, so both may be repeated."""
        request = Request(method, url, authorization=self._authorization, repeatable=True)
        response = self._http.send(request, follow=False)
        if response.status != 200:
            raise _refused(response, what)
        try:
            found = parse_json(response.content(limit, EXCHANGE_STALLS * self.stall_timeout))
        except ValueError as error:
            raise ProtocolError(f"{what} is malformed", where=self._url, why=str(error)) from error
        if not isinstance(found, dict):
            raise ProtocolError(f"{what} is malformed", where=self._url, why="it is not an object")
        return found

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


def _refused(response: Response, what: str) -> ArtifactError:
    """Return the error for an unsuccessful response, in Azure Resource Manager's own words.

    https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#handling-errors
    """
    try:
        found = parse_json(response.content(ERROR_BODY_LIMIT))
        why = str(found["error"]["message"])
    except (ArtifactError, ValueError, KeyError, TypeError):
        why = ""
    where, status = response.request.where, response.status
    if status < 400:
        return ProtocolError(f"{what} was not read", where=where, why=f"unexpected status {status}")
    kind = ServerFaultError if status >= 500 else ThrottledError if status == 429 else RejectedError
    return kind(f"{what} was not read", where=where, why=why or f"status {status}", status=status)


def _registry(item: object) -> ListedRegistry | None:
    """Return the registry in *item*, or None if it is malformed."""
    if not isinstance(item, dict) or not isinstance(item.get("properties"), dict):
        return None
    identifier, server = item.get("id"), item["properties"].get("loginServer")
    match = _ID.fullmatch(identifier) if isinstance(identifier, str) else None
    if match is None or not isinstance(server, str) or not 0 < len(server) <= _HOST_LIMIT:
        return None
    return ListedRegistry(match.group(), match.group(1), match.group(2), server.lower())
