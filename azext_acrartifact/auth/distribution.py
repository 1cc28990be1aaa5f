"""Sign-in by challenge, for a registry that is not ACR, such as CNCF distribution on this machine.

https://distribution.github.io/distribution/spec/auth/token/. Nothing is sent to a realm on another origin than the
registry's, because registries have stolen passwords that way (GHSA-28r5-37g7-p6mp).
"""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

from ..errors import PermissionDeniedError, ProtocolError, SignInError
from ..transport.authorization import Scope
from ..transport.client import HttpClient
from ..transport.error_responses import correlation_id, error_from
from ..transport.messages import Request, Response, origin_of, resolve
from .challenge import Challenge, parse_challenge
from .endpoint import read_token, require_sendable


class ChallengeAuthorizer:
    """Signs in as the registry's 401 asks: with Basic, or with a Bearer token from the same origin."""

    def __init__(self, base_url: str, http: HttpClient, login: tuple[str, str] | None) -> None:
        self._base_url = base_url
        self._http = http
        self._login = login
        self._values: dict[Scope, str] = {}
        self._lock = threading.Lock()

    def authorization(self, scope: Scope) -> str | None:
        """Return the value that satisfied an earlier challenge for *scope*, or None before the first."""
        with self._lock:
            return self._values.get(scope)

    def prepare(self, scopes: Sequence[Scope]) -> None:
        """Do nothing: only a challenge says what a scope requires."""

    def renew(self, scope: Scope, refused: str | None, response: Response) -> str | None:
        """Satisfy the challenge of *response*; see `Authorizer`."""
        challenge = parse_challenge(response.headers.get("WWW-Authenticate", ""))
        with self._lock:
            current = self._values.get(scope)
            if current is not None and current != refused:
                return current
            if refused is not None and challenge.insufficient_scope:
                raise _denied(scope, response)
            self._values[scope] = self._satisfy(challenge, scope, response)
            return self._values[scope]

    def check(self) -> None:
        """Raise `SignInError` unless the registry accepts the login."""
        request = Request("GET", f"{self._base_url}/v2/")
        response = self._http.send(request, follow=False)
        if response.status == 401:
            challenge = parse_challenge(response.headers.get("WWW-Authenticate", ""))
            response.close()
            authorization = self._satisfy(challenge, None, response)
            response = self._http.send(replace(request, authorization=authorization), follow=False)
        if response.status != 200:
            raise error_from(response, "The registry did not accept the sign-in")
        response.close()

    def _satisfy(self, challenge: Challenge, scope: Scope | None, refusal: Response) -> str:
        if challenge.scheme == "basic":
            return self._basic(refusal)
        if challenge.scheme != "bearer":
            raise SignInError("The registry asks for an unsupported kind of sign-in", where=refusal.request.where)
        realm = self._realm(challenge, refusal)
        for_scope = {"scope": str(scope)} if scope else {}
        query = urlencode({"service": challenge.parameters.get("service", ""), **for_scope})
        mark = "&" if "?" in realm else "?"
        authorization = self._basic(refusal) if self._login else None
        response = self._http.send(Request("GET", f"{realm}{mark}{query}", authorization=authorization), follow=False)
        if response.status == 401 and self._login is None:
            raise _no_login(refusal)
        if response.status != 200:
            raise error_from(response, "Could not get a token from the registry")
        return "Bearer " + read_token(response, "token", "access_token")

    def _realm(self, challenge: Challenge, response: Response) -> str:
        realm = resolve(self._base_url, challenge.parameters.get("realm", ""))
        scheme, host, port = origin_of(realm)
        if (scheme, host, port) != origin_of(self._base_url):
            raise ProtocolError(
                "The registry asks to sign in at another host",
                where=response.request.where,
                why=f"at {scheme}://{host}:{port}; credentials are sent only to the registry",
            )
        return realm

    def _basic(self, response: Response) -> str:
        if self._login is None:
            raise _no_login(response)
        require_sendable(*self._login)
        return "Basic " + b64encode(":".join(self._login).encode()).decode("ascii")


def _no_login(response: Response) -> SignInError:
    return SignInError(
        "The registry asks for a user name and password",
        where=response.request.where,
        hint="Give --username and --password-stdin.",
    )


def _denied(scope: Scope, response: Response) -> PermissionDeniedError:
    return PermissionDeniedError(
        "No permission",
        where=response.request.where,
        why=f"{scope} is not granted",
        status=401,
        correlation_id=correlation_id(response),
    )
