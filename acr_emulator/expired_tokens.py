"""The fault `expire_token`: sign every token of a request again with an `exp` in the past, so that the service
(Resource Manager, the registry's token endpoints, its data plane) refuses it for its age only.
"""

from __future__ import annotations

import dataclasses
import io
import time
from urllib.parse import urlencode

from acr_emulator import jwt
from acr_emulator.jwt import Signer, TokenError
from acr_emulator.messages import Headers, Request

_FORM = "application/x-www-form-urlencoded"
_TOKEN_FIELDS = ("access_token", "refresh_token")


def with_expired_tokens(request: Request, signer: Signer) -> Request:
    """Return *request* with a bearer token, and tokens in its form, that expired a second ago."""
    headers = Headers((name, _expired_header(name, value, signer)) for name, value in request.headers)
    if not (request.headers.get("Content-Type") or "").startswith(_FORM):
        return dataclasses.replace(request, headers=headers)
    form = request.form()
    for name in _TOKEN_FIELDS:
        if name in form:
            form[name] = [_expired(token, signer) for token in form[name]]
    body = urlencode(form, doseq=True).encode()
    return dataclasses.replace(request, headers=headers, body=io.BytesIO(body), content_length=len(body))


def _expired_header(name: str, value: str, signer: Signer) -> str:
    scheme, _, token = value.partition(" ")
    if name.lower() != "authorization" or scheme.lower() != "bearer":
        return value
    return f"{scheme} {_expired(token, signer)}"


def _expired(token: str, signer: Signer) -> str:
    try:
        claims = jwt.peek(token)
    except TokenError:
        return token
    return signer.sign({**claims, "exp": int(time.time()) - 1})
