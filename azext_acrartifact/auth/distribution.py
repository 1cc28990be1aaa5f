"""Signing in to a registry that is not ACR, such as a CNCF distribution on this machine: by its challenge.

https://distribution.github.io/distribution/spec/auth/token/. A realm on another origin than the registry's gets
nothing: that is how passwords have been taken before (GHSA-28r5-37g7-p6mp).
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
from ..transport.error_responses import error_from
from ..transport.messages import Request, Response, origin_of, resolve
from .challenge import Challenge, parse_challenge
from .endpoint import read_token, require_sendable


class ChallengeAuthorizer:
    """Does what the registry's 401 asks for: nothing, Basic, or a Bearer token from the same origin."""

    def __init__(self, base_url: str, http: HttpClient, login: tuple[str, str] | None) -> None:
        self._base_url = base_url
        self._http = http
        self._login = login
        self._values: dict[Scope, str] = {}
        self._lock = threading.Lock()

    def authorization(self, scope: Scope) -> str | None:
        """What satisfied an earlier challenge for *scope*; None until there was one."""
        with self._lock:
            return self._values.get(scope)

    def prepare(self, scopes: Sequence[Scope]) -> None:
        """Nothing: what a scope takes is known from its challenge alone."""

    def renew(self, scope: Scope, refused: str | None, answer: Response) -> str | None:
        """Answer the challenge; see `Authorizer`."""
        challenge = parse_challenge(answer.headers.get("WWW-Authenticate", ""))
        with self._lock:
            held = self._values.get(scope)
            if held is not None and held != refused:
                return held
            if refused is not None and challenge.insufficient_scope:
                raise _denied(scope, answer)
            self._values[scope] = self._answer(challenge, scope, answer)
            return self._values[scope]

    def check(self) -> None:
        """Raise `SignInError` unless the registry takes the login."""
        request = Request("GET", f"{self._base_url}/v2/")
        answer = self._http.send(request, follow=False)
        if answer.status == 401:
            challenge = parse_challenge(answer.headers.get("WWW-Authenticate", ""))
            answer.close()
            answer = self._http.send(
                replace(request, authorization=self._answer(challenge, None, answer)), follow=False
            )
        if answer.status != 200:
            raise error_from(answer, "The registry did not accept the sign-in")
        answer.close()

    def _answer(self, challenge: Challenge, scope: Scope | None, answer: Response) -> str:
        if challenge.scheme == "basic":
            return self._basic(answer)
        if challenge.scheme != "bearer":
            raise SignInError("The registry asks for a sign-in that is not known here", where=answer.request.where)
        realm = self._realm(challenge, answer)
        asked = {"scope": str(scope)} if scope else {}
        query = urlencode({"service": challenge.parameters.get("service", ""), **asked})
        mark = "&" if "?" in realm else "?"
        authorization = self._basic(answer) if self._login else None
        response = self._http.send(Request("GET", f"{realm}{mark}{query}", authorization=authorization), follow=False)
        if response.status == 401 and self._login is None:
            raise _no_login(answer)
        if response.status != 200:
            raise error_from(response, "The registry did not give a token")
        return "Bearer " + read_token(response, "token", "access_token")

    def _realm(self, challenge: Challenge, answer: Response) -> str:
        realm = resolve(self._base_url, challenge.parameters.get("realm", ""))
        scheme, host, port = origin_of(realm)
        if (scheme, host, port) != origin_of(self._base_url):
            raise ProtocolError(
                "The registry asks to sign in at another host",
                where=answer.request.where,
                why=f"at {scheme}://{host}:{port}; credentials go to the registry alone",
            )
        return realm

    def _basic(self, answer: Response) -> str:
        if self._login is None:
            raise _no_login(answer)
        require_sendable(*self._login)
        return "Basic " + b64encode(":".join(self._login).encode()).decode("ascii")


def _no_login(answer: Response) -> SignInError:
    return SignInError(
        "The registry asks for a user name and password",
        where=answer.request.where,
        hint="Give --username and --password-stdin.",
    )


def _denied(scope: Scope, answer: Response) -> PermissionDeniedError:
    return PermissionDeniedError("No permission", where=answer.request.where, why=f"{scope} is not granted", status=401)
