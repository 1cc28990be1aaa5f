"""The named faults that need knowledge of tokens and sessions, carried out before a service sees the request.

`expire_token`: every token in the request is signed again with an `exp` in the past, so that the service refuses it for
its age and nothing else. `drop_session`: the upload session that the path names is cancelled first.
"""

from __future__ import annotations

import dataclasses
import io
import re
import time
from collections.abc import Callable
from urllib.parse import urlencode

from acr_emulator import jwt
from acr_emulator.jwt import Signer, TokenError
from acr_emulator.messages import Headers, Request, Response

_FORM = "application/x-www-form-urlencoded"
_TOKEN_FIELDS = ("access_token", "refresh_token")
_SESSION = re.compile(r"/v2/.+/blobs/uploads/[^/]+")


def carry_out(request: Request, signer: Signer, answer: Callable[[Request], Response]) -> Request:
    """The request that the service is to see; *answer* lets the service answer another one before."""
    if "drop_session" in request.faults and _SESSION.fullmatch(request.path):
        answer(dataclasses.replace(request, method="DELETE", body=io.BytesIO(), content_length=0, faults=frozenset()))
    if "expire_token" in request.faults:
        return _with_expired_tokens(request, signer)
    return request


def _with_expired_tokens(request: Request, signer: Signer) -> Request:
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
