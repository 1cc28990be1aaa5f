"""The hosts `VAULT.vault.azure.net`: authentication, roles, limits, then the request.

https://learn.microsoft.com/rest/api/keyvault/
"""

from __future__ import annotations

import collections
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from acr_emulator.jwt import Signer, TokenError, decode, encode
from acr_emulator.messages import Request, Response, json_response
from acr_emulator.vault import errors, roles
from acr_emulator.vault.errors import VaultError
from acr_emulator.vault.objects import PKCS12, Objects, Version, imported
from acr_emulator.world import Vault, World

SUFFIX = ".vault.azure.net"
AUDIENCE = "https://vault.azure.net"
LIMIT_SECONDS = 10.0
"""The period of the limits: https://learn.microsoft.com/azure/key-vault/general/service-limits"""
_API = re.compile(r"7\.[0-6](?:-preview\.\d+)?|2025-07-01")
_PATH = re.compile(r"/(certificates|keys|secrets)/([0-9A-Za-z-]{1,127})(?:/([0-9a-z]+))?(?:/(sign))?/?")
_KINDS = {"certificates": "Certificate", "keys": "Key", "secrets": "Secret"}
_READ = {"certificates": roles.READ_CERTIFICATE, "keys": roles.READ_KEY, "secrets": roles.GET_SECRET}


