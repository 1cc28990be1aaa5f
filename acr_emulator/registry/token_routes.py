"""`/oauth2/exchange` and `/oauth2/token`.

https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md,
https://github.com/Azure/acr/blob/main/docs/Token-BasicAuth.md
"""

from __future__ import annotations

from dataclasses import replace

from acr_emulator.jwt import TokenError
from acr_emulator.messages import Response, json_response
from acr_emulator.registry.access import granted, parse_scopes
from acr_emulator.registry.call import Call
from acr_emulator.registry.challenge import refused
from acr_emulator.registry.credentials import identify, parse_basic
from acr_emulator.registry.errors import RegistryError
from acr_emulator.registry.roles import Anonymous, Identity

# 10,000 token requests a minute, the documented limit of Basic and Standard.
RATE_LIMIT = [("x-ms-ratelimit-remaining-calls-per-second", "166.65")]
Form = dict[str, list[str]]


def exchange(call: Call) -> Response:
    """Handle POST /oauth2/exchange: an Entra access token for a refresh token."""
    form = _form(call)
    if _one(form, "grant_type") not in ("access_token", "access_token_refresh_token"):
        raise _bad("grant_type")
    token = _one(form, "access_token")
    if not token:
        raise _bad("access_token")
    try:
        refresh = call.issuer.exchange(call.registry, token, form.get("tenant", [None])[0])
    except TokenError as error:
        raise refused(str(error)) from error
    return _token_response({"refresh_token": refresh})


def token_by_post(call: Call) -> Response:
    """Handle POST /oauth2/token: grants `refresh_token` and `password`, and without user name anonymous pull."""
    form = _form(call)
    grant = _one(form, "grant_type")
    if grant == "refresh_token":
        return _issue(call, _by_refresh_token(call, _one(form, "refresh_token")), form)
    if grant != "password":
        raise _bad("grant_type")
    if "username" not in form and "password" not in form:
        return _issue(call, _anonymous(call), form)
    return _issue(call, _by_password(call, _one(form, "username"), _one(form, "password")), form)


def token_by_get(call: Call) -> Response:
    """Handle GET /oauth2/token with Basic credentials, as docker's clients send it, or without, for anonymous pull."""
    params = call.request.params
    _check_service(call, params)
    authorization = call.request.headers.get("Authorization")
    if authorization is None:
        return _issue(call, _anonymous(call), params)
    basic = parse_basic(authorization)
    if basic is None:
        raise refused("the Authorization header is not Basic")
    return _issue(call, _by_password(call, *basic), params)


def _by_refresh_token(call: Call, token: str) -> Identity:
    try:
        return call.issuer.refresh_identity(call.registry, token)
    except TokenError as error:
        raise refused(str(error)) from error


def _by_password(call: Call, user: str, password: str) -> Identity:
    identity = identify(call.world, call.issuer, call.registry, user, password)
    if identity is None:
        raise refused("the user name or the password is not valid")
    return identity


def _anonymous(call: Call) -> Identity:
    if not call.registry.anonymous_pull_enabled:
        raise refused("anonymous pull is not enabled on this registry")
    return Anonymous()


def _issue(call: Call, identity: Identity, params: Form) -> Response:
    grants = granted(call.registry, identity, parse_scopes(params.get("scope", [])))
    return _token_response({"access_token": call.issuer.access_token(call.registry, identity, grants)})


def _token_response(tokens: dict[str, str]) -> Response:
    """Return 200 without Content-Length, which the front sends chunked."""
    response = json_response(200, tokens, RATE_LIMIT)
    assert isinstance(response.body, bytes)
    return replace(response, body=(response.body,))


def _form(call: Call) -> Form:
    kind = (call.request.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise _bad("Content-Type")
    try:
        form = call.request.form()
    except UnicodeDecodeError as error:
        raise _bad("body") from error
    _check_service(call, form)
    return form


def _check_service(call: Call, params: Form) -> None:
    if params.get("service") != [call.registry.login_server]:
        raise _bad("service")


def _one(form: Form, name: str) -> str:
    return form.get(name, [""])[0]


def _bad(name: str) -> RegistryError:
    return RegistryError(400, "BAD_REQUEST", f"the parameter {name} is missing or not valid")
