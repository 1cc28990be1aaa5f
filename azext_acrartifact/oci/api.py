"""Sends one registry's requests with the right to make them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from ..errors import ProtocolError
from ..transport.authorization import Authorizer, Scope
from ..transport.client import HttpClient
from ..transport.messages import Body, Request, Response, origin_of, resolve


class RegistryApi:
    """One registry, as an address and a sign-in. *base_url* is its origin, `https://SERVER`."""

    def __init__(self, server: str, base_url: str, http: HttpClient, authorizer: Authorizer) -> None:
        self.server = server
        self.http = http
        self.authorizer = authorizer
        self._base_url = base_url

    def url(self, path: str) -> str:
        """The absolute URL of *path* on this registry."""
        return self._base_url + path

    def same_origin(self, base: str, location: str, what: str) -> str:
        """*location*, resolved against *base*, if it stays on this registry; otherwise `ProtocolError`.

        An upload's Location and a listing's Link lead where content or credentials go next
        (GHSA-jxpm-75mh-9fp7, GHSA-h7vf-4x9w-h99v).
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
        follow: bool = False,
        repeatable: bool | None = None,
        work_time: float = 0.0,
    ) -> Response:
        """Send a request with an authorization for *scope*; a 401 is answered once with a fresh one."""
        if origin_of(url) != origin_of(self._base_url):
            # An address that was kept from an earlier run is no better than its file.
            raise ProtocolError("A request would leave the registry", where=url.partition("?")[0])
        value = self.authorizer.authorization(scope)
        request = Request(
            method, url, headers or {}, body, authorization=value, work_time=work_time, repeatable=repeatable
        )
        response = self.http.send(request, follow=follow)
        if response.status != 401 or response.request.origin != request.origin:
            return response
        with response:
            fresh = self.authorizer.renew(scope, value, response)
        return self.http.send(replace(request, authorization=fresh), follow=follow)


def path_of(repository: str, *parts: str) -> str:
    """`/v2/REPOSITORY/…` with every part escaped; a repository's slashes stay."""
    return "/v2/" + "/".join([repository, *(quote(part, safe=":") for part in parts)])
