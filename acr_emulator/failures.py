"""Each service's response when it is too busy or broken: the body of a `status` fault without a `body`."""

from __future__ import annotations

from http import HTTPStatus

from acr_emulator.entra.discovery import HOSTS as ENTRA_HOSTS
from acr_emulator.entra.errors import EntraError
from acr_emulator.messages import Request, Response, json_response

_BUSY = 429
_STORAGE = (".blob.core.windows.net", ".data.azurecr.io")
_ARM = ("management.azure.com", "management.core.windows.net")


def failure(request: Request, status: int) -> Response:
    """Return a response with *status* in the format of the service that owns the request's host."""
    phrase = _phrase(status)
    if request.host in ENTRA_HOSTS:
        return _entra(status, phrase).response(request.headers.get("client-request-id"))
    if request.host in _ARM:
        code = "TooManyRequests" if status == _BUSY else phrase.replace(" ", "")
        return json_response(status, {"error": {"code": code, "message": f"The request failed: {phrase}."}})
    if request.host.endswith(".vault.azure.net"):
        code = "Throttled" if status == _BUSY else phrase.replace(" ", "")
        return json_response(status, {"error": {"code": code, "message": f"The request failed: {phrase}."}})
    if request.host.endswith(_STORAGE):
        return _storage(status, phrase)
    code = "TOOMANYREQUESTS" if status == _BUSY else phrase.upper().replace(" ", "_")
    return json_response(status, {"errors": [{"code": code, "message": phrase.lower()}]})


def _entra(status: int, phrase: str) -> EntraError:
    if status == _BUSY:
        message = "A transient error has occurred. Please try again. The request was throttled."
        return EntraError(90055, "temporarily_unavailable", message, status)
    return EntraError(90033, "temporarily_unavailable", f"A transient error has occurred ({phrase}).", status)


def _storage(status: int, phrase: str) -> Response:
    code = "ServerBusy" if status in (_BUSY, 503) else phrase.replace(" ", "")
    text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{phrase}.</Message></Error>'
    return Response(status, [("Content-Type", "application/xml")], text.encode())


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