class KeyVaultService:
    """Every vault of the world."""

    def __init__(self, world: World, signer: Signer) -> None:
        self._world, self._signer = world, signer
        self._objects = Objects()
        self._times: dict[str, collections.deque[float]] = collections.defaultdict(collections.deque)
        self._lock = threading.Lock()

    def owns(self, host: str, port: int) -> bool:
        """Return whether *host* is a vault that exists."""
        return port == 443 and host.endswith(SUFFIX) and self._vault(host) is not None

    def handle(self, request: Request) -> Response:
        """Handle one request; a `VaultError` becomes its response."""
        vault = self._vault(request.host)
        assert vault is not None
        try:
            return self._route(vault, request)
        except VaultError as error:
            return error.response()

    def _vault(self, host: str) -> Vault | None:
        name = host.removesuffix(SUFFIX)
        return next((vault for vault in self._world.vaults if vault.name == name), None)

    def _route(self, vault: Vault, request: Request) -> Response:
        if not vault.public_network_access:
            raise errors.firewall()
        caller = self._caller(vault, request)
        self._count(vault)
        if not _API.fullmatch(request.param("api-version") or ""):
            raise errors.bad_parameter("api-version must be specified, and be one that is supported")
        match = _PATH.fullmatch(request.path)
        if match is None:
            raise VaultError(404, "NotFound", f"{request.path} does not exist")
        kind, name, version, action = match.groups()
        handlers: dict[tuple[str, str], Callable[[], Response]] = {
            ("GET", ""): lambda: self._show(vault, caller, kind, name, version),
            ("PATCH", ""): lambda: self._update(vault, caller, name, version, request),
            ("POST", "sign"): lambda: self._sign(vault, caller, name, version, request),
        }
        if (request.method, version, kind) == ("POST", "import", "certificates"):
            return self._import(vault, caller, name, request)
        handler = handlers.get((request.method, action or ""))
        if handler is None or (action and (kind != "keys" or not version)):
            raise VaultError(405, "MethodNotAllowed", f"{request.method} is not allowed on {request.path}")
        return handler()

    def _caller(self, vault: Vault, request: Request) -> dict[str, Any]:
        scheme, _, token = (request.headers.get("Authorization") or "").partition(" ")
        if scheme != "Bearer" or not token:
            raise errors.unauthorized("AKV10000: Request is missing a Bearer or PoP token.", vault.tenant_id)
        try:
            claims = self._signer.verify(token.strip())
        except TokenError as error:
            text = "[TokenExpired] Error validating token: 'IDX10223'." if error.reason == "expired" else (
                "AKV10001: Error validating token: the signature is invalid.")  # fmt: skip
            raise errors.unauthorized(text, vault.tenant_id) from error
        audience = str(claims.get("aud", ""))
        if audience.rstrip("/") != AUDIENCE:
            text = f"AKV10022: Invalid audience. Expected {AUDIENCE}, found: {audience}."
            raise errors.unauthorized(text, vault.tenant_id)
        if claims.get("tid") != vault.tenant_id:
            text = f"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{vault.tenant_id}/."
            raise errors.unauthorized(text, vault.tenant_id)
        return claims

    def _count(self, vault: Vault) -> None:
        """Raise 429 above the vault's limit of requests in ten seconds."""
        now = time.monotonic()
        with self._lock:
            times = self._times[vault.name]
            while times and times[0] < now - LIMIT_SECONDS:
                times.popleft()
            if len(times) >= vault.requests_per_10_seconds:
                raise errors.throttled()
            times.append(now)

    def _require(self, vault: Vault, caller: dict[str, Any], action: str, kind: str, name: str) -> None:
        if roles.may(vault, str(caller.get("oid")), action):
            return
        who = f"appid={caller.get('appid')};oid={caller.get('oid')};iss={caller.get('iss')}"
        path = f"/subscriptions/…/providers/microsoft.keyvault/vaults/{vault.name}/{kind}/{name}"
        raise errors.forbidden(who, action, path, vault.name)

    def _found(self, vault: Vault, kind: str, name: str, version: str | None) -> Version:
        versions = self._objects.versions(vault.name, name)
        found = next((one for one in reversed(versions) if version in (None, one.id)), None)
        if found is None:
            raise errors.missing(_KINDS[kind], f"{name}/{version}" if version else name)
        return found

    def _show(self, vault: Vault, caller: dict[str, Any], kind: str, name: str, version: str | None) -> Response:
        self._require(vault, caller, _READ[kind], kind, name)
        found = self._found(vault, kind, name, version)
        if kind == "secrets" and not found.enabled:
            raise errors.disabled("Secret")
        show = {"certificates": found.certificate, "keys": found.public_key, "secrets": found.secret}[kind]
        return json_response(200, show(f"https://{vault.name}{SUFFIX}", name))

    def _sign(self, vault: Vault, caller: dict[str, Any], name: str, version: str | None, request: Request) -> Response:
        self._require(vault, caller, roles.SIGN, "keys", name)
        found = self._found(vault, "keys", name, version)
        body = request.json()
        if not isinstance(body, dict) or not isinstance(body.get("value"), str):
            raise errors.bad_parameter("Property value is missing")
        try:
            digest = decode(body["value"])
        except TokenError as error:
            raise errors.bad_parameter("Property value is not base64url") from error
        signature = found.sign(str(body.get("alg")), digest)
        kid = f"https://{vault.name}{SUFFIX}/keys/{name}/{found.id}"
        return json_response(200, {"kid": kid, "value": encode(signature)})

    def _import(self, vault: Vault, caller: dict[str, Any], name: str, request: Request) -> Response:
        self._require(vault, caller, roles.IMPORT_CERTIFICATE, "certificates", name)
        body = request.json()
        if not isinstance(body, dict) or not isinstance(body.get("value"), str):
            raise errors.bad_parameter("Property value is missing")
        policy = body.get("policy") or {}
        kind = str((policy.get("secret_props") or {}).get("contentType") or PKCS12)
        version = imported(body["value"], kind)
        self._objects.add(vault.name, name, version)
        return json_response(200, version.certificate(f"https://{vault.name}{SUFFIX}", name))

    def _update(
        self, vault: Vault, caller: dict[str, Any], name: str, version: str | None, request: Request
    ) -> Response:
        self._require(vault, caller, roles.UPDATE_CERTIFICATE, "certificates", name)
        found = self._found(vault, "certificates", name, version)
        body = request.json()
        enabled = ((body or {}).get("attributes") or {}).get("enabled")
        if isinstance(enabled, bool):
            found.enabled = enabled
        return json_response(200, found.certificate(f"https://{vault.name}{SUFFIX}", name))
