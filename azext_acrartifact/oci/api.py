"""Authorized requests to one registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from ..errors import ProtocolError
from ..transport.authorization import Authorizer, Scope
from ..transport.client import HttpClient
from ..transport.messages import Body, Request, Response, origin_of, resolve


class RegistryApi:
    """A registry's address and a sign-in to it. *base_url* is its origin, `https://SERVER`."""

    def __init__(self, server: str, base_url: str, http: HttpClient, authorizer: Authorizer) -> None:
        self.server = server
        self.http = http
        self.authorizer = authorizer
        self._base_url = base_url

    def url(self, path: str) -> str:
        """Return the absolute URL of *path* on this registry."""
        return self._base_url + path

    def same_origin(self, base: str, location: str, what: str) -> str:
        """Resolve *location* against *base*. Raises `ProtocolError` if that is on another origin than the registry.

        Content and credentials go to an upload's Location and a list's Link, so a registry must not send them
        elsewhere (GHSA-jxpm-75mh-9fp7, GHSA-h7vf-4x9w-h99v).
        """
        target = resolve(base, location)
        if not location or origin_of(target) != origin_of(self._base_url):
            raise ProtocolError(f"The registry sent {what} to another host", where=base.partition("?")[0])
        return target

    def send(
        self,
        scope: Scope,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Body | None = None,
        repeatable: bool | None = None,
        work_time: float = 0.0,
        bulk: bool = False,
    ) -> Response:
        """Send a request with an authorization for *scope*. After a 401 it is sent once more with a fresh one. Only a
        request for a *bulk* response, a blob, follows redirects: the storage host sends it."""
        if origin_of(url) != origin_of(self._base_url):
            # An upload session's URL comes from a file, which may have been changed.
            raise ProtocolError("The address is not on the registry", where=url.partition("?")[0])
        value = self.authorizer.authorization(scope)
        request = Request(method, url, headers or {}, body, value, work_time, repeatable, bulk)
        response = self.http.send(request, follow=bulk)
        if response.status != 401 or response.request.origin != request.origin:
            return response
        with response:
            fresh = self.authorizer.renew(scope, value, response)
        return self.http.send(replace(request, authorization=fresh), follow=bulk)


def path_of(repository: str, *parts: str) -> str:
    """Return `/v2/REPOSITORY/…` with *parts* escaped; the slashes of the repository stay."""
    return "/v2/" + "/".join([repository, *(quote(part, safe=":") for part in parts)])
