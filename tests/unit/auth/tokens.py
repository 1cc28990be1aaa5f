"""Tokens as ACR issues them, a token endpoint that issues them, and a 401."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from azext_acrartifact.transport.messages import Headers, Request, Response
from tests.support.server import RawResponse, Sent, respond


def jwt(repository: str = "a", actions: tuple[str, ...] = ("pull", "push"), **claims: Any) -> str:
    """Return an access token for *actions* on *repository*, valid for an hour unless *claims* say otherwise."""
    access = [{"Type": "repository", "Name": repository, "Actions": list(actions)}]
    payload = {"exp": time.time() + 3600, "iat": time.time() - 900, "access": access, **claims}
    return f"aGVhZA.{base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip('=')}.c2ln"


def refusal(status: int, message: str, code: str = "UNAUTHORIZED") -> RawResponse:
    """Return an error response in ACR's format."""
    return respond(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode())


def unauthorized(challenge: str = 'Bearer realm="x"', url: str = "https://r.example/v2/a") -> Response:
    """Return a response with the status 401."""
    headers = Headers([("WWW-Authenticate", challenge), ("X-Ms-Correlation-Request-Id", "guid-1")])
    return Response(Request("GET", url), 401, headers, io.BytesIO())


@dataclass
class Issuer:
    """Serves `/oauth2/exchange` and `/oauth2/token`. Only *granted* actions are granted; tokens last *seconds*."""

    granted: tuple[str, ...] = ("pull", "push", "delete")
    seconds: float = 3600.0
    forms: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, sent: Sent) -> RawResponse:
        form = {name: values[0] for name, values in parse_qs(sent.body.decode()).items()}
        with self.lock:
            self.forms.append((sent.path, form))
        if sent.path == "/oauth2/exchange":
            if form["access_token"] in self.refused:
                return refusal(401, self.refused[form["access_token"]])
            return respond(200, json.dumps({"refresh_token": f"refresh-{len(self.forms)}"}).encode())
        if form.get("refresh_token") in self.revoked:
            return refusal(401, "the refresh token is not known any more")
        return self._token(form)

    def _token(self, form: dict[str, str]) -> RawResponse:
        _, repository, requested = form["scope"].split(":")
        actions = tuple(action for action in requested.split(",") if action in self.granted)
        token = jwt(repository, actions, exp=time.time() + self.seconds, jti=len(self.forms))
        return RawResponse(respond(200, json.dumps({"access_token": token}).encode()).raw, delay=self.delay)
