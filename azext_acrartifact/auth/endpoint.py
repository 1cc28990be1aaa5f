"""The registry's own token endpoints. Credentials are sent only there.

https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md and Token-BasicAuth.md. The endpoints are derived from the
login server: a realm in a challenge is ignored, as it may be on another host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from ..errors import ProtocolError, SignInError
from ..known_secrets import KNOWN
from ..transport.authorization import Scope
from ..transport.bounded_json import parse_json
from ..transport.client import HttpClient
from ..transport.error_responses import correlation_id, error_from, read_refusal, resource_name
from ..transport.messages import FORM, Request, Response

TOKEN_LIMIT = 1024 * 1024
_TOKEN = re.compile(r"[\x21-\x7e]+")
_FORM = {"Content-Type": FORM}


class TokenEndpoint:
    """`/oauth2/exchange` and `/oauth2/token` of one login server."""

    def __init__(self, server: str, base_url: str, http: HttpClient) -> None:
        self.server = server
        self._base_url = base_url
        self._http = http

    @property
    def stall_timeout(self) -> float:
        """`Network.stall_timeout`, in seconds."""
        return self._http.stall_timeout

    def exchange(self, entra_token: str, tenant: str | None) -> str:
        """Exchange *entra_token* for an ACR refresh token. Raises `SignInError` if the registry does not accept it."""
        form = {"grant_type": "access_token", "service": self.server, "access_token": entra_token}
        if tenant:
            form["tenant"] = tenant
        return self._post("/oauth2/exchange", form, "refresh_token")

    def redeem(self, refresh_token: str, scopes: Iterable[Scope]) -> str:
        """Get an access token for *scopes*. Raises `SignInError` if the refresh token is no longer accepted."""
        return self._access_token({"grant_type": "refresh_token", "refresh_token": refresh_token}, scopes)

    def with_password(self, username: str, password: str, scopes: Iterable[Scope]) -> str:
        """Get an access token for *scopes* with a user name and password."""
        return self._access_token({"grant_type": "password", "username": username, "password": password}, scopes)

    def anonymous(self, scopes: Iterable[Scope]) -> str:
        """Get an anonymous access token for *scopes*. Raises `SignInError` if the registry requires a sign-in."""
        try:
            return self._access_token({"grant_type": "password"}, scopes)
        except SignInError as error:
            raise SignInError(
                f"{self.server} does not allow anonymous pull",
                correlation_id=error.correlation_id,
                hint="Run: az login. Its owner can allow anonymous reads: "
                f"az acr update --name {resource_name(self.server)} --anonymous-pull-enabled true",
            ) from error

    def _access_token(self, form: Mapping[str, str], scopes: Iterable[Scope]) -> str:
        scope = " ".join(map(str, scopes))
        for_scope = {"service": self.server, **({"scope": scope} if scope else {})}
        return self._post("/oauth2/token", {**form, **for_scope}, "access_token")

    def _post(self, path: str, form: Mapping[str, str], key: str) -> str:
        require_sendable(*form.values())
        body = urlencode(form).encode("ascii")
        request = Request("POST", self._base_url + path, _FORM, body, repeatable=True)
        response = self._http.send(request, follow=False)
        if response.status != 200:
            raise _refused(response)
        return read_token(response, key)


def require_sendable(*texts: str) -> None:
    """Raise `SignInError` for a lone surrogate in *texts*. It comes from undecodable bytes in an argument, or from an
    escape in a JSON file, and cannot be sent."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as error:
        raise SignInError(
            "The user name or password is not valid UTF-8",
            why=error.reason,
            hint="Give --username and --password-stdin, or sign in again: az acr artifact login",
        ) from error


def read_token(response: Response, *keys: str) -> str:
    """Read the token under the first of *keys* that *response* has. Raises `ProtocolError` if there is none."""
    where = response.request.where
    try:
        content = parse_json(response.content(TOKEN_LIMIT))
    except ValueError as error:
        raise ProtocolError("The registry's response has no token", where=where, why="it is not JSON") from error
    found = [content[key] for key in keys if isinstance(content, dict) and isinstance(content.get(key), str)]
    if not found or not _TOKEN.fullmatch(found[0]):
        raise ProtocolError("The registry's response has no token", where=where)
    KNOWN.add(found[0])
    return str(found[0])


def _refused(response: Response) -> Exception:
    if response.status not in (400, 401):
        return error_from(response, "Could not get a token from the registry")
    refusal = read_refusal(response)
    return SignInError(
        "The registry did not accept the sign-in",
        where=response.request.where,
        why=refusal.why or f"status {response.status}",
        correlation_id=correlation_id(response),
        hint="Sign in again (az login), or check the user name and password and that they are for this registry.",
    )
