"""login.microsoftonline.com: discovery and the token endpoints.

learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow, …/v2-oauth-ropc,
…/v2-protocols-oidc.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from acr_emulator.entra import errors
from acr_emulator.entra.assertion import check_assertion
from acr_emulator.entra.audience import is_known, requested
from acr_emulator.entra.discovery import HOSTS, instance_discovery, openid_configuration, user_realm
from acr_emulator.entra.errors import EntraError
from acr_emulator.entra.tokens import Issuer, client_info
from acr_emulator.jwt import Signer
from acr_emulator.messages import Request, Response, json_response
from acr_emulator.world import Principal, Tenant, World

_SHARED = ("organizations", "common", "consumers")
_PATH = re.compile(r"/([^/]+)/(.+)")
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Entra:
    """The token service of every tenant."""

    def __init__(self, world: World, signer: Signer) -> None:
        self._world = world
        self._signer = signer
        self._issuer = Issuer(world, signer)
        self._grants: dict[str, Callable[[_Form], dict[str, Any]]] = {
            "client_credentials": self._client_credentials,
            "password": self._password,
            "refresh_token": self._refresh,
        }

    def owns(self, host: str, port: int) -> bool:
        """Return whether *host* is one of Entra's names."""
        return host in HOSTS and port == 443

    def handle(self, request: Request) -> Response:
        """Handle one request; an AADSTS error becomes its JSON."""
        try:
            return self._route(request)
        except EntraError as error:
            return error.response(request.headers.get("client-request-id"))

    def _route(self, request: Request) -> Response:
        match = _PATH.fullmatch(request.path)
        tenant, rest = (unquote(match[1]), match[2].lower()) if match else ("", "")
        if rest == "discovery/instance":
            return json_response(200, instance_discovery())
        if rest.startswith("userrealm/"):
            return json_response(200, user_realm(self._world, request.path.rpartition("/")[2]))
        if rest.endswith(".well-known/openid-configuration"):
            self._tenant(tenant, "invalid_tenant")
            return json_response(200, openid_configuration(request.host, tenant, v2=rest.startswith("v2.0/")))
        if rest in ("discovery/keys", "discovery/v2.0/keys"):
            return json_response(200, self._signer.jwks())
        if rest in ("oauth2/token", "oauth2/v2.0/token") and request.method == "POST":
            return json_response(200, self._token(request, tenant), [("Cache-Control", "no-store")])
        return json_response(404, {"error": {"message": f"no {request.method} {request.path} in Entra"}})

    def _token(self, request: Request, tenant: str) -> dict[str, Any]:
        form = _Form(request, self._tenant(tenant), tenant)
        grant = form.need("grant_type")
        if grant not in self._grants:
            message = f"The app requested an unsupported grant type '{grant}'."
            raise EntraError(70003, "unsupported_grant_type", message)
        with self._world.lock:
            return self._grants[grant](form)

    def _tenant(self, name: str, error: str = "invalid_request") -> Tenant | None:
        if name in _SHARED:
            return None
        wanted = name.lower()
        found = next((t for t in self._world.tenants if wanted in (t.tenant_id, t.domain)), None)
        if found is None:
            raise errors.unknown_tenant(name, error)
        return found

    def _client_credentials(self, form: _Form) -> dict[str, Any]:
        principal = self._application(form)
        if assertion := form.get("client_assertion"):
            if form.get("client_assertion_type") != _ASSERTION_TYPE:
                raise EntraError(900144, "invalid_request", "The parameter 'client_assertion_type' is wrong.")
            check_assertion(self._signer, principal, assertion, form.endpoints)
        elif form.get("client_secret") is None:
            message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            raise EntraError(7000218, "invalid_client", message, 401)
        elif form.get("client_secret") not in principal.secrets:
            raise errors.wrong_secret(principal.client_id)
        if not principal.enabled:
            raise errors.disabled_application(principal.client_id)
        return self._access_token(principal, form)

    def _application(self, form: _Form) -> Principal:
        client_id = form.need("client_id")
        principal = self._world.principal(client_id)
        usable = principal is not None and principal.kind != "user" and principal.client_id == client_id
        if principal is None or not usable or form.tenant is None or principal.tenant_id != form.tenant.tenant_id:
            raise errors.unknown_application(client_id, form.tenant_name)
        return principal

    def _password(self, form: _Form) -> dict[str, Any]:
        name = form.need("username")
        principal = self._world.principal(name)
        if principal is None or principal.kind != "user":
            message = f"The user account {name} does not exist in the {form.tenant_name} directory."
            raise EntraError(50034, "invalid_grant", message)
        if form.need("password") not in principal.secrets:
            message = "Error validating credentials due to invalid username or password."
            raise EntraError(50126, "invalid_grant", message)
        return self._user_tokens(principal, form)

    def _refresh(self, form: _Form) -> dict[str, Any]:
        principal = self._issuer.redeem(form.need("refresh_token"))
        if principal is None:
            message = "The refresh token has expired or is invalid."
            raise EntraError(700082, "invalid_grant", message)
        return self._user_tokens(principal, form)

    def _user_tokens(self, principal: Principal, form: _Form) -> dict[str, Any]:
        if not principal.enabled:
            raise EntraError(50057, "invalid_grant", "The user account is disabled.")
        if form.tenant is not None and form.tenant.tenant_id != principal.tenant_id:
            message = f"User account '{principal.name}' does not exist in tenant '{form.tenant_name}'."
            raise EntraError(50020, "invalid_grant", message)
        client_id = form.need("client_id")
        return {
            **self._access_token(principal, form),
            "scope": form.get("scope") or "",
            "refresh_token": self._issuer.refresh_token(principal, client_id),
            "id_token": self._issuer.id_token(principal, client_id),
            "client_info": client_info(principal),
            "foci": "1",
        }

    def _access_token(self, principal: Principal, form: _Form) -> dict[str, Any]:
        audience = requested(form.get("scope"), form.get("resource"))
        if audience is None:
            message = "The request body must contain the following parameter: 'scope'."
            raise EntraError(900144, "invalid_request", message)
        if not is_known(audience):
            raise errors.unknown_resource(audience, form.tenant_name)
        token, claims = self._issuer.access_token(principal, audience)
        seconds = claims["exp"] - claims["iat"]
        response = {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}
        if form.get("resource"):
            response.update(
                expires_in=str(seconds), ext_expires_in=str(seconds), resource=audience,
                expires_on=str(claims["exp"]), not_before=str(claims["nbf"]),
            )  # fmt: skip
        return response


class _Form:
    """A token request's parameters, its tenant (None for `organizations`), and its endpoint."""

    def __init__(self, request: Request, tenant: Tenant | None, tenant_name: str) -> None:
        self._values = request.form()
        self.tenant = tenant
        self.tenant_name = tenant_name
        root = f"https://{request.host}/{tenant_name}"
        self.endpoints = (f"{root}/oauth2/v2.0/token", f"{root}/oauth2/token", f"{root}/v2.0")

    def get(self, name: str) -> str | None:
        """Return the first value of *name*, or None."""
        return self._values.get(name, [None])[0]

    def need(self, name: str) -> str:
        """Return the first value of *name*; raise `EntraError` if there is none."""
        value = self.get(name)
        if not value:
            message = f"The request body must contain the following parameter: '{name}'."
            raise EntraError(900144, "invalid_request", message)
        return value
